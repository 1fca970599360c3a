"""Every request is told in the log, by its route."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Stream
from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings

REQUESTS = "vda5050.api.requests"
ACCOUNTS = "vda5050.broadcast.accounts"


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, Any]]]:
    """Give a function that tells what a logger said, at debug and above."""
    caplog.set_level(logging.DEBUG)

    def said(logger: str) -> list[dict[str, Any]]:
        return [record.msg for record in caplog.records if record.name == logger and isinstance(record.msg, dict)]

    return said


def test_request(client: FlaskClient, said: Callable[[str], list[dict[str, Any]]]) -> None:
    """A request is told with route, status, time and size; what a client wrote into it is not."""
    headers = {"Authorization": "Bearer geheim", "Cookie": "session=geheim", "X-API-Key": "geheim"}
    client.get("/robots/geheim/geheim?key=geheim", headers=headers)

    (line,) = said(REQUESTS)
    assert line["event"] == "request"
    assert (line["level"], line["method"], line["status"]) == ("info", "GET", 404)
    assert line["route"] == "/robots/<manufacturer>/<serial_number>"
    assert line["bytes"] > 0
    assert 0 <= line["duration_ms"] < 60_000
    assert "geheim" not in str(line)


def test_unknown_path_and_method(client: FlaskClient, said: Callable[[str], list[dict[str, Any]]]) -> None:
    """A path and a method that do not exist are not repeated."""
    client.open("/geheim", method="GEHEIM")

    (line,) = said(REQUESTS)
    assert (line["route"], line["method"], line["status"]) == ("(none)", "other", 404)


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/static/js/main.js"])
def test_what_is_asked_all_the_time(
    client: FlaskClient, said: Callable[[str], list[dict[str, Any]]], path: str
) -> None:
    """What machines ask every few seconds, and the page's files, are told at debug."""
    client.get(path).close()

    assert [line["level"] for line in said(REQUESTS)] == ["debug"]


def test_stream(
    open_stream: Callable[..., Stream],
    receive: Callable[..., None],
    flush: Callable[[], None],
    said: Callable[[str], list[dict[str, Any]]],
) -> None:
    """A stream is told at debug when it opens, and when it ends with what it carried and why it ended."""
    stream = open_stream()
    stream.next(1)
    for _ in range(3):
        receive()
        flush()
    stream.next(3)
    stream.response.close()

    (opened,) = said(REQUESTS)
    (ended,) = said(ACCOUNTS)
    assert (opened["event"], opened["level"], opened["route"]) == ("stream opened", "debug", "/stream")
    assert (ended["event"], ended["level"], ended["reason"]) == ("stream ended", "info", "left")
    assert (ended["wire"], ended["events"]) == ("sse", 4)
    assert ended["bytes"] > 1_000
    assert ended["duration_s"] >= 0


def test_stream_that_the_gateway_ends(
    open_stream: Callable[..., Stream], service: Service, said: Callable[[str], list[dict[str, Any]]]
) -> None:
    """A stream that the gateway ends says so."""
    stream = open_stream()
    service.broadcaster.stop()
    stream.rest()

    assert [line["reason"] for line in said(ACCOUNTS)] == ["stopping"]


def test_turned_off(said: Callable[[str], list[dict[str, Any]]]) -> None:
    """Without an access log neither requests nor streams are told."""
    client = create_flask_app(Service(Settings(access_log="off"))).test_client()
    client.get("/robots")
    client.get("/stream").close()

    assert (said(REQUESTS), said(ACCOUNTS)) == ([], [])


def test_counted(client: FlaskClient, service: Service) -> None:
    """Requests are counted and timed by their route, never by what a client wrote."""
    for path in ("/robots", "/robots", "/robots/a/b", "/robots/c/d", "/nowhere", "/elsewhere"):
        client.get(path)
    client.open("/robots", method="GEHEIM")
    counted = {
        tuple(sample.labels.values()): sample.value
        for family in service.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "vda5050_requests_total"
    }
    of_robots = service.metrics.registry.get_sample_value("vda5050_request_seconds_count", {"route": "/robots"})

    assert counted == {
        ("GET", "/robots", "200"): 2,
        ("GET", "/robots/<manufacturer>/<serial_number>", "404"): 2,
        ("GET", "(none)", "404"): 2,
        ("other", "(none)", "405"): 1,
    }
    assert of_robots == 2


def test_stream_is_counted_and_not_timed(open_stream: Callable[..., Stream], service: Service) -> None:
    """A stream counts when it opens; how long it stays open is no answer time."""
    open_stream()
    value = service.metrics.registry.get_sample_value
    labels = {"method": "GET", "route": "/stream", "status": "200"}

    assert value("vda5050_requests_total", labels) == 1
    assert value("vda5050_request_seconds_count", {"route": "/stream"}) is None


def test_dependencies_are_exported(client: FlaskClient) -> None:
    """What /ready tells is in the metrics too, as 1 or 0."""
    ready = client.get("/ready").get_json()["dependencies"]
    text = client.get("/metrics").get_data(as_text=True)

    for name, state in ready.items():
        assert f'vda5050_dependency_ready{{dependency="{name}"}} {float(state["ready"])}' in text
