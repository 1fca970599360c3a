"""Clients that others wrote read the stream as it is, compressed too: a snapshot, then every update."""

import itertools
import json
import socket
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import httpx
import pytest
from httpx_sse import connect_sse
from playwright.sync_api import Browser, Page

from tests.live.event_decoder import Event, SseDecoder
from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient, WebSocketClient
from tests.services import LOOPBACK, Gateway, require, wait_until

ROBOT = "ACME/R1"
TOPIC = f"uagv/v2/{ROBOT}/state"
TEXT = "Ölstand ≥ 3 → 日本語 🤖 \u2028 \x85 \\n"
"""Characters of one to four bytes, and some that careless readers take for the end of a line."""
UPDATES = 30
_numbers = itertools.count(1)


def publish_states(robot: Publisher) -> list[dict[str, object]]:
    """Publish UPDATES states as no other test does; give them."""
    states: list[dict[str, object]] = [{"headerId": next(_numbers), "text": TEXT} for _ in range(UPDATES)]
    for state in states:
        robot.publish(TOPIC, json.dumps(state, ensure_ascii=False))
    return states


@pytest.fixture
def known_robot(running: Gateway, robot: Publisher) -> Publisher:
    """Connect as a robot that the gateway has heard of; nobody is left to share an older snapshot with."""
    wait_until(lambda: running.metric("vda5050_streams") == 0, what="the streams of the test before are gone")
    taken = running.metric("vda5050_messages_total")
    robot.publish(TOPIC, '{"headerId":0}')
    wait_until(lambda: running.metric("vda5050_messages_total") > taken, what="the robot is heard")
    return robot


def assert_is_snapshot(event: dict[str, object]) -> None:
    """Check that an event is a snapshot with the robot in it."""
    assert event["type"] == "snapshot"
    assert isinstance(event["data"], dict)
    assert "headerId" in event["data"][ROBOT]["messages"]["state"]


def payloads(events: list[dict[str, object]]) -> list[object]:
    """Give what the updates among the events hold."""
    updates = [event["data"] for event in events if event["type"] == "update"]
    return [update["payload"] for update in updates if isinstance(update, dict)]


