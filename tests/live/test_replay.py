"""A stretch of history once more: as an event stream, back into a broker, into another database; byte for byte."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.live.stream_client import SseClient
from tests.services import LOOPBACK, PROJECT, Gateway, Service, gateway, wait_until
from vda5050.api.replay import MAX_REPLAYS_OF_CLIENT

SPEED = 600
ROBOTS = 5
HOUR = [
    (f"uagv/v2/ACME/R{number % ROBOTS}/{'order' if number % 60 == 0 else 'state'}", second)
    for second in range(3_600)
    for number in [second]
]
"""An hour at 1 Hz: topic and second of each message."""


def payload_of(second: int) -> bytes:
    """Write a message whose bytes would not survive being parsed and written again."""
    return b'{"headerId" : %d,"timestamp":"2026-11-23T%02d:%02d:%02d.00Z", "x":1.50}' % (
        second, 8 + second // 3600, second // 60 % 60, second % 60,
    )  # fmt: skip


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an hour as `mosquitto_sub -v` prints it, with lines that are none."""
    path = tmp_path_factory.mktemp("recording") / "hour.log"
    lines = [topic.encode() + b" " + payload_of(second) for topic, second in HOUR]
    path.write_bytes(b"\n".join([b"not a message", *lines, b"uagv/v2/ACME/R1/state broken", b""]))
    return path


def run(script: str, *arguments: object, stdin: bytes = b"") -> str:
    """Run a script to its end and give what it said."""
    argv = [sys.executable, str(PROJECT / "scripts" / script), *map(str, arguments)]
    done = subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def kept(broker: Service, recording: Path) -> Iterator[Gateway]:
    """Run a gateway whose history was imported from the recording."""
    url = f"sqlite:///{recording.parent}/imported.db"
    said = run("import_history.py", recording, "--database", url)
    assert "3600 messages imported, 0 were there" in said
    assert "1 left out: no message" in said
    assert "1 left out: json" in said
    with gateway(broker, database_url=url) as running:
        yield running


def test_importing_again_adds_nothing(kept: Gateway, recording: Path) -> None:
    """The same recording is recognised, also while a gateway runs on the database."""
    said = run("import_history.py", recording, "--database", f"sqlite:///{recording.parent}/imported.db")

    assert "0 messages imported, 3600 were there" in said
    history = "the gateway's history goes on"
    wait_until(lambda: kept.get("/ready").json()["dependencies"]["history"]["ready"], what=history, deadline_s=15)


def test_a_recording_that_has_grown(tmp_path: Path) -> None:
    """Of a recording that was imported before, only what has come since is new."""
    lines = [f"{topic} {payload_of(second).decode()}\n" for topic, second in HOUR[:20]]
    recording, url = tmp_path / "robots.log", f"sqlite:///{tmp_path}/gateway.db"
    recording.write_text("".join(lines[:10]))
    assert "10 messages imported, 0 were there" in run("import_history.py", recording, "--database", url)

    recording.write_text("".join(lines))

    assert "10 messages imported, 10 were there" in run("import_history.py", recording, "--database", url)


def test_a_recording_from_the_future(tmp_path: Path) -> None:
    """What a robot says whose clock is years ahead is left out, and told: the history would end there for ever."""
    recording = tmp_path / "robots.log"
    late = '{"headerId":1,"timestamp":"2099-01-01T00:00:00Z"}'
    recording.write_text(f"uagv/v2/ACME/R1/state {payload_of(0).decode()}\nuagv/v2/ACME/R2/state {late}\n")

    said = run("import_history.py", recording, "--database", f"sqlite:///{tmp_path}/gateway.db")

    assert "1 messages imported, 0 were there, 1 left out: a time that is still to come" in said


def test_an_hour_as_a_stream(kept: Gateway) -> None:
    """An hour replayed is the same messages in the same order at its pace, each payload byte for byte."""
    path = f"/replay?from=2026-11-23T08:00:00Z&to=2026-11-23T09:00:00Z&speed={SPEED}"
    began = time.monotonic()
    with SseClient(kept.port, path) as stream:
        stream.next("snapshot")
        events = [stream.next("update") for _ in HOUR]
        end = stream.next("end")
    passed = time.monotonic() - began

    assert end.data["data"]["messages"] == 3_600
    assert [(event.data["data"]["topic"], event.data["data"]["type"]) for event in events] == [
        (f"ACME/{topic.split('/')[3]}", topic.rpartition("/")[2]) for topic, _ in HOUR
    ]
    assert [event.data["data"]["payload"]["headerId"] for event in events] == list(range(3_600))
    text = kept.get(path.replace(f"speed={SPEED}", "speed=10000"), timeout_s=60).body
    wanted = [b'"payload":' + payload_of(second) + b"}}\n" for _, second in HOUR]
    assert [line.partition(b'"payload":')[2] + b"\n" for line in text.splitlines() if b'"type":"update"' in line] == [
        line.removeprefix(b'"payload":') for line in wanted
    ]
    assert 3_600 / SPEED - 0.5 < passed < 3_600 / SPEED + 20


