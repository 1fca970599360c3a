"""`make run`, for real: `scripts/run_demo.py` with its embedded broker, gateway and robots, on ports of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.services import LOOPBACK, free_port, is_accepting, mosquitto, require, wait_until

ROOT = Path(__file__).resolve().parents[2]


class Demo:
    """One run of the demo script; every process it starts, however deep, carries the run's mark in its environment."""

    def __init__(self, log: Path, **settings: str) -> None:
        self.http_port = free_port()
        self.broker_port = free_port()
        self._log = log
        self._mark = f"RUN_DEMO_MARK={uuid.uuid4().hex}"
        # Own settings would lead the demo to another broker or page than the test's.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("VDA5050_")}
        environ["VDA5050_BIND"] = f"{LOOPBACK}:{self.http_port}"
        environ["VDA5050_MQTT_URL"] = f"embedded://{LOOPBACK}:{self.broker_port}"
        environ["VDA5050_DATABASE_URL"] = f"sqlite:///{log}.db"
        environ |= settings
        name, value = self._mark.split("=")
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "scripts" / "run_demo.py"],
                env=environ | {name: value},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until_shown(self) -> None:
        """Return when the address is printed and the page's data has robots."""
        address = f"http://{LOOPBACK}:{self.http_port}/"
        wait_until(lambda: address in self.said() or self.has_ended(), what="address printed", deadline_s=40)
        wait_until(lambda: self.has_ended() or len(self.robots()) >= 3, what="three robots in /robots", deadline_s=20)
        assert not self.has_ended(), self.said()

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def exit_code(self) -> int:
        """Wait for the end and return its code."""
        wait_until(self.has_ended, what=f"the demo ends; it said: {self.said()}", deadline_s=40)
        code = self.process.poll()
        assert code is not None
        return code

    def robots(self) -> dict[str, object]:
        connection = http.client.HTTPConnection(LOOPBACK, self.http_port, timeout=5)
        try:
            connection.request("GET", "/robots")
            robots: dict[str, object] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return robots

    def processes(self) -> dict[int, str]:
        """Command lines, by process id, of all that this run started and that is still there."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # ended meanwhile
                if self._mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def pid_of(self, text: str) -> int:
        """Return the oldest of this run's processes whose command line contains `text`."""
        return min(pid for pid, command in self.processes().items() if text in command)

    def kill_all(self) -> None:
        self.process.kill()
        self.process.wait()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


StartDemo = Callable[..., Demo]


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[StartDemo]:
    """Give a function that starts the demo; whatever is left of it is killed after the test."""
    demos: list[Demo] = []

    def start(**settings: str) -> Demo:
        demos.append(Demo(tmp_path / f"demo-{len(demos)}.log", **settings))
        return demos[-1]

    yield start
    for demo in demos:
        demo.kill_all()


