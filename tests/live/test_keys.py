"""Keys on a real gateway: made and revoked by the command line while streams are open."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from wsproto.events import TextMessage

from tests.key_commands import bearer, create, keys
from tests.live.event_decoder import Event
from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient, WebSocketClient
from tests.services import LOOPBACK, PROJECT, Gateway, Service, free_port, gateway, wait_until
from vda5050.api_keys import Role, store
from vda5050.api_keys.keys import make_key
from vda5050.database import Database

ENDS_WITHIN_S = 5.0
SEEN, HIDDEN = "KUKA/KR_1", "ABB/SECRET_1"
Client = SseClient | WebSocketClient


@dataclass(frozen=True, slots=True)
class Hall:
    """A gateway whose key `admin` exists."""

    gateway: Gateway
    url: str
    admin: str


@pytest.fixture(scope="module")
def hall(broker: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """Run a gateway with a key; it logs all it can."""
    url = f"sqlite:///{tmp_path_factory.mktemp('hall')}/gateway.db"
    admin = create(url, "admin", "--role", "admin")
    # No limits: the tests ask for a key until it is known.
    free = {"log_level": "debug", "max_failed_logins": "0", "max_requests_per_minute": "0"}
    with gateway(broker, database_url=url, **free) as running:
        yield Hall(running, url, admin)


def open_client(port: int, kind: str, key: str, query: str = "") -> Client:
    """Open a stream of a kind with a key."""
    if kind == "websocket":
        return WebSocketClient(port, f"/ws{query}", headers=bearer(key))
    return SseClient(port, f"/stream{query}", is_gzip=kind == "gzip", headers=bearer(key))


every_wire = pytest.mark.parametrize("kind", ["sse", "gzip", "websocket"])


def state(number: int) -> str:
    """Write a state; numbers that step back are a finding."""
    return json.dumps({"headerId": number, "version": "2.1.0", "serialNumber": "x", "errors": []})


def answers(hall: Hall, key: str) -> int:
    """Give the status that a key gets."""
    return hall.gateway.get("/robots", bearer(key)).status


@every_wire
def test_a_stream_ends_within_five_seconds_of_the_revocation(hall: Hall, kind: str) -> None:
    """A key that the command line revokes ends its stream on the running gateway; a WebSocket is told why."""
    name = f"revoked {kind}"
    key = create(hall.url, name)
    wait_until(lambda: answers(hall, key) == 200, what="the key is known")
    with open_client(hall.gateway.port, kind, key) as client, open_client(hall.gateway.port, kind, hall.admin) as other:
        client.next("snapshot")
        other.next("snapshot")

        keys(hall.url, "revoke", name)
        revoked_at = time.monotonic()
        client.read_to_end(deadline_s=30)
        took = time.monotonic() - revoked_at

        assert took < ENDS_WITHIN_S
        assert not isinstance(client, WebSocketClient) or client.close_code == 1008
        assert answers(hall, key) == 401
        other.receive()
        assert not other.is_ended


@every_wire
def test_a_stream_ends_when_its_key_expires(hall: Hall, kind: str) -> None:
    """The end comes with the expiry, though nobody does anything."""
    expires_at = int(time.time()) + 6
    key, shown = make_key(name=f"e {kind}", role=Role.READ, robots="", now=time.time(), expires_at=expires_at)
    lane = Database(hall.url).lane(threads=1)
    lane.write(lambda connection: store.add(connection, key))
    lane.close()
    wait_until(lambda: answers(hall, shown) == 200, what="the key is known", deadline_s=5)
    with open_client(hall.gateway.port, kind, shown) as client:
        client.next("snapshot")
        client.read_to_end(deadline_s=30)

    assert 0 <= time.time() - expires_at < ENDS_WITHIN_S


def test_a_reader_that_is_stuck_is_cut(hall: Hall) -> None:
    """A client that takes nothing cannot keep a revoked key's connection open."""
    key = create(hall.url, "stuck")
    wait_until(lambda: answers(hall, key) == 200, what="the key is known")
    before = hall.gateway.metric("vda5050_streams", wire="sse")
    with (
        SseClient(hall.gateway.port, headers=bearer(key), receive_buffer_bytes=4_096),
        Publisher(_broker_port(hall)) as robot,
    ):
        wait_until(lambda: _streams(hall) == before + 1, what="the stream is open")
        filler = json.dumps({"headerId": 1, "filler": "x" * 200_000})
        for _ in range(40):
            robot.publish("uagv/v2/ACME/filler/state", filler, qos=1)

        keys(hall.url, "revoke", "stuck")

        wait_until(lambda: _streams(hall) == before, what="the stream is gone", deadline_s=ENDS_WITHIN_S + 3)


def _streams(hall: Hall) -> float:
    page = hall.gateway.get("/metrics", bearer(hall.admin)).body.decode()
    return float(page.split('vda5050_streams{wire="sse"} ')[1].split("\n")[0])


def _broker_port(hall: Hall) -> int:
    detail = hall.gateway.get("/ready", bearer(hall.admin)).json()["dependencies"]["broker"]["detail"]
    return int(detail.rpartition(":")[2])


