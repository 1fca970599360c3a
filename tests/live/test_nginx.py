"""deploy/nginx.conf, run for real in front of two gateways: prompt, HTTP/2, and a way past what died."""

import functools
import http.client
import json
import os
import random
import signal
import socket
import ssl
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.live.mqtt_packets import Publisher
from tests.live.robot_fleet import RobotFleet
from tests.live.sequence_checker import Crowd, commuter, sse, visitor, websocket
from tests.live.stream_client import SITE, SseClient, WebSocketClient
from tests.nginx import Nginx, nginx
from tests.services import LOOPBACK, Gateway, Service, gateway, wait_until
from vda5050.site_maps import MAX_LAYOUT_BYTES

TABS = 20
STREAMS = "vda5050_streams"
TOPIC = "uagv/v2/ACME/R1/state"
Gateways = list[Gateway]


@pytest.fixture(scope="module")
def gateways(broker: Service) -> Iterator[Gateways]:
    """Run two gateways on one broker, each for itself."""
    with ExitStack() as stack:
        yield [stack.enter_context(gateway(broker, trusted_proxies=LOOPBACK, auth="off")) for _ in range(2)]


@pytest.fixture(scope="module")
def proxy(gateways: Gateways) -> Iterator[Nginx]:
    """Run nginx in front of them."""
    with nginx(gateways) as service:
        yield service


def streams(gateways: Gateways) -> list[float]:
    """Count the open streams of each gateway."""
    return [service.metric(STREAMS) for service in gateways]


def test_event_is_not_held_back(gateways: Gateways, proxy: Nginx, robot: Publisher) -> None:
    """An event comes through nginx, over TLS, within 50 ms of when it comes directly; the median of 60 tells."""
    with (
        SseClient(gateways[0].port) as direct,
        SseClient(proxy.port, tls=proxy.tls) as proxied,
        WebSocketClient(proxy.port, tls=proxy.tls) as web_socket,
    ):
        clients = {"direct": direct, "proxied": proxied, "web socket": web_socket}
        for client in clients.values():
            client.next("snapshot")
        arrived: dict[str, dict[int, float]] = {name: {} for name in clients}

        def all_have(number: int) -> bool:
            for name, client in clients.items():
                for event in client.receive():
                    if event.type == "update":
                        arrived[name][event.data["data"]["payload"]["headerId"]] = time.monotonic()
            return all(number in seen for seen in arrived.values())

        for number in range(60):
            robot.publish(TOPIC, json.dumps({"headerId": number}))
            wait_until(functools.partial(all_have, number), what="the event has come everywhere")

    for name in ("proxied", "web socket"):
        late_s = statistics.median(arrived[name][number] - arrived["direct"][number] for number in range(60))
        print(f"{name}: {late_s * 1000:.1f} ms after the direct one")  # noqa: T201 - pytest -s shows it
        assert late_s < 0.05


def test_client_is_known_by_its_own_address(gateways: Gateways, proxy: Nginx) -> None:
    """The gateway is told the site's name and https: the page's own origin is let in, a foreign one is not."""
    with WebSocketClient(proxy.port, tls=proxy.tls, headers={"Origin": "https://fleet.example"}) as client:
        client.next("snapshot")
    with WebSocketClient(proxy.port, tls=proxy.tls, headers={"Origin": "https://evil.example"}) as client:
        wait_until(lambda: client.receive() or client.status, what="the answer")
        assert client.status == 403
    assert all(service.has("/ready") for service in gateways)