def test_replays_that_are_left_make_room(kept: Gateway) -> None:
    """Who drags a slider leaves many replays: each is over once its client has gone, long before the next heartbeat."""
    silence = "/replay?from=2026-11-20T08:00:00Z&to=2026-11-22T08:00:00Z&speed=1"
    for _ in range(MAX_REPLAYS_OF_CLIENT):
        with SseClient(kept.port, silence) as stream:
            stream.next("snapshot")

    short = "/replay?from=2026-11-20T08:00:00Z&to=2026-11-20T08:00:01Z&speed=100&view=1"
    wait_until(lambda: kept.get(short).status == 200, what="there is room for a replay", deadline_s=7)


@pytest.mark.parametrize("source", ["gateway", "export", "recording"])
def test_back_into_a_broker(kept: Gateway, broker: Service, recording: Path, source: str) -> None:
    """A gateway's history, its export and a recording are published again, byte for byte, in order."""
    name: object = recording
    where = f"http://{LOOPBACK}:{kept.port}"
    times = ["--from", "2026-11-23T08:00:00Z", "--to", "2026-11-23T09:00:00Z"]
    data = b""
    if source == "export":
        name, data = "-", kept.get("/history/export?from=2026-11-23T08:00:00Z", timeout_s=60).body
    elif source == "gateway":
        name = where
    arrived: list[tuple[str, bytes]] = []
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: arrived.append((message.topic, bytes(message.payload)))
    client.connect(LOOPBACK, broker.port)
    subscribed = []
    client.on_subscribe = lambda *_: subscribed.append(True)
    client.subscribe(f"{source}/#")
    client.loop_start()
    try:
        wait_until(lambda: subscribed, what="subscribed")
        options = ["--port", broker.port, "--speed", 5_000, "--prefix", f"{source}/", *times]
        said = run("replay.py", name, *options, stdin=data)
        wait_until(lambda: len(arrived) == 3_600, what="all have arrived")
    finally:
        client.loop_stop()
        client.disconnect()

    assert "3600 messages published" in said
    assert arrived == [(f"{source}/{topic}", payload_of(second)) for topic, second in HOUR]


@contextmanager
def export(*pieces: bytes, is_whole: bool) -> Iterator[tuple[str, Event]]:
    """Answer one request with an export, or with the beginning of one; gives the address, and whether all was read."""
    all_read = Event()

    def answer() -> None:
        with suppress(OSError), listener.accept()[0] as client:
            client.settimeout(20)
            client.recv(65_536)
            client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in pieces:
                client.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            client.sendall(b"0\r\n\r\n" if is_whole else b"")
            client.shutdown(socket.SHUT_WR)
            if not client.recv(1):
                all_read.set()

    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.settimeout(20)
        thread = Thread(target=answer)
        thread.start()
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}", all_read
        thread.join()


def exported(second: int) -> bytes:
    """Write a line of an export."""
    received = f"2026-11-23T{8 + second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000000Z"
    head = {"received_at": received, "mqtt_topic": "uagv/v2/ACME/R1/state"}
    return json.dumps(head).encode()[:-1] + b',"payload":' + payload_of(second) + b"}\n"


def test_an_export_is_read_at_once(broker: Service) -> None:
    """However long a silence is, the gateway is not kept waiting: it would end the connection after 45 s."""
    later = exported(3_600) * 10_000
    with export(exported(0), *[later] * 8, is_whole=True) as (url, all_read):
        argv = [sys.executable, str(PROJECT / "scripts/replay.py"), url, "--port", str(broker.port)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as playing:
            assert all_read.wait(20)
            playing.send_signal(signal.SIGINT)
            said, _ = playing.communicate(timeout=10)

    assert (playing.returncode, b"published" in said) == (0, True)


def test_an_export_that_is_cut(broker: Service) -> None:
    """An export that the gateway cuts, because its database went away, is not taken for the end of the recording."""
    with export(exported(0), is_whole=False) as (url, _):
        argv = [sys.executable, str(PROJECT / "scripts/replay.py"), url, "--port", str(broker.port)]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=20, text=True)

    assert (done.returncode, "cut short" in done.stderr, "published" in done.stdout) == (1, True, False)


def test_the_fleet_in_the_middle(kept: Gateway) -> None:
    """`at` shows what each robot had said last by then."""
    robots = kept.get("/robots?at=2026-11-23T08:30:00Z").json()

    last = {f"ACME/R{number % ROBOTS}": number for number in range(1_796, 1_801) if number % 60}
    shown = {robot: json.loads(json.dumps(entry["messages"]["state"]))["headerId"] for robot, entry in robots.items()}
    assert {robot: shown[robot] for robot in last} == last
