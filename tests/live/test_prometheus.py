"""A real Prometheus reads the gateway with the files of deploy/: its series are there, its alerts can be judged."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_keys import create_key
from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient
from tests.prometheus import Prometheus, prometheus
from tests.services import PROJECT, Gateway, Service, gateway, wait_until

TOPIC = "uagv/v2/ACME/R1"
MAY_BE_SILENT = {"Turned away B"}
"""Nobody was turned away by the app itself."""


@pytest.fixture(scope="module")
def server(running: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Run Prometheus on the gateway."""
    with prometheus(running.port, tmp_path_factory.mktemp("prometheus"), token="none needed") as service:
        yield service


def test_series(server: Prometheus, robot: Publisher) -> None:
    """What the gateway counts is what Prometheus has."""
    robot.publish("uagv/v2/ACME/R1/connection", '{"connectionState":"ONLINE"}')
    robot.publish("uagv/v2/ACME/R2/connection", '{"connectionState":"HIBERNATING"}')

    wait_until(lambda: server.value('up{job="vda5050"}') == 1, what="the gateway is scraped", deadline_s=30)
    for expr, value in (
        ('vda5050_robots{connection_state="ONLINE"}', 1),
        ('vda5050_robots{connection_state="HIBERNATING"}', 1),
        ('vda5050_messages_total{topic="connection"}', 2),
        ('vda5050_dependency_ready{dependency="broker"}', 1),
    ):
        wait_until(lambda: server.value(expr) == value, what=expr, deadline_s=30)  # noqa: B023 - awaited in its round


def test_dashboard_shows_something(running: Gateway, server: Prometheus, robot: Publisher) -> None:
    """Every panel of the dashboard has data on a gateway that works: nothing in it asks for what is never there."""
    dashboard = json.loads((PROJECT / "deploy" / "grafana" / "vda5050.json").read_text())
    exprs = {
        f"{panel['title']} {target['refId']}": target["expr"]
        .replace("$__rate_interval", "10s")
        .replace("$instance", ".*")
        .replace("[1h]", "[10s]")
        for panel in dashboard["panels"]
        if panel["type"] != "row"
        for target in panel["targets"]
    }
    robot.publish(f"{TOPIC}/state", '{"a":1,"a":2}')  # odd, and against every rule
    robot.publish(f"{TOPIC}/state", "no JSON")
    running.get("/robots", {"Host": "elsewhere.example"})
    with SseClient(running.port) as stream:
        stream.next("snapshot")

    def silent() -> set[str]:
        return {name for name, expr in exprs.items() if not server.query("query", query=expr)["result"]}

    wait_until(lambda: silent() <= MAY_BE_SILENT, what="all panels have data", deadline_s=60)


def test_alerts_can_be_judged(server: Prometheus) -> None:
    """Prometheus evaluates every alert without an error."""

    def health() -> set[str]:
        (group,) = server.query("rules")["groups"]
        return {rule["health"] for rule in group["rules"]}

    wait_until(lambda: health() == {"ok"}, what="all alerts are judged", deadline_s=30)


def test_histograms_are_understood(server: Prometheus) -> None:
    """A quantile can be computed of what the loop's watch measured."""
    wait_until(
        lambda: (server.value("histogram_quantile(0.5, rate(vda5050_loop_late_seconds_bucket[10s]))") or -1) >= 0,
        what="a quantile of the loop's lateness",
        deadline_s=30,
    )


def test_no_robot_in_a_label(running: Gateway, robot: Publisher) -> None:
    """Whatever robots and clients call themselves, no series is named after it."""
    for name in ("GEHEIM", "GEHEIM/../x"):
        robot.publish(f"uagv/v2/{name}/GEHEIM/state", "{}")
        running.get(f"/robots/{name}/GEHEIM")
        running.get(f"/GEHEIM-{len(name)}", {"X-GEHEIM": name})
    wait_until(lambda: running.metric("vda5050_messages_total", topic="state") >= 1, what="the message has come")

    assert b"GEHEIM" not in running.get("/metrics").body


def test_key(broker: Service, tmp_path: Path) -> None:
    """Where keys are needed, Prometheus shows the one in its token file."""
    with gateway(broker) as service:
        key = create_key(service, "prometheus")
        wait_until(lambda: service.get("/metrics").status == 401, what="a key is needed")
        with prometheus(service.port, tmp_path, token=key) as allowed:
            wait_until(lambda: allowed.value('up{job="vda5050"}') == 1, what="the gateway is scraped", deadline_s=30)


def test_scrape_of_a_gateway_that_is_gone(server: Prometheus, tmp_path: Path) -> None:
    """A target that does not answer is told as down, which is what the first alert is about."""
    with prometheus(1, tmp_path, token="x") as lost:
        wait_until(lambda: lost.value('up{job="vda5050"}') == 0, what="the target is down", deadline_s=30)
        wait_until(
            lambda: lost.value('ALERTS{alertname="VDA5050GatewayDown", alertstate="pending"}') == 1,
            what="the alert is pending",
            deadline_s=30,
        )
    assert server.is_running
