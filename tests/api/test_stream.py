"""/stream: the first events of an event stream, and what happens around it."""

from collections.abc import Callable
from contextlib import nullcontext

import gevent
import pytest
from flask import Flask
from flask.testing import FlaskClient
from gevent import socket
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from tests.api.conftest import MAX_STREAMS, Stream
from tests.unit.builders import ROBOT, connection, state
from vda5050.broadcast import Peer
from vda5050.service import Service

OpenStream = Callable[..., Stream]
Receive = Callable[..., None]
encodings = pytest.mark.parametrize("encoding", ["identity", "gzip"])


@encodings
def test_first_events(open_stream: OpenStream, receive: Receive, flush: Callable[[], None], encoding: str) -> None:
    """A stream is a snapshot, then every update, plain or compressed."""
    receive(state(driving=False))
    stream = open_stream(Accept_Encoding=encoding)
    (snapshot,) = stream.next(1)
    receive(state(driving=True))
    receive(connection(), topic="connection")
    flush()

    updates = stream.next(2)
    assert [event.type for event in (snapshot, *updates)] == ["snapshot", "update", "update"]
    offsets = [event.offset for event in (snapshot, *updates)]  # what the doctor finds has offsets in between
    assert offsets == sorted(set(offsets))
    assert snapshot.data[ROBOT]["payload"] == state(driving=False)
    assert [event.data["payload"] for event in updates] == [state(driving=True), connection()]


@encodings
def test_something_is_written_at_once(open_stream: OpenStream, encoding: str) -> None:
    """A stream begins before any robot was heard: with how long to wait before coming back."""
    stream = open_stream(Accept_Encoding=encoding)
    (snapshot,) = stream.next(1)

    assert len(stream.reader.retries_ms) == 1
    assert snapshot.data == {}


@encodings
def test_headers(open_stream: OpenStream, encoding: str) -> None:
    """A stream is neither cached nor held back on its way, and says how it is encoded."""
    headers = open_stream(Accept_Encoding=encoding).response.headers

    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Vary"] == "Accept-Encoding"
    assert headers.get("Content-Encoding") == (None if encoding == "identity" else "gzip")
    assert "Content-Length" not in headers


@pytest.mark.parametrize(
    ("accepted", "is_gzip"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("*;q=0", False),
        ("identity", False),
        ("deflate", False),
        ("", False),
    ],
)
def test_compression_is_asked_for(open_stream: OpenStream, accepted: str, *, is_gzip: bool) -> None:
    """A stream is compressed only for who says that it may be (RFC 9110, section 12.5.3)."""
    stream = open_stream(Accept_Encoding=accepted)

    assert ("Content-Encoding" in stream.response.headers) is is_gzip
    assert stream.next(1)[0].type == "snapshot"


@pytest.mark.parametrize("way", ["header", "query"])
def test_resume(open_stream: OpenStream, receive: Receive, way: str) -> None:
    """A client that comes back with an id gets what it missed, and no snapshot."""
    for number in range(4):
        receive(state(headerId=number))
    first_id = open_stream().next(1)[0].id or ""
    epoch = first_id.partition("-")[0]
    last_id = f"{epoch}-2"
    stream = open_stream(Last_Event_ID=last_id) if way == "header" else open_stream(f"/stream?last_event_id={last_id}")

    events = stream.next(2)
    assert [(event.type, event.data["payload"]["headerId"]) for event in events] == [("update", 2), ("update", 3)]
    assert [event.id for event in events] == [f"{epoch}-3", f"{epoch}-4"]


def test_header_wins_over_query(open_stream: OpenStream, receive: Receive) -> None:
    """EventSource comes back to the same URL, with a newer id in the header: the header counts."""
    receive()
    receive()
    epoch = (open_stream().next(1)[0].id or "").partition("-")[0]
    stream = open_stream(f"/stream?last_event_id={epoch}-0", Last_Event_ID=f"{epoch}-1")

    assert [event.id for event in stream.next(1)] == [f"{epoch}-2"]


