"""Start the real services that tests talk to, each on a loopback port of its own, and end them.

Takes executables from the machine (Debian's packages; `make test` installs them), gives running services that are
known to accept connections. Where one is missing, `require` skips the test with the reason, but fails it in CI: there
nothing is skipped. Every wait has a deadline. What a service prints goes to a file, and is printed when the service
ends, so that pytest shows it beside a failed test and hides it otherwise.
"""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import pytest

LOOPBACK = "127.0.0.1"
PROJECT = Path(__file__).resolve().parents[1]
DEBIAN_PACKAGES = {
    "chromium": "chromium",
    "curl": "curl",
    "ip": "iproute2",
    "mosquitto": "mosquitto",
    "mosquitto_passwd": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "mosquitto_sub": "mosquitto-clients",
    "nginx": "nginx",
    "node": "nodejs",
    "pg_ctlcluster": "postgresql",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "rabbitmq-server": "rabbitmq-server",
    "redis-server": "redis-server",
    "systemd-analyze": "systemd",
}
_SHOWN_LINES = 50


def require(binary: str) -> str:
    """Return the path of an executable; without it skip the test, or fail it in CI."""
    # Debian keeps servers in /usr/sbin, which is not in a plain user's PATH.
    path = shutil.which(binary, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))
    if path is None:
        package = DEBIAN_PACKAGES.get(binary, binary)
        unavailable(f"{binary} is not installed; on Debian: apt-get install {package}")
    return path


def unavailable(reason: str) -> NoReturn:
    """Skip the test because this machine lacks something; in CI, fail it."""
    if os.environ.get("CI", "").lower() not in {"", "0", "false"}:
        pytest.fail(f"CI must run every test: {reason}", pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Return a loopback port that nobody listens on.

    It lies below the ports that the kernel gives to outgoing connections: a client that reconnects to a stopped
    service could otherwise be given that very port as its own and end up connected to itself.
    """
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        port = random.randrange(10_000, max(first_ephemeral, 11_000))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port found in 100 tries")


def is_accepting(port: int, *, host: str = LOOPBACK) -> bool:
    """Tell whether a TCP connection is accepted."""
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def wait_until(is_done: Callable[[], object], *, what: str, deadline_s: float = 10.0) -> None:
    """Poll until `is_done()` is truthy. Fails the test, naming `what`, when the deadline passes."""
    end = time.monotonic() + deadline_s
    while not is_done():
        if time.monotonic() > end:
            pytest.fail(f"not within {deadline_s:g} s: {what}")
        time.sleep(0.01)


class Service:
    """One server as a subprocess; `start()` after `stop()` or `kill()` brings it back on the same port.

    `argv` must stay in the foreground and listen on `host`:`port`. Its output is appended to the file `log`.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        port: int,
        log: Path,
        host: str = LOOPBACK,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        start_deadline_s: float = 15.0,
        stop_deadline_s: float = 10.0,
    ) -> None:
        self.host = host
        self.port = port
        self.log = log
        self._argv = [str(part) for part in argv]
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self._start_deadline_s = start_deadline_s
        self._stop_deadline_s = stop_deadline_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """The executable's name, for messages."""
        return Path(self._argv[0]).name

    @property
    def pid(self) -> int:
        """The process id. Raises RuntimeError while the service is not started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Tell whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and return when it accepts connections. Fails the test if it ends or takes too long."""
        if self.is_running:
            return
        if is_accepting(self.port, host=self.host):
            pytest.fail(f"{self.name}: somebody else listens on port {self.port} already", pytrace=False)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self._env, cwd=self._cwd
            )
        end = time.monotonic() + self._start_deadline_s
        while self._process.poll() is None and time.monotonic() < end:
            if is_accepting(self.port, host=self.host):
                return
            time.sleep(0.01)
        self._fail_to_start()

    def stop(self) -> None:
        """End it with SIGTERM, with SIGKILL when it does not obey in time. May be called twice."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash does."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stop it from running while its sockets stay open, as a peer that hangs (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run again after `pause()`."""
        os.kill(self.pid, signal.SIGCONT)

    def output(self) -> str:
        """Return what it has printed so far, over all its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def last_lines(self) -> str:
        """Return the end of its output, for messages."""
        return "\n".join(self.output().splitlines()[-_SHOWN_LINES:])

    def _end(self, signal_number: int) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal_number)
            self._process.send_signal(signal.SIGCONT)  # a paused process takes SIGTERM only when it runs again
        try:
            self._process.wait(self._stop_deadline_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _fail_to_start(self) -> NoReturn:
        code = self._process.poll() if self._process else None
        reason = "does not accept connections" if code is None else f"ended with code {code}"
        self.kill()
        pytest.fail(f"{self.name} on port {self.port} {reason}:\n{self.last_lines()}", pytrace=False)


@contextmanager
def running(service: Service) -> Iterator[Service]:
    """Start a service for the time of a `with` block; print its last lines at the end."""
    try:
        service.start()
        yield service
    finally:
        service.stop()
        print(f"--- last lines of {service.name} on port {service.port}\n{service.last_lines()}")  # noqa: T201 (pytest shows it when the test fails)


@contextmanager
def mosquitto(port: int | None = None, *, config_lines: Sequence[str] = ()) -> Iterator[Service]:
    """Run a broker on the loopback that keeps nothing on disk and admits anyone.

    `config_lines` are added to its listener's configuration, for TLS or passwords; with a password file add
    `allow_anonymous false`.
    """
    executable = require("mosquitto")
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="mosquitto-") as folder:
        config = Path(folder, "mosquitto.conf")
        lines = [f"listener {port} {LOOPBACK}", "persistence false", "set_tcp_nodelay true", *config_lines]
        if not any(line.startswith("allow_anonymous") for line in config_lines):
            lines.append("allow_anonymous true")
        if os.geteuid() == 0:
            lines.append("user root")  # else it changes to a user that cannot read this folder
        config.write_text("\n".join([*lines, ""]))
        with running(Service([executable, "-c", config], port=port, log=Path(folder, "output.log"))) as broker:
            yield broker


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body. Raises ValueError."""
        return json.loads(self.body)