@contextmanager
def curl(url: str, *options: str) -> Iterator[IO[bytes]]:
    """Run curl; give its output as it comes."""
    process = subprocess.Popen([require("curl"), "-sN", *options, url], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def read_events(output: IO[bytes], count: int) -> list[Event]:
    """Read lines until so many events have come; pytest's timeout ends a wait for ever."""
    decoder = SseDecoder()
    events: list[Event] = []
    while len(events) < count:
        line = output.readline()
        assert line, "the stream ended"
        events += decoder.feed(line)
    return events


@pytest.mark.parametrize("options", [[], ["--compressed"], ["--http1.0"]], ids=["-N", "-N --compressed", "HTTP/1.0"])
@pytest.mark.timeout(60)
def test_curl(running: Gateway, known_robot: Publisher, options: list[str]) -> None:
    """`curl -N` shows the snapshot at once and every update as it comes; with `--compressed` as well."""
    with curl(f"http://{LOOPBACK}:{running.port}/stream", *options) as output:
        (snapshot,) = read_events(output, 1)
        states = publish_states(known_robot)
        updates = read_events(output, UPDATES)

    assert_is_snapshot(snapshot.data)
    assert payloads([event.data for event in updates]) == states


def test_compressed_is_compressed(running: Gateway, known_robot: Publisher) -> None:
    """What goes over the wire to a client that accepts gzip is a small part of what another one gets."""
    with SseClient(running.port) as plain, SseClient(running.port, is_gzip=True) as gzip:
        plain.next("snapshot")
        gzip.next("snapshot")
        for number in range(200):
            known_robot.publish(TOPIC, json.dumps({"headerId": number, "text": "the same again " * 100}))
        for client in (plain, gzip):
            client.next_that(
                lambda e: e.type == "update" and e.data["data"]["payload"]["headerId"] == 199, what="the last update"
            )

    assert gzip.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.wire_bytes < plain.wire_bytes / 5


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_httpx_sse(running: Gateway, known_robot: Publisher, encoding: str) -> None:
    """Python's httpx-sse reads snapshot and updates, with ids, compressed or not."""
    url = f"http://{LOOPBACK}:{running.port}/stream"
    headers = {"Accept-Encoding": encoding}
    with httpx.Client(timeout=15) as client, connect_sse(client, "GET", url, headers=headers) as source:
        assert source.response.headers.get("content-encoding", "identity") == encoding
        events = source.iter_sse()
        snapshot = next(events)
        states = publish_states(known_robot)
        updates = [next(events) for _ in range(UPDATES)]

    assert_is_snapshot(json.loads(snapshot.data))
    assert payloads([json.loads(event.data) for event in updates]) == states
    epoch, _, offset = snapshot.id.rpartition("-")
    assert [event.id for event in updates] == [f"{epoch}-{int(offset) + n}" for n in range(1, UPDATES + 1)]
    assert {event.event for event in [snapshot, *updates]} == {"message"}


def test_bare_socket(running: Gateway, known_robot: Publisher) -> None:
    """HTTP/1.1 as it stands in the RFC: chunked, and the headers that keep caches and proxies from holding it back."""
    with SseClient(running.port) as client:
        snapshot = client.next()
        states = publish_states(known_robot)
        updates = [client.next() for _ in range(UPDATES)]

    assert_is_snapshot(snapshot.data)
    assert payloads([event.data for event in updates]) == states
    assert client.headers["transfer-encoding"] == "chunked"
    assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert client.headers["cache-control"] == "no-store"
    assert client.headers["x-accel-buffering"] == "no"
    assert 1_000 <= (client.decoder.retry_ms or 0) <= 3_000


def test_gzip_of_any_reader(running: Gateway, known_robot: Publisher) -> None:
    """The compressed stream is one RFC 1952 member to a reader that is given one byte at a time."""
    request = f"GET /stream HTTP/1.0\r\nHost: {LOOPBACK}\r\nAccept-Encoding: gzip\r\n\r\n"
    with socket.create_connection((LOOPBACK, running.port), timeout=15) as sock:
        sock.sendall(request.encode())
        stream = sock.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        gunzip, decoder = zlib.decompressobj(16 + zlib.MAX_WBITS), SseDecoder()
        events: list[Event] = []
        states: list[dict[str, object]] = []
        while len(events) < 1 + UPDATES:
            events += decoder.feed(gunzip.decompress(stream.read(1)))
            if events and not states:
                states = publish_states(known_robot)
        stream.close()

    assert_is_snapshot(events[0].data)
    assert payloads([event.data for event in events])[-UPDATES:] == states


def test_websocket_client(running: Gateway, known_robot: Publisher) -> None:
    """A WebSocket client reads the same objects, with their ids as a member."""
    with WebSocketClient(running.port) as client:
        snapshot = client.next()
        states = publish_states(known_robot)
        updates = [client.next() for _ in range(UPDATES)]

    assert_is_snapshot(snapshot.data)
    assert payloads([event.data for event in updates]) == states
    epoch, _, offset = (snapshot.id or "").rpartition("-")
    assert [event.id for event in updates] == [f"{epoch}-{int(offset) + n}" for n in range(1, UPDATES + 1)]


@pytest.fixture
def page(browser: Browser, running: Gateway) -> Iterator[Page]:
    """Open a page of the gateway's origin."""
    page = browser.new_page(bypass_csp=True)  # the scripts are the tests', and /health allows none
    page.goto(f"http://{LOOPBACK}:{running.port}/health")
    yield page
    page.close()


def start_event_source(page: Page, path: str = "/stream") -> None:
    """Let the page collect a stream's events."""
    page.evaluate(
        """path => {
            window.events = [];
            window.opened = 0;
            window.source = new EventSource(path);
            window.source.onopen = () => { window.opened += 1; };
            window.source.onmessage = message =>
                window.events.push({id: message.lastEventId, ...JSON.parse(message.data)});
        }""",
        path,
    )


def wait_for_state(page: Page, header_id: object) -> list[dict[str, object]]:
    """Wait until the page has seen this state; give all its events."""
    page.wait_for_function(
        "wanted => window.events.some(e => e.type === 'update' && e.data.payload.headerId === wanted)",
        arg=header_id,
        timeout=15_000,
    )
    events: list[dict[str, object]] = page.evaluate("window.events")
    return events


def test_chromium_event_source(known_robot: Publisher, page: Page) -> None:
    """Chromium's EventSource, which always asks for compression, reads snapshot and updates in `onmessage`."""
    with page.expect_response("**/stream") as answer:
        start_event_source(page)
    page.wait_for_function("window.events.length > 0", timeout=15_000)
    states = publish_states(known_robot)

    events = wait_for_state(page, states[-1]["headerId"])

    assert answer.value.headers["content-encoding"] == "gzip"
    assert_is_snapshot(events[0])
    assert payloads(events)[-UPDATES:] == states


def test_chromium_websocket(known_robot: Publisher, page: Page) -> None:
    """A page of the gateway may open `/ws`, and reads the same objects."""
    page.evaluate(
        """() => {
            window.events = [];
            window.socket = new WebSocket(`ws://${location.host}/ws`);
            window.socket.onmessage = message => window.events.push(JSON.parse(message.data));
        }"""
    )
    page.wait_for_function("window.events.length > 0", timeout=15_000)
    states = publish_states(known_robot)

    events = wait_for_state(page, states[-1]["headerId"])

    assert_is_snapshot(events[0])
    assert payloads(events)[-UPDATES:] == states


def test_chromium_comes_back_by_itself(running: Gateway, known_robot: Publisher, page: Page) -> None:
    """After a restart of the gateway the same EventSource is told `reset`, gets a snapshot, and goes on."""
    start_event_source(page)
    page.wait_for_function("window.events.length > 0", timeout=15_000)
    page.evaluate("window.events = window.events.slice(0, 1)")

    running.stop()
    running.start()
    wait_until(lambda: running.has("/ready"), what="ready again")
    page.wait_for_function("window.opened >= 2", timeout=15_000)
    page.wait_for_function("window.events.some(e => e.type === 'reset')", timeout=15_000)
    wait_until(lambda: running.metric("vda5050_streams") == 1, what="the browser's stream is open")
    states = publish_states(known_robot)

    events = [e for e in wait_for_state(page, states[-1]["headerId"]) if e["type"] != "status"]
    assert [event["type"] for event in events[:3]] == ["snapshot", "reset", "snapshot"]
    assert payloads(events[3:]) == states
