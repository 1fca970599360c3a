#!/usr/bin/env python3
"""Run the whole chain on this machine until Ctrl-C: broker, gateway under gunicorn, simulated robots.

Takes `VDA5050_MQTT_URL` (here `embedded` unless set: the gateway starts a broker of its own), `VDA5050_BIND`,
`VDA5050_DATABASE_URL` (here a file of the demo's own unless set), `VDA5050_LOG_FORMAT` (here `console`) and
`VDA5050_LAYOUT_FILE` (here the robots' halls); every other setting reaches the gateway as it is. Gives the page's
address once the gateway is ready.

Ctrl-C, SIGTERM or a closed terminal end the robots first and the gateway after them. Whatever way the demo ends,
nothing that it started is left running. When one part dies by itself, its last lines are shown and the rest is ended.

Standard library only, and no import of `vda5050`: this stands outside the gateway, as a person would.
"""

import argparse
import errno
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn, TextIO
from urllib.parse import SplitResult, unquote, urlsplit

from child_process import Child, ChildEnded, Stopped, StopRequest

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_BIND = "127.0.0.1:8000"
LAYOUT = ROOT / "var" / "demo-halls.lif.json"
DEFAULT_DATABASE = "sqlite:///var/demo.db"
DEFAULT_PORTS = {"embedded": 1883, "mqtt": 1883, "mqtts": 8883}
READY_DEADLINE_S = 30.0
CONNECT_TIMEOUT_S = 5.0
IN_USE = "the port is in use"


class DemoError(Exception):
    """The demo cannot go on; the text tells a person why and what to do."""


