"""Clients that mean harm cost the gateway a little for a short while: streams and /health go on."""

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.marker import events_before_marker
from tests.live.mqtt_packets import Publisher
from tests.live.slow_clients import SlowClients
from tests.live.stream_client import SseClient
from tests.services import LOOPBACK, Gateway, Service, free_port, gateway, wait_until
from tests.services import running as running_service

COUNT = 200
BODY_TIMEOUT_S = 2
HEAD_TIMEOUT_S = 2  # gunicorn's keepalive
SLACK_S = 8.0
"""For a machine that has other things to do; what is waited for without a bound would take for ever."""


@pytest.fixture(scope="module")
def running(broker: Service) -> Iterator[Gateway]:
    """Run a gateway that waits for a body as long as for a head."""
    with gateway(broker, body_timeout_s=BODY_TIMEOUT_S) as service:
        yield service


def descriptors(service: Gateway) -> int:
    """Count what the worker has open."""
    return len(list(Path(f"/proc/{service.worker_pid}/fd").iterdir()))


def request(*lines: str) -> bytes:
    """Write the beginning of a request."""
    return "\r\n".join([*lines, ""]).encode()


HEAD = request("GET /health HTTP/1.1", "Host: localhost", "X-Slow: ")[:-2]
BODY = request("POST /validate?topic=state HTTP/1.1", "Host: localhost", "Content-Length: 100000", "", "")[:-2]
UNWANTED_BODY = BODY.replace(b"/validate", b"/robots")
CHUNKS = request(
    "POST /validate?topic=state HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked", "", "fffff", ""
)


@pytest.mark.parametrize(
    ("start", "dribble", "timeout_s", "answer"),
    [
        pytest.param(b"", b"", HEAD_TIMEOUT_S, b"", id="nothing"),
        pytest.param(b"", b"G", HEAD_TIMEOUT_S, b"", id="request line"),
        pytest.param(HEAD, b"a", HEAD_TIMEOUT_S, b"", id="head"),
        pytest.param(BODY, b"a", BODY_TIMEOUT_S, b"HTTP/1.1 408 ", id="body"),
        pytest.param(BODY, b"", BODY_TIMEOUT_S, b"HTTP/1.1 408 ", id="no body"),
        pytest.param(CHUNKS, b"a", BODY_TIMEOUT_S, b"HTTP/1.1 408 ", id="chunk"),
        pytest.param(UNWANTED_BODY, b"a", 0, b"HTTP/1.1 405 ", id="body that nobody reads"),
    ],
)
def test_slow_clients_hold_nobody(  # noqa: PLR0917 - fixtures and parameters
    running: Gateway, robot: Publisher, start: bytes, dribble: bytes, timeout_s: float, answer: bytes
) -> None:
    """200 clients that dribble are all cut off in time, and meanwhile a stream and /health are as prompt as ever."""
    before = descriptors(running)
    with SseClient(running.port) as stream, SlowClients(running.port, COUNT, start, dribble=dribble) as slow:
        stream.next("snapshot")
        started, worst_s = time.monotonic(), 0.0
        while slow and time.monotonic() - started < 1.0:
            slow.go_on()
            asked = time.monotonic()
            events_before_marker(robot, stream)
            assert running.get("/health").status == 200
            worst_s = max(worst_s, time.monotonic() - asked)
        slow.until_closed(within_s=timeout_s + HEAD_TIMEOUT_S + SLACK_S)
        answers = set(slow.answers)

    assert worst_s < 2.0
    assert len(answers) >= 1
    assert all(got.startswith(answer) and bool(got) == bool(answer) for got in answers)
    wait_until(lambda: descriptors(running) <= before + 1, what="the worker has let go of all of them")


@pytest.mark.parametrize("start", [BODY, CHUNKS], ids=["length", "chunked"])
def test_what_comes_late_is_no_request(running: Gateway, start: bytes) -> None:
    """When a body was given up, what still comes is no other request: behind a proxy it could be anybody's."""
    with socket.create_connection((LOOPBACK, running.port), timeout=15) as client:
        client.sendall(start)
        answer = client.recv(65_536)
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while data := receive(client):
            answer += data

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_what_is_sent_to_a_stream_is_no_request(broker: Service) -> None:
    """A stream's body, and a request sent before its end, are dropped, and with them the connection when it ends."""
    head = request("GET /stream HTTP/1.1", "Host: localhost", "")
    too_early = request("GET /health HTTP/1.1", "Host: localhost", "")
    answers = []
    with gateway(broker, database_url="none", heartbeat_s=1, max_stream_lifetime_s=1) as short:
        for start, rest in ((head[:-2] + b"Content-Length: 200\r\n\r\n", b"B" * 200), (head, too_early)):
            with socket.create_connection((LOOPBACK, short.port), timeout=15) as client:
                client.sendall(start)
                answer = b""
                while b"snapshot" not in answer:
                    answer += client.recv(65_536)
                client.sendall(rest)
                while data := receive(client):
                    answer += data
            answers.append(answer)
        log = short.output()

    assert [answer.count(b"HTTP/1.1") for answer in answers] == [1, 1]
    assert not any(answer.endswith(b"\r\n0\r\n\r\n") for answer in answers)  # a proxy must not use it again either
    assert "Traceback" not in log


