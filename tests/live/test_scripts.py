"""The three scripts as people run them: subprocesses in a strange folder, against a real mosquitto on the loopback."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.services import LOOPBACK, Service, free_port, mosquitto, require, wait_until

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
STREAMER, DEMO, VIEWER = "robot_streamer.py", "multi_robot_demo.py", "process_vda5050_messages.py"


class Script:
    """A running script; its output goes to files."""

    def __init__(self, name: str, arguments: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        clean = {key: value for key, value in os.environ.items() if not key.startswith("VDA5050_")}
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, str(SCRIPTS / name), *arguments],
                cwd=folder,
                env={**clean, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(10)

    @property
    def said(self) -> str:
        """What it has printed so far on both outputs."""
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")


Run = Callable[..., Script]


class Listener:
    """A client of the broker that keeps what arrives, per topic; a new one sees what is retained."""

    def __init__(self, port: int) -> None:
        self.messages: list[paho.MQTTMessage] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_message = lambda _client, _data, message: self.messages.append(message)
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.connect(LOOPBACK, port)
        self._client.loop_start()

    def payloads(self, ending: str) -> list[dict[str, Any]]:
        """Return what arrived on topics with that ending, oldest first."""
        return [json.loads(message.payload) for message in list(self.messages) if message.topic.endswith(ending)]

    def connection_states(self, name: str) -> list[str]:
        """Return what arrived on a robot's connection topic."""
        return [payload["connectionState"] for payload in self.payloads(f"/{name}/connection")]

    def publish(self, topic: str, payload: bytes | dict[str, Any]) -> None:
        """Send a message."""
        self._client.publish(topic, payload if isinstance(payload, bytes) else json.dumps(payload)).wait_for_publish(5)

    def close(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def listening(port: int) -> Iterator[Listener]:
    """Give a listener for the time of a `with` block."""
    listener = Listener(port)
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture
def scripts_broker() -> Iterator[Service]:
    """Run a mosquitto of the test's own."""
    with mosquitto() as broker:
        yield broker


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Start scripts in a folder that is not theirs; whatever still runs at the end is killed."""
    started: list[Script] = []

    def start(name: str, *arguments: str, environment: dict[str, str] | None = None) -> Script:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Script(name, arguments, folder, environment or {}))
        return started[-1]

    yield start
    for script in started:
        script.process.kill()
        script.process.wait()


def at(port: int) -> tuple[str, ...]:
    """Return the arguments that lead to a broker on the loopback."""
    return ("--host", LOOPBACK, "--port", str(port))


def retained_state(port: int, name: str) -> str | None:
    """Return the connection state that the broker keeps for a robot."""
    with listening(port) as listener:
        wait_until(lambda: listener.connection_states(name), what=f"a retained message of {name}")
        message = next(message for message in listener.messages if message.topic.endswith(f"{name}/connection"))
        return json.loads(message.payload)["connectionState"] if message.retain else None


@pytest.mark.parametrize("name", [STREAMER, DEMO, VIEWER])
def test_help_is_complete(run: Run, name: str) -> None:
    """--help shows every option with what it means, defaults and an example, and ends with 0."""
    script = run(name, "--help")

    assert script.process.wait(10) == 0
    assert "example" in script.said
    assert script.said.count("(default") >= 10
    assert not re.search(r"^  --\S+( [A-Z]+)?\n  --", script.said, re.MULTILINE)


def test_demo_shows_three_robots_of_three_makes(run: Run, scripts_broker: Service) -> None:
    """Without options but the broker: three robots of three versions report, and Ctrl-C takes them OFFLINE cleanly."""
    with listening(scripts_broker.port) as listener:
        demo = run(DEMO, *at(scripts_broker.port))
        wait_until(
            lambda: {"2.0.0", "2.1.0", "3.0.0"} == {state["version"] for state in listener.payloads("/state")},
            what="states of three versions",
        )
        wait_until(lambda: len(listener.payloads("/visualization")) >= 3, what="visualizations")
        code = demo.end(signal.SIGINT)
        names = {f"{state['manufacturer']}/{state['serialNumber']}" for state in listener.payloads("/state")}
        wait_until(
            lambda: all(listener.connection_states(name) == ["ONLINE", "OFFLINE"] for name in names),
            what="ONLINE and OFFLINE of each",
        )

    assert code == 0
    assert len({name.split("/")[0] for name in names}) == 3
    assert all(f"{name} online" in demo.said for name in names)
    assert "Traceback" not in demo.said
    assert {retained_state(scripts_broker.port, name) for name in names} == {"OFFLINE"}


@pytest.mark.parametrize(
    ("version", "root", "word"),
    [
        ("1.1.0", "uagv/v1", "CONNECTIONBROKEN"),
        ("2.1.0", "uagv/v2", "CONNECTIONBROKEN"),
        ("3.0.0", "vda5050/v3", "CONNECTION_BROKEN"),
    ],
)
def test_killed_robot_leaves_its_will(run: Run, scripts_broker: Service, version: str, root: str, word: str) -> None:
    """A streamer that is killed is reported by the broker, retained, with the header id after ONLINE."""
    with listening(scripts_broker.port) as listener:
        streamer = run(STREAMER, *at(scripts_broker.port), "--vda-version", version)
        wait_until(lambda: listener.payloads(f"{root}/KUKA/KR_1001/state"), what="a state")
        streamer.process.kill()
        wait_until(lambda: word in listener.connection_states("KUKA/KR_1001"), what="the last will")

        assert [payload["headerId"] for payload in listener.payloads("/connection")] == [0, 1]
    assert retained_state(scripts_broker.port, "KUKA/KR_1001") == word


def test_robot_returns_when_the_broker_does(run: Run, scripts_broker: Service) -> None:
    """When the broker is killed and comes back empty, the streamer is ONLINE again, and SIGTERM still ends it."""
    streamer = run(STREAMER, *at(scripts_broker.port), "--layout", "flat", "--frequency", "0.2")
    wait_until(lambda: "online" in streamer.said, what="the start")
    scripts_broker.kill()
    wait_until(lambda: "lost the broker" in streamer.said, what="the loss is told")
    scripts_broker.start()
    with listening(scripts_broker.port) as listener:
        wait_until(lambda: "ONLINE" in listener.connection_states("KUKA/KR_1001"), what="ONLINE again")
        wait_until(lambda: len(listener.payloads("/vda5050/KUKA/KR_1001/visualization")) >= 2, what="it goes on")

    assert retained_state(scripts_broker.port, "KUKA/KR_1001") == "ONLINE"
    assert streamer.end(signal.SIGTERM) == 0
    assert retained_state(scripts_broker.port, "KUKA/KR_1001") == "OFFLINE"
    assert "Traceback" not in streamer.said


def test_ctrl_c_works_while_the_broker_is_away(run: Run, scripts_broker: Service) -> None:
    """Without a broker the robot still ends at once and with 0."""
    streamer = run(STREAMER, *at(scripts_broker.port))
    wait_until(lambda: "online" in streamer.said, what="the start")
    scripts_broker.kill()
    wait_until(lambda: "lost the broker" in streamer.said, what="the loss is told")

    assert streamer.end(signal.SIGINT) == 0


@pytest.mark.parametrize("name", [STREAMER, DEMO, VIEWER])
def test_no_broker_is_told_plainly(run: Run, name: str) -> None:
    """Where nobody listens the script ends with 1, names host and port, and says what to do."""
    port = free_port()
    script = run(name, *at(port))

    assert script.process.wait(10) == 1
    assert f"{LOOPBACK}:{port}" in script.said
    assert "mosquitto" in script.said
    assert "Traceback" not in script.said


def test_password(run: Run, tmp_path: Path) -> None:
    """Wrong credentials end the script with 1; the right ones from a file or the environment let it in."""
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    subprocess.run([require("mosquitto_passwd"), "-b", "-c", passwords, "fleet", "s3cret"], check=True)
    passwords.chmod(0o600)
    secret.write_text("s3cret\n")
    with mosquitto(config_lines=["allow_anonymous false", f"password_file {passwords}"]) as broker:
        stranger = run(STREAMER, *at(broker.port), "--user", "fleet", "--password", "wrong")
        assert stranger.process.wait(10) == 1
        assert "refuses" in stranger.said
        assert "Traceback" not in stranger.said
        user = (*at(broker.port), "--user", "fleet", "--duration", "0")
        assert run(STREAMER, *user, "--password-file", str(secret)).process.wait(10) == 0
        assert run(STREAMER, *user, environment={"VDA5050_MQTT_PASSWORD": "s3cret"}).process.wait(10) == 0


def test_tls(run: Run, tmp_path: Path) -> None:
    """With the CA's certificate the script gets in; without TLS, or without trust, it says so and ends with 1."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    with mosquitto(config_lines=[f"certfile {certificate}", f"keyfile {key}"]) as broker:
        plain = run(STREAMER, *at(broker.port))
        untrusting = run(STREAMER, *at(broker.port), "--tls")
        trusting = run(STREAMER, *at(broker.port), "--ca-file", str(certificate), "--duration", "0.5")

        assert plain.process.wait(15) == 1
        assert "--tls" in plain.said
        assert untrusting.process.wait(15) == 1
        assert "certificate" in untrusting.said
        assert trusting.process.wait(15) == 0
        assert "online" in trusting.said
        assert "Traceback" not in plain.said + untrusting.said


def test_instant_actions_are_obeyed(run: Run, scripts_broker: Service) -> None:
    """An instant action sent over MQTT is answered in the state; the robot's own factsheet comes on request."""
    topic = "uagv/v2/KUKA/KR_1001/instantActions"
    with listening(scripts_broker.port) as listener:
        run(STREAMER, *at(scripts_broker.port), "--frequency", "20")
        wait_until(lambda: listener.payloads("/factsheet"), what="the first factsheet")
        actions = [
            {"actionType": name, "actionId": name, "blockingType": "NONE"}
            for name in ("factsheetRequest", "startPause")
        ]
        listener.publish(topic, {"actions": actions})
        wait_until(lambda: len(listener.payloads("/factsheet")) == 2, what="the second factsheet")
        wait_until(lambda: listener.payloads("/state")[-1]["paused"], what="the pause")

        statuses = {
            action["actionType"]: action["actionStatus"] for action in listener.payloads("/state")[-1]["actionStates"]
        }
    assert statuses.items() >= {("factsheetRequest", "FINISHED"), ("startPause", "FINISHED")}


def test_same_seed_same_robot(run: Run, scripts_broker: Service) -> None:
    """Two runs with one seed send the same but for the time, another seed does not."""

    def first_states(seed: str) -> list[dict[str, Any]]:
        with listening(scripts_broker.port) as listener:
            streamer = run(STREAMER, *at(scripts_broker.port), "--frequency", "0.1", "--seed", seed)
            wait_until(lambda: len(listener.payloads("/state")) >= 12, what="12 states")
            assert streamer.end() == 0
            return [{**state, "timestamp": ""} for state in listener.payloads("/state")[:12]]

    states = first_states("7")
    assert first_states("7") == states
    assert first_states("8") != states


def test_large_fleet_shares_threads(run: Run, scripts_broker: Service) -> None:
    """120 robots run on two connections and at most three threads, and all of them go OFFLINE at the end."""
    with listening(scripts_broker.port) as listener:
        fleet = run(DEMO, *at(scripts_broker.port), "--robots", "120")
        wait_until(lambda: len(listener.payloads("/visualization")) >= 120, what="all robots report")
        threads = len(list(Path(f"/proc/{fleet.process.pid}/task").iterdir()))
        code = fleet.end()
        wait_until(
            lambda: sum(payload["connectionState"] == "OFFLINE" for payload in listener.payloads("/connection")) == 120,
            what="120 times OFFLINE",
        )

    assert code == 0
    assert threads <= 3
    assert "120 robots, 2 connections" in fleet.said


def test_viewer_shows_lines_and_counts(run: Run, scripts_broker: Service) -> None:
    """A line a message without colours in a file, filtered by robot and topic, and counts when it is ended."""
    viewer = run(VIEWER, *at(scripts_broker.port), "--robot", "KUKA/*", "--topic", "state", "--topic", "connection")
    wait_until(lambda: "connected" in viewer.said, what="the viewer listens")
    run(DEMO, *at(scripts_broker.port))
    wait_until(lambda: viewer.out.read_text().count("state") >= 2, what="states are shown")

    assert viewer.end() == 0
    lines = viewer.out.read_text().splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3}  KUKA/KR_1001 +(state|connection) ", line) for line in lines)
    assert re.search(rf"^{len(lines)} messages from 1 robot in [0-9.]+ s: ", viewer.err.read_text(), re.MULTILINE)


