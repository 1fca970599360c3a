"""The log of a gateway under gunicorn: one format for all, nothing in it that is secret, nobody else's lines."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.api_keys import create_key
from tests.live.marker import events_before_marker
from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient
from tests.log_lines import log_lines
from tests.services import PROJECT, Gateway, Service, free_port, gateway, mosquitto, wait_until

MQTT_PASSWORD = "mqtt-geheim/1"
KEYS = {
    "Authorization": "Bearer bearer-geheim-2",
    "X-API-Key": "header-geheim-3",
    "Cookie": "session=cookie-geheim-4",
    "Referer": "https://me:referer-geheim-5@example.org/",
    "User-Agent": "agent-geheim-6",
}
FORM = "application/x-www-form-urlencoded"
PAYLOAD = "payload-geheim-7"


@pytest.fixture(scope="module")
def running(broker: Service) -> Iterator[Gateway]:
    """Run the gateway with all that it can be told, and say everything it can say."""
    url = f"mqtt://gateway:{MQTT_PASSWORD.replace('/', '%2F')}@127.0.0.1:{broker.port}"
    with gateway(broker, mqtt_url=url, log_level="debug") as service:
        yield service


def post(service: Service, path: str, body: str) -> None:
    """Send a body, with every header that may hold a secret, and read the answer."""
    connection = http.client.HTTPConnection(service.host, service.port, timeout=15)
    with closing(connection):
        connection.request("POST", path, body, KEYS)
        connection.getresponse().read()


def test_one_format(running: Gateway) -> None:
    """The master's lines, the worker's, the app's and the history's are JSON objects with the same first fields."""
    running.get("/robots")
    wait_until(lambda: any(line["event"] == "request" for line in log_lines(running)), what="the request is told")
    writer = running.history_pid
    wait_until(lambda: any(line["pid"] == writer for line in log_lines(running)), what="the history's writer tells")

    lines = log_lines(running)
    assert {tuple(line)[:5] for line in lines} == {("timestamp", "level", "logger", "event", "pid")}
    pids = {line["pid"] for line in lines if line["logger"] == "gunicorn.error"}
    assert pids == {running.pid, running.worker_pid}
    pids = {line["pid"] for line in lines if line["logger"].startswith("vda5050")}
    assert pids == {running.worker_pid, running.history_pid}
    assert {line["logger"] for line in lines} >= {"gunicorn.error", "paho", "vda5050.mqtt_bridge.bridge"}


def test_request_id(running: Gateway) -> None:
    """What the answer names as its request's id is in the request's line, and in the line of its stream's end."""
    name = running.get("/robots").headers["x-request-id"]
    with SseClient(running.port) as stream:
        stream.next("snapshot")
        of_stream = stream.headers["x-request-id"]

    def events_of(request_id: str) -> set[str]:
        return {line["event"] for line in log_lines(running) if line.get("request_id") == request_id}

    wait_until(lambda: events_of(name) >= {"request"}, what="the request is told")
    wait_until(lambda: events_of(of_stream) >= {"stream opened", "stream ended"}, what="the stream is told")


def test_nothing_secret(running: Gateway, robot: Publisher) -> None:
    """Passwords, keys, cookies, queries and payloads, sent through every door there is, are not in the log."""
    with SseClient(running.port) as stream:
        stream.next("snapshot")
        topic = "uagv/v2/ACME/R1/state"
        document = json.dumps({"headerId": PAYLOAD, "batteryState": {"batteryCharge": PAYLOAD}, PAYLOAD: [None]})
        for payload in (document, document[:-3], f'{{"a":NaN,"{PAYLOAD}":1}}', PAYLOAD, f'{{"a":1,"a":"{PAYLOAD}"}}'):
            robot.publish(topic, payload)
        events_before_marker(robot, stream)
    for path in ("/", "/robots", "/robots/A/B", "/stream?types=nonsense", "/ws", "/metrics", "/nowhere", "/ready"):
        running.get(f"{path}{'&' if '?' in path else '?'}key=query-geheim-8", KEYS)
    for body in (document, PAYLOAD):
        post(running, "/validate?topic=state", body)
    wait_until(lambda: sum(line["event"] == "request" for line in log_lines(running)) >= 8, what="all were told")

    log = running.output()
    assert "geheim" not in log
    assert "rejected a message" in log