def receive(client: socket.socket) -> bytes:
    """Read on; nothing where the other end has gone."""
    try:
        return client.recv(65_536)
    except ConnectionError:
        return b""


BROKEN = {
    "no request": (b"hello\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "a version that is none": (b"GET / HTTP/9.9\r\n\r\n", 400),
    "a header that is none": (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
    "a header with NUL": (b"GET / HTTP/1.1\r\nA: \0\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "length and chunks": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "an unknown coding": (b"POST / HTTP/1.1\r\nTransfer-Encoding: cow\r\n\r\n", 501),
    "a long address": (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", 414),
    "a long header": (b"GET / HTTP/1.1\r\nA: " + b"a" * 9_000 + b"\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(200)) + b"\r\n", 431),
    "an expectation": (b"GET / HTTP/1.1\r\nExpect: much\r\n\r\n", 417),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
}


@pytest.mark.parametrize(("sent", "status"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_request_gets_a_problem(running: Gateway, sent: bytes, status: int) -> None:
    """What cannot be read as a request is answered in the shape of every other error, and quotes nothing of it."""
    with socket.create_connection((LOOPBACK, running.port), timeout=15) as client:
        client.sendall(sent)
        answer = b""
        while data := receive(client):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    problem = json.loads(body)

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: application/problem+json\r\n" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert problem["status"] == status
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert f"X-Request-ID: {problem['request_id']}".encode() in head
    assert problem["request_id"] in running.output()


def test_nothing_tells_what_serves(running: Gateway) -> None:
    """Neither an answer of the app nor one of the server names software or files."""
    answers = [running.get(path) for path in ("/", "/health", "/nowhere", "/robots?types=x", "/stream/a/b/c")]
    answers.append(running.get("/health", {"Content-Length": "x"}))  # gunicorn's own parser refuses it
    told = " ".join(f"{name}: {value}" for answer in answers for name, value in answer.headers.items())

    assert {answer.headers.get("server") for answer in answers} <= {"gateway", None}
    assert not re.search(r"gunicorn|werkzeug|flask|gevent|python|\.py\b", told, re.IGNORECASE)
    assert not re.search(rb"gunicorn|werkzeug|Traceback|\.py\b", b"".join(answer.body for answer in answers[1:]))


@pytest.fixture
def poor(broker: Service, tmp_path: Path) -> Iterator[Gateway]:
    """Run a gateway that may open few files, whatever it is allowed to."""
    service = Gateway(
        port=free_port(), log=tmp_path / "output.log", settings={"mqtt_url": f"mqtt://{LOOPBACK}:{broker.port}"}
    )
    argv = vars(service)["_argv"]
    argv[:0] = ["prlimit", "--nofile=200:200"]
    with running_service(service):
        wait_until(lambda: service.has("/ready"), what="/ready is 200", deadline_s=20)
        yield service


def test_streams_are_refused_before_descriptors_run_out(poor: Gateway) -> None:
    """With 200 descriptors, 50 streams are let in; more get 503 and the rest of the gateway goes on."""
    streams = [SseClient(poor.port) for _ in range(50)]
    for stream in streams:
        stream.next("snapshot")
    refused = poor.get("/stream")

    assert (refused.status, refused.json()["code"]) == (503, "too_many_streams")
    assert refused.json()["limit"] == poor.metric("vda5050_streams_limit") == 50
    assert poor.get("/ready").status == 200
    for stream in streams:
        stream.close()


def test_no_descriptor_left(poor: Gateway, robot: Publisher) -> None:
    """A worker that cannot accept any more neither ends nor spins; streams go on, and it recovers when some leave."""
    pid = poor.worker_pid
    with SseClient(poor.port) as stream:
        stream.next("snapshot")
        idle = [socket.create_connection((LOOPBACK, poor.port)) for _ in range(300)]
        busy_s = cpu_s(pid)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            events_before_marker(robot, stream)
            time.sleep(0.05)
        busy_s = cpu_s(pid) - busy_s
        for connection in idle:
            connection.close()
        wait_until(lambda: poor.has("/health"), what="it answers again", deadline_s=20)
        events_before_marker(robot, stream)

    assert "Too many open files" in poor.output()
    assert poor.worker_pid == pid
    assert busy_s < 1.0


def cpu_s(pid: int) -> float:
    """Read how many CPU seconds a process has used (proc(5): utime and stime, in ticks of 10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