def test_viewer_survives_what_robots_send(run: Run, scripts_broker: Service) -> None:
    """Bytes that are not JSON, strange topics and escape sequences are shown as text, and nothing stops the viewer."""
    viewer = run(VIEWER, *at(scripts_broker.port), "--subscribe", "#", "--full")
    wait_until(lambda: "connected" in viewer.said, what="the viewer listens")
    hostile: list[tuple[str, bytes]] = [
        ("uagv/v2/a/b/state", b"\xff\x00\x1b[2J"),
        ("uagv/v2/a/b/state", b'{"orderId":"\\u001b]0;owned\\u0007\\r\\n"}'),
        ("odd \u202e", b"[" * 50_000),
        ("/", b""),
        ("uagv/v2/a/b/state", b'{"batteryState":5,"errors":{},"nodeStates":null}'),
        ("uagv/v2/a/b/order", b"x" * 2_000_000),
    ]
    with listening(scripts_broker.port) as listener:
        for topic, payload in hostile:
            listener.publish(topic, payload)
        listener.publish("uagv/v2/a/b/last", {"end": 1})
        wait_until(lambda: '"end": 1' in viewer.out.read_text(), what="the last message")

    assert viewer.end() == 0
    assert "7 messages" in viewer.err.read_text()
    assert all(line.isprintable() for line in viewer.out.read_text().splitlines())
    assert "Traceback" not in viewer.said


