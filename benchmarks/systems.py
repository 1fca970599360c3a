"""Starts what is measured, each on free loopback ports and in a temporary folder, and ends it.

    mosquitto()             the broker of every run, and the peer "MQTT over WebSocket straight from the broker"
    redis_server()          what the gateways of scale.py share
    gateway(broker)         this project under gunicorn, one worker, as `gunicorn.conf.py` has it
    nchan()                 the peer nginx + nchan: messages by HTTP POST to /pub, EventSource at /stream
    asyncio_peer(broker)    the peer FastAPI + uvicorn of peers/, in a virtual environment of its own
    bare_paho(broker)       the peer for ingest: peers/bare_paho.py

Each is a context manager that yields when the system answers. Raises NotInstalledError where the machine lacks the
program (Debian: mosquitto, nginx, libnginx-mod-nchan), StartError with the end of its log where it does not start.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(__file__).resolve().parent / "peers"
START_S = 20.0
NCHAN_MODULE = "ngx_nchan_module.so"

MOSQUITTO_CONF = """\
allow_anonymous true
log_type error
set_tcp_nodelay true
# More than any run can have waiting, so that a slow receiver is seen as slow and not as one that lost messages.
max_queued_messages 100000
listener {mqtt_port} 127.0.0.1
listener {websocket_port} 127.0.0.1
protocol websockets
"""

NCHAN_CONF = """\
load_module {module};
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 19000; }}
http {{
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;  # the publisher posts everything over one connection
  nchan_max_reserved_memory 512M;
  server {{
    listen 127.0.0.1:{port};
    location = /pub {{
      nchan_publisher;
      nchan_channel_id fleet;
      nchan_message_buffer_length 1000;
      nchan_message_timeout 10s;
    }}
    location = /stream {{
      nchan_subscriber eventsource;
      nchan_channel_id fleet;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"""


class NotInstalledError(Exception):
    """The machine lacks a program; the message says which, and how to get it."""


class StartError(Exception):
    """A system did not start; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class System:
    """A running system: its first process, the port that clients connect to, seconds from its start to its answer."""

    pid: int
    port: int
    started_in_s: float


@dataclass(frozen=True, slots=True)
class BrokerPorts:
    """A running mosquitto: its process and its two listeners."""

    pid: int
    mqtt_port: int
    websocket_port: int


def free_port() -> int:
    """Return a loopback port that nobody listens on.

    Below those that the kernel gives to outgoing connections, of which a run makes thousands.
    """
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _attempt in range(200):
        port = random.randrange(10_000, max(11_000, first_ephemeral))
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise StartError("no free port found")


@contextmanager
def mosquitto() -> Iterator[BrokerPorts]:
    """Run a broker."""
    program = find_program("mosquitto", "mosquitto")
    mqtt_port, websocket_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="bench-mosquitto-") as folder:
        conf = Path(folder) / "mosquitto.conf"
        conf.write_text(MOSQUITTO_CONF.format(mqtt_port=mqtt_port, websocket_port=websocket_port))
        with _running([program, "-c", str(conf)], is_ready=lambda: accepts(mqtt_port)) as (pid, _seconds):
            yield BrokerPorts(pid, mqtt_port, websocket_port)


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running Redis that keeps nothing on disk."""

    pid: int
    port: int


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run a Redis."""
    program, port = find_program("redis-server", "redis-server"), free_port()
    argv = [program, "--port", str(port), "--bind", LOOPBACK, "--save", ""]
    with _running(argv, is_ready=lambda: accepts(port)) as (pid, _seconds):
        yield RedisServer(pid, port)


@contextmanager
def gateway(broker_port: int, **settings: str) -> Iterator[System]:
    """Run this project, subscribed to the broker; `settings` without their prefix, in lower case.

    `started_in_s` is the time to the first answered request; it yields when the broker is connected as well.
    """
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("VDA5050_")}
    env |= {"VDA5050_MQTT_URL": f"mqtt://{LOOPBACK}:{broker_port}", "VDA5050_BIND": f"{LOOPBACK}:{port}"}
    env |= {"VDA5050_DATABASE_URL": "none"}
    env |= {"VDA5050_MAX_STREAMS_PER_CLIENT": "0"}  # all clients come from one address
    env |= {"VDA5050_LOG_LEVEL": "warning"} | {f"VDA5050_{name.upper()}": value for name, value in settings.items()}
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    with _running(argv, env=env, cwd=ROOT, is_ready=lambda: answers(port, "/health")) as (pid, seconds):
        _wait_until(lambda: answers(port, "/ready"), "the gateway did not reach the broker")
        yield System(pid, port, seconds)


@contextmanager
def nchan() -> Iterator[System]:
    """Run nginx with nchan, one worker."""
    program = find_program("nginx", "nginx")
    module = next((path for path in Path("/usr").glob(f"lib*/nginx/modules/{NCHAN_MODULE}")), None)
    if module is None:
        raise NotInstalledError(f"{NCHAN_MODULE} is not installed; on Debian: apt-get install libnginx-mod-nchan")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-nchan-") as folder:
        conf = Path(folder) / "nchan.conf"
        conf.write_text(NCHAN_CONF.format(module=module, port=port))
        argv = [program, "-p", folder, "-e", "stderr", "-c", str(conf)]
        with _running(argv, is_ready=lambda: accepts(port)) as (pid, seconds):
            yield System(pid, port, seconds)


@contextmanager
def asyncio_peer(broker_port: int, python: Path) -> Iterator[System]:
    """Run the peer of peers/asyncio_queues.py with an interpreter that has its requirements."""
    port = free_port()
    argv = [str(python), "-m", "uvicorn", "--app-dir", str(PEERS), "--host", LOOPBACK, "--port", str(port)]
    argv += ["--log-level", "warning", "--no-access-log", "asyncio_queues:app"]
    env = os.environ | {"MQTT_PORT": str(broker_port)}
    with _running(argv, env=env, is_ready=lambda: accepts(port)) as (pid, seconds):
        yield System(pid, port, seconds)


@contextmanager
def bare_paho(broker_port: int) -> Iterator[System]:
    """Run the counting greenlet; `GET /` on its port answers the count."""
    port = free_port()
    argv = [sys.executable, str(PEERS / "bare_paho.py"), str(broker_port), str(port)]
    with _running(argv, is_ready=lambda: answers(port, "/")) as (pid, seconds):
        yield System(pid, port, seconds)


def find_program(name: str, debian_package: str) -> str:
    """Return the path of a program; Debian keeps servers in /usr/sbin, which a plain user's PATH lacks."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))
    if path is None:
        raise NotInstalledError(f"{name} is not installed; on Debian: apt-get install {debian_package}")
    return path


def accepts(port: int) -> bool:
    """Tell whether somebody listens on a loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def answers(port: int, path: str) -> bool:
    """Tell whether `GET path` is answered with success."""
    try:
        get(port, path)
    except OSError:
        return False
    return True


def get(port: int, path: str) -> str:
    """Return the body of `GET path`. Raises OSError (URLError, HTTPError) for no answer or no success."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


@contextmanager
def _running(
    argv: Sequence[str],
    *,
    is_ready: Callable[[], bool],
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[tuple[int, float]]:
    """Run a program until the block ends: yields its process id and the seconds until it was ready."""
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        process = subprocess.Popen(argv, env=env, cwd=cwd, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_until(lambda: process.poll() is not None or is_ready(), f"{argv[0]} did not answer")
            if process.poll() is not None:
                output.seek(0)
                raise StartError(f"{' '.join(argv)} ended with {process.returncode}:\n{output.read()[-2000:]}")
            yield process.pid, time.monotonic() - started
        finally:
            _end(process)


def _wait_until(is_so: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + START_S
    while not is_so():
        if time.monotonic() > deadline:
            raise StartError(f"{problem} within {START_S:g} s")
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end; after ten seconds make it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