@pytest.mark.parametrize("last_id", ["0-1", "nonsense", "%", "\u00e9"])
def test_reset(open_stream: OpenStream, receive: Receive, last_id: str) -> None:
    """A client whose id means nothing here starts again, and is told so."""
    receive()

    events = open_stream(Last_Event_ID=last_id).next(2)
    assert [event.type for event in events] == ["reset", "snapshot"]


@pytest.mark.parametrize(
    ("url", "robots"),
    [
        ("/stream?robots=KUKA/*", ["KUKA/1"]),
        ("/stream?types=connection", ["ABB/1"]),
        ("/stream/KUKA/1", ["KUKA/1"]),
        ("/stream/KUKA/1?types=connection", []),
        ("/stream/KUKA/1?robots=ABB/1", ["KUKA/1"]),
        ("/stream/ABB/*", []),
        ("/stream/nobody/yet", []),
    ],
)
def test_filters(open_stream: OpenStream, receive: Receive, url: str, robots: list[str]) -> None:
    """A stream shows the robots and topics that its address asks for; a robot need not have been heard yet."""
    receive(robot="KUKA/1")
    receive(connection(), robot="ABB/1", topic="connection")

    (snapshot,) = open_stream(url).next(1)
    assert list(snapshot.data) == robots


def test_same_filter_is_shared(open_stream: OpenStream, service: Service) -> None:
    """One robot's stream and the filter of its name are one and the same to the hub."""
    streams = [open_stream(url) for url in ("/stream/KUKA/1", "/stream?robots=KUKA/1", "/stream/KUKA/1?interval=0")]

    assert len(streams) == service.broadcaster.stream_count
    assert service.metrics.registry.get_sample_value("vda5050_stream_filters") == 1