class Address(NamedTuple):
    """Where somebody listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def main() -> int:
    """Run the demo. Returns the exit code: 0 when asked to end, 1 when something went wrong."""
    options = _parse_arguments()
    stop = StopRequest()
    stop.install()
    children: list[Child] = []
    try:
        run(children, stop=stop, robots=options.robots, echo=say if options.verbose else lambda _line: None)
    except Stopped:
        say("\nStopping the robots and the gateway ...")
        return 0
    except (DemoError, ChildEnded) as error:
        say(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        for child in reversed(children):
            child.end(stop)


def run(children: list[Child], *, stop: StopRequest, robots: int | None, echo: Callable[[str], None]) -> NoReturn:
    """Start all in order, add it to `children`, and watch over it. Raises Stopped, ChildEnded or DemoError."""
    environ = dict(os.environ)
    environ["VDA5050_MQTT_URL"] = os.environ.get("VDA5050_MQTT_URL") or "embedded"
    environ["VDA5050_LOG_FORMAT"] = os.environ.get("VDA5050_LOG_FORMAT") or "console"  # shown to a person, if at all
    environ["VDA5050_BIND"] = os.environ.get("VDA5050_BIND") or DEFAULT_BIND
    environ["VDA5050_DATABASE_URL"] = os.environ.get("VDA5050_DATABASE_URL") or DEFAULT_DATABASE
    bind = read_bind(environ["VDA5050_BIND"])
    url = read_broker_url(environ["VDA5050_MQTT_URL"])
    broker = Address(url.hostname or "127.0.0.1", url.port or DEFAULT_PORTS[url.scheme])
    check_bind(bind)
    if url.scheme == "embedded":
        check_embedded_broker(broker)
    else:
        check_given_broker(broker)

    say("Starting the gateway ...")
    environ["VDA5050_LAYOUT_FILE"] = os.environ.get("VDA5050_LAYOUT_FILE") or write_layout(robots)
    page = Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.host, bind.host), bind.port)  # noqa: S104 (not bound)
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    gateway = Child("gateway", gunicorn, cwd=ROOT, environ=environ, echo=echo)
    children.append(gateway)
    wait_until_ready(gateway, page=page, stop=stop)
    simulator = robots_command(url, broker, environ=environ, robots=robots)
    children.append(Child("robots", simulator, cwd=ROOT, environ=robots_environ(url, environ), echo=echo))

    say(f"\n  The fleet, live:  http://{page}/\n  As a stream:      curl -N http://{page}/stream")
    say(f"  MQTT broker:      {broker}\n\n  Ctrl-C ends all of it.\n")
    while True:
        for child in children:
            child.check()
        stop.pause()


def read_bind(text: str) -> Address:
    """Read `VDA5050_BIND`. Raises DemoError where it is no host:port."""
    host, colon, port = text.rpartition(":")
    is_port = port.isdecimal() and 0 < int(port) < 65_536
    if not colon or not host or host == "unix" or not is_port:
        raise DemoError(f"VDA5050_BIND={text} is not host:port; for example {DEFAULT_BIND}.")
    return Address(host.strip("[]"), int(port))


def read_broker_url(text: str) -> SplitResult:
    """Read `VDA5050_MQTT_URL`. Raises DemoError where it names no broker."""
    with suppress(ValueError):
        url = urlsplit("embedded://" if text == "embedded" else text)
        if url.scheme in DEFAULT_PORTS and (url.hostname or url.scheme == "embedded") and url.port != 0:
            return url
    # The URL may hold a password: it is not repeated.
    raise DemoError("VDA5050_MQTT_URL is not mqtt://host:port, mqtts://host:port or embedded://127.0.0.1:port.")


def check_bind(bind: Address) -> None:
    """Raise DemoError where the gateway could not listen."""
    problem = why_not_listen(bind)
    if problem:
        other = next_port(bind) if problem == IN_USE else DEFAULT_BIND
        raise DemoError(
            f"The gateway cannot listen on {bind}: {problem}.\n    To use another port:  VDA5050_BIND={other} make run"
        )


def check_embedded_broker(broker: Address) -> None:
    """Raise DemoError where the embedded broker could not listen."""
    problem = why_not_listen(broker)
    if problem:
        raise DemoError(
            f"The embedded MQTT broker cannot listen on {broker}: {problem}.\n"
            f"    To use the broker that is there:  VDA5050_MQTT_URL=mqtt://{broker} make run\n"
            f"    To use another port:              VDA5050_MQTT_URL=embedded://{next_port(broker)} make run"
        )


def check_given_broker(broker: Address) -> None:
    """Raise DemoError where nothing answers at the given broker's address."""
    try:
        socket.create_connection(broker, timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise DemoError(
            f"No MQTT broker answers at {broker}, which VDA5050_MQTT_URL names: {error.strerror or error}.\n"
            "    Start it or correct the address. Without VDA5050_MQTT_URL, an embedded broker is used."
        ) from error


def why_not_listen(address: Address) -> str | None:
    """Return why nothing can listen there, or None where it can."""
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return IN_USE if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return None


def next_port(address: Address) -> Address:
    """Return the first address above this one where something could listen."""
    for port in range(address.port + 1, 65_536):
        other = Address(address.host, port)
        if not why_not_listen(other):
            return other
    return address


def wait_until_ready(gateway: Child, *, page: Address, stop: StopRequest) -> None:
    """Return when `/ready` answers 200. Raises ChildEnded when the gateway ends, DemoError when it needs too long."""
    answer = "nothing"
    end = time.monotonic() + READY_DEADLINE_S
    while time.monotonic() < end:
        gateway.check()
        with suppress(OSError, http.client.HTTPException):
            status, answer = _get(page, "/ready")
            if status == http.HTTPStatus.OK:
                return
        stop.pause()
    raise DemoError(f"The gateway is not ready; http://{page}/ready says: {answer}\n{gateway.last_lines()}")


def write_layout(robots: int | None) -> str:
    """Have the halls that the robots drive in written as a layout; returns the file's name, or nothing."""
    LAYOUT.parent.mkdir(exist_ok=True)
    size = ["--robots", str(robots)] if robots else []
    command = [sys.executable, str(ROOT / "scripts" / "multi_robot_demo.py"), *size, "--write-layout", str(LAYOUT)]
    is_written = subprocess.run(command, check=False).returncode == 0  # noqa: S603 (its own arguments)
    return str(LAYOUT) if is_written else ""


def robots_command(url: SplitResult, broker: Address, *, environ: Mapping[str, str], robots: int | None) -> list[str]:
    """Return the command line of the simulated fleet; a password is not on it, but in a file or the environment."""
    command = [sys.executable, str(ROOT / "scripts" / "multi_robot_demo.py")]
    options = {"host": broker.host, "port": str(broker.port), "robots": robots and str(robots)}
    options["user"] = unquote(url.username) if url.username else environ.get("VDA5050_MQTT_USERNAME")
    if not url.password:
        options["password-file"] = environ.get("VDA5050_MQTT_PASSWORD_FILE")
    if url.scheme == "mqtts":
        command += ["--tls"]
        options |= {f"{name}-file": environ.get(f"VDA5050_MQTT_{name.upper()}_FILE") for name in ("ca", "cert", "key")}
    return command + [f"--{name}={value}" for name, value in options.items() if value]


def robots_environ(url: SplitResult, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the simulated fleet: with the password that stands in the URL."""
    password = {"VDA5050_MQTT_PASSWORD": unquote(url.password)} if url.password else {}
    return {**environ, **password}


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print at once; a terminal that has gone away does not keep the demo from ending its children."""
    with suppress(OSError):
        print(text, file=file, flush=True)


def _get(address: Address, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=CONNECT_TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace").strip()
    finally:
        connection.close()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Run an embedded MQTT broker, the gateway and simulated robots until Ctrl-C.",
        epilog="VDA5050_MQTT_URL names another broker than the embedded one, VDA5050_BIND the page's host:port.",
    )
    parser.add_argument("--robots", type=int, metavar="N", help="size of the fleet (default: as multi_robot_demo.py)")
    parser.add_argument("--verbose", action="store_true", help="show what gateway and robots print")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