def assert_nothing_left(demo: Demo) -> None:
    """Assert that no process of this run is alive and that its ports are free."""
    assert demo.processes() == {}
    assert not is_accepting(demo.http_port)
    assert not is_accepting(demo.broker_port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it(start_demo: StartDemo, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end broker, gateway and robots; no process and no port is left in use."""
    demo = start_demo()
    demo.wait_until_shown()

    demo.process.send_signal(number)

    assert demo.exit_code() == 0, demo.said()
    assert_nothing_left(demo)


def test_ctrl_c_while_it_starts(start_demo: StartDemo) -> None:
    """Ctrl-C before the gateway is ready leaves no process either."""
    demo = start_demo()
    wait_until(lambda: "Starting the gateway" in demo.said(), what="the start is announced")

    demo.process.send_signal(signal.SIGINT)

    assert demo.exit_code() == 0, demo.said()
    assert_nothing_left(demo)


def test_ctrl_c_with_an_open_stream(start_demo: StartDemo) -> None:
    """A browser that keeps its stream open does not keep the demo from ending."""
    demo = start_demo()
    demo.wait_until_shown()
    with socket.create_connection((LOOPBACK, demo.http_port), timeout=5) as client:
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")

        demo.process.send_signal(signal.SIGINT)

        assert demo.exit_code() == 0, demo.said()
    assert_nothing_left(demo)


@pytest.mark.parametrize(("part", "script"), [("gateway", "gunicorn"), ("robots", "multi_robot_demo.py")])
def test_a_part_that_dies_ends_the_others(start_demo: StartDemo, part: str, script: str) -> None:
    """When the gateway or the robots die, the demo says which and how, ends the rest, and exits with 1."""
    demo = start_demo()
    demo.wait_until_shown()

    os.kill(demo.pid_of(script), signal.SIGKILL)

    assert demo.exit_code() == 1, demo.said()
    assert f"The {part} was ended by SIGKILL" in demo.said()
    assert_nothing_left(demo)


def test_http_port_in_use(start_demo: StartDemo) -> None:
    """A taken HTTP port is reported before anything starts, with the setting that chooses another."""
    with socket.create_server((LOOPBACK, free_port())) as taken:
        port = taken.getsockname()[1]
        demo = start_demo(VDA5050_BIND=f"{LOOPBACK}:{port}")

        assert demo.exit_code() == 1
    assert f"{LOOPBACK}:{port}: the port is in use" in demo.said()
    assert "VDA5050_BIND=127.0.0.1:" in demo.said()
    assert "Starting" not in demo.said()


def test_embedded_brokers_port_in_use(start_demo: StartDemo) -> None:
    """Where a broker runs already, the demo names both ways out: use that one, or another port."""
    with mosquitto() as broker:
        demo = start_demo(VDA5050_MQTT_URL=f"embedded://{LOOPBACK}:{broker.port}")

        assert demo.exit_code() == 1
    assert f"{LOOPBACK}:{broker.port}: the port is in use" in demo.said()
    assert f"VDA5050_MQTT_URL=mqtt://{LOOPBACK}:{broker.port} make run" in demo.said()
    assert f"VDA5050_MQTT_URL=embedded://{LOOPBACK}:" in demo.said()
    assert "Starting" not in demo.said()


def test_unreachable_broker(start_demo: StartDemo) -> None:
    """A broker that does not answer is named before anything starts; its password is not."""
    port = free_port()
    demo = start_demo(VDA5050_MQTT_URL=f"mqtt://fleet:secret@{LOOPBACK}:{port}")

    assert demo.exit_code() == 1
    assert f"No MQTT broker answers at {LOOPBACK}:{port}" in demo.said()
    assert "VDA5050_MQTT_URL" in demo.said()
    assert "secret" not in demo.said()
    assert "Starting" not in demo.said()


@pytest.mark.parametrize(
    "settings",
    [
        {"VDA5050_BIND": "8000"},
        {"VDA5050_BIND": "127.0.0.1:99999"},
        {"VDA5050_MQTT_URL": "localhost:1883"},
        {"VDA5050_MQTT_URL": "mqtt://localhost:http"},
    ],
    ids=str,
)
def test_setting_that_cannot_be_read(start_demo: StartDemo, settings: dict[str, str]) -> None:
    """A setting that is no address is named, with what one looks like."""
    demo = start_demo(**settings)

    assert demo.exit_code() == 1
    assert f"{next(iter(settings))}" in demo.said()
    assert "host:port" in demo.said()
    assert "Traceback" not in demo.said()


def test_broker_with_a_password(start_demo: StartDemo, tmp_path: Path) -> None:
    """With VDA5050_MQTT_URL, gateway and robots use that broker; the password is on no command line."""
    passwords = tmp_path / "passwords"
    subprocess.run([require("mosquitto_passwd"), "-b", "-c", passwords, "fleet", "s3cret:@"], check=True)
    with mosquitto(config_lines=["allow_anonymous false", f"password_file {passwords}"]) as broker:
        demo = start_demo(VDA5050_MQTT_URL=f"mqtt://fleet:s3cret%3A%40@{LOOPBACK}:{broker.port}")
        demo.wait_until_shown()
        commands = list(demo.processes().values())

        demo.process.send_signal(signal.SIGINT)

        assert demo.exit_code() == 0, demo.said()
    assert_nothing_left(demo)
    assert not [command for command in commands if "s3cret" in command]