class Gateway(Service):
    """gunicorn with this project's configuration and `wsgi:app`, as in production; `port` is the HTTP port.

    `settings` are those of vda5050/settings.py in lower case; what the machine's environment says is left out. The
    database is a file beside `log`, unless `settings` name another.
    """

    def __init__(self, *, port: int, log: Path, settings: dict[str, object], host: str = LOOPBACK) -> None:
        argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
        super().__init__(argv, port=port, log=log, host=host, cwd=PROJECT)
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("VDA5050_")}
        settings = {"database_url": f"sqlite:///{log.absolute().parent}/gateway.db", **settings}
        self._env |= {f"VDA5050_{name.upper()}": str(value) for name, value in settings.items()}
        self._env["VDA5050_BIND"] = f"{host}:{port}"

    @property
    def name(self) -> str:
        return "gateway"

    @property
    def worker_pid(self) -> int:
        """The process id of the one worker, which is gunicorn's only child."""
        return _first_child(self.pid)

    @property
    def history_pid(self) -> int:
        """The process id of the one that writes the history, which is the worker's only child."""
        return _first_child(self.worker_pid)

    def get(self, path: str, headers: dict[str, str] | None = None, *, timeout_s: float = 15.0) -> Answer:
        """Ask and read the whole answer, on a connection of its own. Raises OSError."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def has(self, path: str) -> bool:
        """Tell whether `path` is answered with 200."""
        try:
            return self.get(path).status == 200
        except OSError:
            return False

    def metric(self, name: str, **labels: str) -> float:
        """Return a metric's value, summed over all labels that are not given; 0 where it does not exist yet."""
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        total = 0.0
        for line in self.get("/metrics").body.decode().splitlines():
            sample, _, value = line.rpartition(" ")
            bare, _, rest = sample.partition("{")
            if bare == name and wanted <= set(rest.rstrip("}").split(",")):
                total += float(value)
        return total


def _first_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


class _Listens(Protocol):
    @property
    def port(self) -> int: ...


@contextmanager
def gateway(broker: _Listens, *, until: str = "/ready", **settings: object) -> Iterator[Gateway]:
    """Run the gateway on `broker`, or on `mqtt_url` where `settings` has it, from when `until` is answered with 200."""
    settings.setdefault("mqtt_url", f"mqtt://{LOOPBACK}:{broker.port}")
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        service = Gateway(port=free_port(), log=Path(folder, "output.log"), settings=settings)
        with running(service):
            wait_until(lambda: service.has(until), what=f"{until} is 200", deadline_s=20)
            yield service