@every_wire
def test_a_filtered_key_never_sees_another_robot(hall: Hall, robot: Publisher, kind: str) -> None:
    """Not in the snapshot, updates, findings or views, not after another filter, and not in what it missed."""
    key = create(hall.url, f"filtered {kind}", "--robots", "KUKA/*")
    wait_until(lambda: answers(hall, key) == 200, what="the key is known")
    send_both(robot, 1)
    received: list[Event] = []
    for query in ("", "?robots=*", "?types=state,finding", "?view=1", f"?robots={HIDDEN},{SEEN}"):
        with open_client(hall.gateway.port, kind, key, query) as client:
            received.append(client.next("snapshot"))
            for number in (7, 3, 9):
                send_both(robot, number)
            received.append(client.next_that(lambda event: SEEN in str(event.data), what="an event"))
            if isinstance(client, WebSocketClient):
                client.send(TextMessage(json.dumps({"robots": "ABB/*,KUKA/*", "types": "state,finding"})))
                received.append(client.next("snapshot"))
            received += client.receive()

    with open_client(hall.gateway.port, "sse", hall.admin) as other:
        snapshot_id = other.next("snapshot").id
        send_both(robot, 20)
        other.next_that(lambda event: HIDDEN in str(event.data), what="the hidden robot's event")
    with SseClient(hall.gateway.port, headers=bearer(key), last_event_id=snapshot_id) as back:
        received.append(back.next_that(lambda event: SEEN in str(event.data), what="what was missed"))
        received += back.receive()
    paths = (
        "/robots",
        "/conformance",
        f"/robots/{HIDDEN}",
        "/history?from=-1h",
        "/history/export?from=-1h",
        "/metrics",
    )
    pages = [hall.gateway.get(path, bearer(key)).body.decode() for path in paths]

    assert len(received) > 10
    assert not [event for event in received if "SECRET" in str(event.data)]
    assert not [page for page in pages if "SECRET" in page]
    assert SEEN in pages[0]


def send_both(robot: Publisher, number: int) -> None:
    """Let both robots send a state, the hidden one first."""
    for name in (HIDDEN, SEEN):
        robot.publish(f"uagv/v2/{name}/state", state(number))


def test_the_first_key_shuts_an_open_gateway(broker: Service, tmp_path: Path) -> None:
    """While it runs without keys everybody here is let in; the first key ends them, and who has it gets in."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    with gateway(broker, database_url=url) as running, SseClient(running.port) as stream:
        stream.next("snapshot")
        before = running.get("/robots").status

        key = create(url, "first")
        stream.read_to_end(deadline_s=ENDS_WITHIN_S + 2)

        assert (before, running.get("/robots").status) == (200, 401)
        assert running.get("/robots", bearer(key)).status == 200
        keys(url, "revoke", "first")
        wait_until(lambda: running.get("/robots", bearer(key)).status == 401, what="the key is revoked")
        assert running.get("/robots").status == 401


def start(url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start gunicorn as it is deployed; it must end by itself."""
    environ = {
        "PATH": "/usr/bin:/bin",
        "VDA5050_DATABASE_URL": url,
        "VDA5050_MQTT_URL": "mqtt://127.0.0.1:1",
        **settings,
    }
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", *arguments, "wsgi:app"]
    return subprocess.run(argv, cwd=PROJECT, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ((), {"VDA5050_BIND": "0.0.0.0:{port}"}),
        (("-b", "0.0.0.0:{port}"), {}),
        (("-b", "[::]:{port}"), {}),
        (("-b", "unix:{folder}/gateway.sock"), {}),
    ],
)
def test_no_start_where_others_could_come(tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str]) -> None:
    """Without a key the master itself ends at once, however it was told where to listen, with the way out."""
    facts = {"port": free_port(), "folder": tmp_path}
    filled = {name: value.format(**facts) for name, value in settings.items()}
    ended = start(f"sqlite:///{tmp_path}/g.db", *(part.format(**facts) for part in arguments), **filled)

    assert ended.returncode not in (0, None)
    assert "there is no API key yet" in ended.stderr
    assert "flask --app app keys create" in ended.stderr
    assert "Listening at" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_no_start_without_a_database(tmp_path: Path) -> None:
    """Where there can be no keys, that is said instead."""
    ended = start("none", VDA5050_BIND=f"0.0.0.0:{free_port()}")

    assert ended.returncode not in (0, None)
    assert "VDA5050_DATABASE_URL" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_with_a_key_it_listens_everywhere(broker: Service, tmp_path: Path) -> None:
    """With a key the gateway starts on all interfaces and asks for it, on the loopback too."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    key = create(url, "first")
    port = free_port()
    environ = {
        "VDA5050_DATABASE_URL": url,
        "VDA5050_MQTT_URL": f"mqtt://{LOOPBACK}:{broker.port}",
        "VDA5050_BIND": f"0.0.0.0:{port}",
    }
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    service = Gateway(port=port, log=tmp_path / "output.log", settings={})
    service._argv, service._env = argv, service._env | environ  # noqa: SLF001 - as Gateway, on another address
    try:
        service.start()
        wait_until(lambda: service.has("/ready"), what="the gateway is ready", deadline_s=30)
        statuses = [service.get("/robots").status, service.get("/robots", bearer(key)).status]
    finally:
        service.stop()

    assert statuses == [401, 200]


def test_secrets_are_not_in_the_log(hall: Hall) -> None:
    """After all of this, at the most talkative level, no key and no cookie is in the log; wrong ones neither."""
    hall.gateway.get("/robots", {"X-API-Key": "vda5050_aaaaaaaaaa_" + "G" * 43})
    hall.gateway.get("/robots", {"Authorization": "Basic Z2VoZWltOmdlaGVpbQ=="})
    hall.gateway.get("/robots", {"Cookie": "vda5050_session=geheim.geheim.geheim"})
    log = hall.gateway.output()

    assert "request" in log
    assert [
        text for text in (hall.admin, hall.admin.split("_", 2)[2], "G" * 43, "Z2VoZWlt", "geheim") if text in log
    ] == []