@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("/stream?types=speed", "types"),
        ("/stream?interval=fast", "interval"),
        ("/stream?robots=" + "x" * 2_001, "robots"),
        ("/stream/KUKA/1?types=speed", "types"),
        ("/stream/KUKA/1?interval=-1", "interval"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_bad_filter(client: FlaskClient, service: Service, method: str, url: str, parameter: str) -> None:
    """A filter that cannot be used is refused by the parameter's name, and opens nothing."""
    response = client.open(url, method=method)

    assert response.status_code == 400
    assert method == "HEAD" or response.get_json()["parameter"] == parameter
    assert service.broadcaster.stream_count == 0


def test_limit(client: FlaskClient, open_stream: OpenStream) -> None:
    """A stream too many is refused with 503 and when to ask again; a place that becomes free is given away."""
    streams = [open_stream() for _ in range(MAX_STREAMS)]
    refused = client.get("/stream")
    streams[0].response.close()
    open_stream()

    problem = refused.get_json()
    assert (refused.status_code, problem["code"], problem["limit"]) == (503, "too_many_streams", MAX_STREAMS)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_other_routes_at_the_limit(client: FlaskClient, open_stream: OpenStream) -> None:
    """A worker full of streams still answers everything else."""
    streams = [open_stream() for _ in range(MAX_STREAMS)]

    statuses = {url: client.get(url).status_code for url in ("/health", "/robots", "/metrics")}
    assert len(streams) == MAX_STREAMS
    assert set(statuses.values()) == {200}


@encodings
def test_head(client: FlaskClient, service: Service, encoding: str) -> None:
    """HEAD has a stream's headers, no body and no place among the streams, also when these are full."""
    response = client.head("/stream", headers={"Accept-Encoding": encoding})

    assert (response.status_code, response.data) == (200, b"")
    assert response.content_type == "text/event-stream; charset=utf-8"
    assert "Content-Length" not in response.headers
    assert response.headers.get("Content-Encoding") == (None if encoding == "identity" else "gzip")
    assert service.broadcaster.stream_count == 0


def test_client_that_leaves(open_stream: OpenStream, service: Service) -> None:
    """A stream that is closed is forgotten at once, read or not."""
    streams = [open_stream(), open_stream()]
    streams[0].next(1)
    counts = [service.broadcaster.stream_count]

    for stream in streams:
        stream.response.close()
        counts.append(service.broadcaster.stream_count)
    assert counts == [2, 1, 0]


def test_client_that_left_before_the_first_byte(app: Flask, service: Service) -> None:
    """A stream that is closed before anything of it was read is forgotten too."""
    environ = EnvironBuilder(path="/stream", environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_environ()
    body = app.wsgi_app(environ, lambda *_: lambda _: None)
    counts = [service.broadcaster.stream_count]
    close = getattr(body, "close")  # noqa: B009 - PEP 3333: there where it is needed
    close()

    assert [*counts, service.broadcaster.stream_count] == [1, 0]


def test_the_request_is_let_go(app: Flask, service: Service) -> None:
    """A stream that has begun keeps nothing of its request's environment but what gunicorn's log needs."""
    ours, theirs = socket.socketpair()
    headers = Headers({"Authorization": "Bearer secret", "User-Agent": "x" * 1_000})
    environ = EnvironBuilder(path="/stream?robots=A/*", headers=headers).get_environ()
    environ |= {"REMOTE_ADDR": "127.0.0.1", "RAW_URI": "/stream?robots=A/*", "gunicorn.socket": ours}
    with ours, theirs:
        body = iter(app.wsgi_app(environ, lambda *_: lambda _: None))
        next(body)
        left = dict(environ)
        getattr(body, "close")()  # noqa: B009 - as above

    assert left == {
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/stream?robots=A/*",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    assert service.broadcaster.stream_count == 0


@pytest.mark.parametrize("sent", [b"", b"the rest of a body", b"GET /health HTTP/1.1\r\n\r\n"])
def test_what_a_client_sends_meanwhile(app: Flask, service: Service, sent: bytes) -> None:
    """Where something was read and dropped, the connection is given up: what follows would be taken for a request."""
    ours, theirs = socket.socketpair()
    environ = EnvironBuilder(path="/stream", environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_environ()
    with ours, theirs:
        body = iter(app.wsgi_app(environ | {"gunicorn.socket": ours}, lambda *_: lambda _: None))
        next(body)
        theirs.sendall(sent)
        gevent.sleep(0.01)
        service.broadcaster.stop()

        with pytest.raises(BrokenPipeError) if sent else nullcontext():
            list(body)
        getattr(body, "close")()  # noqa: B009 - as above
    assert service.broadcaster.stream_count == 0


def test_cut_of_a_client_that_is_half_gone() -> None:
    """A writer stuck on a client that has closed its own side is freed too; what was closed here is left alone."""
    ours, theirs = socket.socketpair()
    gone: list[str] = []
    with ours, theirs:
        peer = Peer(ours, on_gone=lambda: gone.append("gone"))
        writer = gevent.spawn(ours.sendall, bytes(10_000_000))
        theirs.shutdown(socket.SHUT_WR)
        gevent.sleep(0.01)
        was_stuck = bool(gone) and not writer.dead
        peer.cut()
        writer.join(timeout=5)
        peer.close()
    peer.cut()

    assert was_stuck
    assert isinstance(writer.exception, BrokenPipeError)
    assert gone == ["gone"]


@encodings
def test_end(open_stream: OpenStream, service: Service, receive: Receive, encoding: str) -> None:
    """When the gateway stops, a stream gets what waits and a new time to come back after, and ends."""
    stream = open_stream(Accept_Encoding=encoding)
    stream.next(1)
    receive()
    service.broadcaster.stop()

    assert [event.type for event in stream.next(1)] == ["update"]
    assert stream.rest() == []
    assert len(stream.reader.retries_ms) == 2
    assert service.broadcaster.stream_count == 0