def test_twenty_tabs_over_http2(proxy: Nginx, browser: Browser, robot: Publisher) -> None:
    """20 tabs of one browser each have a stream and see the same event: HTTP/2 has no limit of six connections."""
    with ExitStack() as stack:
        context = stack.enter_context(browser.new_context(ignore_https_errors=True, bypass_csp=True))
        pages = [context.new_page() for _ in range(TABS)]
        for page in pages:
            page.goto(f"https://{SITE}:{proxy.port}/health")
            page.evaluate(
                """() => {
                    window.seen = [];
                    window.source = new EventSource('/stream?types=state');
                    window.source.onmessage = ({data}) => window.seen.push(JSON.parse(data));
                }"""
            )
        for page in pages:
            page.wait_for_function("window.seen.length > 0", timeout=30_000)
        robot.publish(TOPIC, '{"headerId":20000}')

        for page in pages:
            page.wait_for_function(
                "window.seen.some(e => e.type === 'update' && e.data.payload.headerId === 20000)", timeout=30_000
            )
        protocols = {page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") for page in pages}
    assert protocols == {"h2"}


def add_crowd(crowd: Crowd, port: int, tls: ssl.SSLContext) -> None:
    """Let clients of every wire come through nginx, that stay, or come and go."""
    wires = {"plain": sse(port, tls=tls), "gzip": sse(port, is_gzip=True, tls=tls), "ws": websocket(port, tls=tls)}
    for number, (wire, connect) in enumerate(wires.items()):
        dice = random.Random(number)
        for reader in range(3):
            crowd.add(f"{wire} reader {reader}", connect)
        crowd.add(f"{wire} commuter", connect, commuter(dice))
        crowd.add(f"{wire} visitor", connect, visitor(dice))


@pytest.fixture
def scene(broker: Service, proxy: Nginx) -> Iterator[tuple[RobotFleet, Crowd]]:
    """Let robots publish and a crowd read through nginx."""
    with RobotFleet(broker.port, robots=30, rate_hz=5, filler_bytes=300) as fleet, Crowd() as crowd:
        wait_until(lambda: fleet.sent > 3 * 30, what="the gateways know this fleet, and not the last one")
        add_crowd(crowd, proxy.port, proxy.tls)
        wait_until(lambda: all(w.updates for w in crowd.witnesses), what="everybody reads", deadline_s=30)
        yield fleet, crowd


Scene = tuple[RobotFleet, Crowd]


def assert_nothing_was_wrong(scene: Scene) -> None:
    """Let everybody read on to the newest state, and look at what they were told."""
    fleet, crowd = scene
    sent = fleet.sent
    wait_until(lambda: fleet.sent > sent + 3 * len(fleet.last_header_ids), what="each robot has spoken again")
    fleet.stop()
    crowd.settle(fleet.last_header_ids, deadline_s=40)
    assert crowd.violations() == []


def test_gateway_that_dies_is_replaced_by_the_other(gateways: Gateways, proxy: Nginx, scene: Scene) -> None:
    """When one of two gateways is killed under load, its clients come back to the other, which resets them."""
    wait_until(lambda: min(streams(gateways)) > 3, what="both have streams (least_conn)", deadline_s=20)
    victim, survivor = gateways

    os.kill(victim.worker_pid, signal.SIGKILL)
    victim.kill()

    _fleet, crowd = scene
    wait_until(lambda: survivor.metric(STREAMS) >= 9, what="the readers are at the other one", deadline_s=20)
    assert_nothing_was_wrong(scene)
    readers = [witness for witness in crowd.witnesses if "reader" in witness.name]
    assert sum(bool(witness.resets) for witness in readers) >= 3  # those of the victim: another epoch
    assert sum(not witness.resets for witness in readers) >= 3  # those of the survivor noticed nothing

    victim.start()
    wait_until(lambda: victim.has("/ready"), what="it is back", deadline_s=20)

    def newcomer_gets_there() -> bool:
        with SseClient(proxy.port, tls=proxy.tls) as client:
            client.next("snapshot")
            return victim.metric(STREAMS) > 0

    wait_until(newcomer_gets_there, what="it gets clients again", deadline_s=20)


def test_gateway_that_stops_is_passed_by(gateways: Gateways, proxy: Nginx) -> None:
    """While a gateway is being stopped, who comes is served by the other one: nobody gets its 503."""
    leaving, staying = gateways
    with ExitStack() as stack:
        held = [stack.enter_context(SseClient(leaving.port)) for _ in range(200)]
        for client in held:
            client.next("snapshot")

        os.kill(leaving.pid, signal.SIGTERM)
        wait_until(lambda: leaving.get("/ready").status == 503, what="it is being stopped", deadline_s=2)
        for _ in range(10):
            with SseClient(proxy.port, tls=proxy.tls) as client:
                client.next("snapshot")
        assert staying.has("/ready")
    wait_until(lambda: not leaving.is_running, what="it is gone", deadline_s=15)
    leaving.start()
    wait_until(lambda: leaving.has("/ready"), what="it is back", deadline_s=20)


def test_reload_under_load(proxy: Nginx, scene: Scene) -> None:
    """`nginx -s reload` under load: the old processes end after a while, and their clients resume at the new ones."""
    _fleet, crowd = scene
    old = proxy.worker_pids

    proxy.reload()

    wait_until(lambda: proxy.worker_pids - old, what="new processes", deadline_s=10)
    with SseClient(proxy.port, tls=proxy.tls) as newcomer:
        newcomer.next("snapshot")
    wait_until(lambda: not proxy.worker_pids & old, what="the old processes have ended", deadline_s=30)
    assert_nothing_was_wrong(scene)
    assert min(w.resumes for w in crowd.witnesses if "reader" in w.name) >= 1


def test_plain_http_is_sent_to_https(proxy: Nginx) -> None:
    """Who comes without TLS is told the address with it."""
    connection = http.client.HTTPConnection(LOOPBACK, proxy.http_port, timeout=15)
    connection.request("GET", "/robots?x=1", headers={"Host": SITE})
    answer = connection.getresponse()
    connection.close()

    assert (answer.status, answer.getheader("location")) == (301, f"https://{SITE}/robots?x=1")


def status_for(connection: http.client.HTTPConnection, host: str) -> int:
    """Ask for something by a host; gives the status."""
    connection.request("GET", "/robots", headers={"Host": host})
    status = connection.getresponse().status
    connection.close()
    return status


def test_other_names_reach_no_gateway(proxy: Nginx) -> None:
    """Who asks for another name, or for an address, gets 421, and with TLS no handshake: nobody answers for it."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    plain = http.client.HTTPConnection(LOOPBACK, proxy.http_port, timeout=15)

    assert [status_for(plain, host) for host in ("evil.example", LOOPBACK)] == [421, 421]
    for name in ("evil.example", LOOPBACK):
        with (
            socket.create_connection((LOOPBACK, proxy.port), timeout=15) as sock,
            pytest.raises(ssl.SSLError, match="unrecognized name"),
        ):
            unchecked.wrap_socket(sock, server_hostname=name)
    by_name = http.client.HTTPSConnection(LOOPBACK, proxy.port, timeout=15, context=unchecked)
    by_name.sock = unchecked.wrap_socket(socket.create_connection((LOOPBACK, proxy.port)), server_hostname=SITE)
    assert status_for(by_name, "evil.example") == 421


def test_an_upload_too_large_is_refused_by_the_gateway(proxy: Nginx) -> None:
    """A little more than it takes still reaches the gateway, which says so in its own words."""
    connection = http.client.HTTPSConnection(LOOPBACK, proxy.port, timeout=30, context=proxy.tls)
    connection.sock = proxy.tls.wrap_socket(socket.create_connection((LOOPBACK, proxy.port)), server_hostname=SITE)
    connection.request("PUT", "/maps/m/layout", body=b" " * (MAX_LAYOUT_BYTES + 1), headers={"Host": SITE})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()

    assert (answer.status, body["code"]) == (413, "too_large")