def test_keys(broker: Service) -> None:
    """A key is told by its name: not the key, a wrong one, nor the cookie that stands for it are in the log."""
    with gateway(broker, log_level="debug") as service:
        key = create_key(service, "wallboard hall 3")
        bearer = {"Authorization": f"Bearer {key}"}
        wait_until(lambda: service.get("/robots").status == 401, what="a key is needed")
        assert service.get("/robots", bearer).status == 200
        service.get("/robots", KEYS)
        with SseClient(service.port, headers=bearer) as stream:
            stream.next("snapshot")
        connection = http.client.HTTPConnection(service.host, service.port, timeout=15)
        with closing(connection):
            connection.request("POST", "/login", urlencode({"key": key}), {"Content-Type": FORM})
            cookie = connection.getresponse().headers["Set-Cookie"].partition(";")[0]
        assert service.get("/robots", {"Cookie": cookie}).status == 200
        wait_until(lambda: any(line["event"] == "stream ended" for line in log_lines(service)), what="the end is told")

        told = [(line["status"], line["key"]) for line in log_lines(service) if line.get("route") == "/robots"]
        assert (200, "wallboard hall 3") in told
        assert {name for status, name in told if status == 401} == {None}
        assert not [secret for secret in (key, cookie.partition("=")[2], "geheim") if secret in service.output()]


def test_nothing_forged(running: Gateway) -> None:
    """What is no HTTP, and drives a terminal, is one line that a terminal may be shown."""
    lines_before = len(log_lines(running))
    for attack in (b"GET /\x1b[2J\x1b[31m\r\n\r\n", b"GET / HTTP/1.1\r\nA: \x1b]0;x\x07\r\n\r\n", b"\x1b[31m\r\n\r\n"):
        with socket.create_connection((running.host, running.port), timeout=15) as sock:
            sock.sendall(attack)
            sock.recv(1_000)
    wait_until(lambda: len(log_lines(running)) >= lines_before + 3, what="each attack was told")

    assert running.output().replace("\n", "").isprintable()


def test_reload(running: Gateway) -> None:
    """After SIGHUP the log goes on as before: every line once, by the new worker too."""
    worker = running.worker_pid
    os.kill(running.pid, signal.SIGHUP)
    wait_until(
        lambda: any(
            line["event"] == "connected to the broker" and line["pid"] != worker for line in log_lines(running)
        ),
        what="the new worker is connected",
        deadline_s=30,
    )

    for event in ("Booting worker with pid: ", "connected to the broker"):
        pids = [line["pid"] for line in log_lines(running) if line["event"].startswith(event)]
        assert len(pids) == len(set(pids)) == 2


def test_lost_exception() -> None:
    """What a greenlet dies of is a line of the log, where gevent would print it, with the greenlet's arguments."""
    code = "import app, gevent; app.create_app(); gevent.spawn(lambda key: 1 / 0, 'geheim').join()"
    env = {name: value for name, value in os.environ.items() if not name.startswith("VDA5050_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**env, "VDA5050_DATABASE_URL": "none"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    (line,) = (json.loads(line) for line in done.stderr.splitlines())
    assert (line["level"], line["logger"], line["event"]) == ("error", "gevent", "a greenlet failed")
    assert "ZeroDivisionError" in line["exception"]
    assert "geheim" not in line["exception"].replace(code, "")


def test_wrong_password_is_not_told(tmp_path: Path) -> None:
    """A broker that refuses the password does not bring it into the log."""
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    passwords.chmod(0o600)
    with mosquitto(config_lines=["allow_anonymous false", f"password_file {passwords}"]) as broker:
        url = f"mqtt://me:{MQTT_PASSWORD.replace('/', '%2F')}@127.0.0.1:{broker.port}"
        with gateway(broker, until="/health", mqtt_url=url, log_level="debug") as service:
            wait_until(lambda: "refused" in service.output(), what="the broker refuses")

            lines = [line for line in log_lines(service) if line["event"] == "no link to the broker"]
            assert lines[0]["broker"] == f"mqtt://127.0.0.1:{broker.port}"
            assert "geheim" not in service.output()


def test_services_that_are_away(broker: Service) -> None:
    """The passwords of a database, a Redis and an event bus that are away are neither in the log nor in /ready."""
    gone = f"gateway:service-geheim-9@127.0.0.1:{free_port()}"
    urls = {
        "database_url": f"postgresql+psycopg://{gone}/vda5050",
        "redis_url": f"redis://{gone}/0",
        "limits_redis_url": f"redis://{gone}/1",
        "event_bus_url": f"amqp://{gone}/",
    }
    with gateway(broker, until="/health", log_level="debug", **urls) as service:
        wait_until(lambda: "the event bus is away" in service.output(), what="the bus is away", deadline_s=30)
        wait_until(
            lambda: "the database cannot be used" in service.output(), what="the database is away", deadline_s=30
        )
        ready = service.get("/ready").body.decode()
        for path in ("/robots", "/history?limit=1", "/conformance"):
            service.get(path, KEYS)

        assert "event_bus" in ready
        assert "geheim" not in ready
        assert "geheim" not in service.output()
        assert log_lines(service)


def test_console(broker: Service) -> None:
    """People get lines instead, without colours where it is no terminal."""
    with gateway(broker, log_format="console") as service:
        lines = service.output().splitlines()

    assert any("connected to the broker" in line and f"127.0.0.1:{broker.port}" in line for line in lines)
    assert any("Booting worker" in line for line in lines)
    assert not any(line.startswith("{") or "\x1b" in line for line in lines)