def test_viewer_writes_json_for_pipes(run: Run, scripts_broker: Service) -> None:
    """--json gives an object a line and nothing else on standard output; --count ends it."""
    viewer = run(VIEWER, *at(scripts_broker.port), "--json", "--count", "5")
    wait_until(lambda: "connected" in viewer.said, what="the viewer listens")
    run(STREAMER, *at(scripts_broker.port), "--frequency", "0.2")

    assert viewer.process.wait(10) == 0
    objects = [json.loads(line) for line in viewer.out.read_text().splitlines()]
    assert [told["type"] for told in objects[:3]] == ["connection", "factsheet", "state"]
    assert len(objects) == 5
    assert all(told["payload"]["serialNumber"] == "KR_1001" for told in objects)
    assert set(objects[0]) == {"topic", "robot", "type", "received", "retained", "payload"}


@pytest.mark.parametrize("name", [VIEWER, DEMO])
def test_closed_pipe_is_no_error(scripts_broker: Service, run: Run, name: str) -> None:
    """`| head -1` ends the viewer quietly and lets the robots go on; neither prints a traceback."""
    run(STREAMER, *at(scripts_broker.port), "--frequency", "0.1", "--serial", "other")
    with subprocess.Popen(
        [sys.executable, str(SCRIPTS / name), *at(scripts_broker.port), *(["--duration", "1"] if name == DEMO else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as script:
        assert script.stdout is not None
        assert script.stderr is not None
        script.stdout.readline()
        script.stdout.close()
        errors = script.stderr.read().decode()
        code = script.wait(10)

    assert code == 0
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors


@pytest.mark.parametrize(("environment", "has_colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_viewer_uses_colours_on_a_terminal(
    scripts_broker: Service, run: Run, environment: dict[str, str], *, has_colours: bool
) -> None:
    """On a terminal lines are coloured, unless NO_COLOR is set."""
    run(STREAMER, *at(scripts_broker.port), "--frequency", "0.2")
    terminal, end = pty.openpty()
    command = [sys.executable, str(SCRIPTS / VIEWER), *at(scripts_broker.port), "--count", "3"]
    plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environment = {**plain, "TERM": "xterm", **environment}
    try:
        with subprocess.Popen(command, stdout=end, stderr=subprocess.DEVNULL, env=environment) as viewer:
            assert viewer.wait(10) == 0
        assert select.select([terminal], [], [], 5.0)[0]
        text = os.read(terminal, 65536).decode()
    finally:
        os.close(terminal)
        os.close(end)

    assert ("\x1b[" in text) == has_colours
