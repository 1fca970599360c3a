"""The runs of the load generator that the table is made from, and who does them.

Takes a `Run`, gives the JSON line that the load generator printed: starts a broker and the system afresh, for each run,
so that none inherits memory or queues. The order is that of measuring: the gateway and what it is compared with stand
next to each other, for the speed of a shared machine changes by the hour.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from systems import BrokerPorts, System, asyncio_peer, gateway, mosquitto, nchan

HERE = Path(__file__).resolve().parent
PEER_REQUIREMENTS = ("fastapi", "uvicorn", "paho-mqtt")
_RUN_S = 300


class RunnerError(Exception):
    """A run could not be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the load generator: of which rows, against which system, how."""

    name: str
    rows: frozenset[str]
    system: str
    options: str
    program: str = "load"


def _run(name: str, rows: str, system: str, options: str, program: str = "load") -> Run:
    return Run(name, frozenset(rows.split()), system, options, program)


HEAVY = "--robots 200 --hz 5"
LIGHT = "--robots 50 --hz 1 --clients 100 --sample 10"
RUNS = (
    _run("plain", "stream websocket gzip", "gateway", f"{HEAVY} --clients 200"),
    _run("nchan", "stream", "nchan", f"{HEAVY} --clients 200 --nchan"),
    _run("websocket", "websocket", "gateway", f"{HEAVY} --clients 200 --ws"),
    _run("mosquitto", "stream", "mosquitto", f"{HEAVY} --clients 200 --mqtt-ws"),
    _run("asyncio", "stream", "asyncio", f"{HEAVY} --clients 200"),
    _run("asyncio-limit", "stream", "asyncio", LIGHT),
    _run("gzip-100", "growth", "gateway", f"{HEAVY} --clients 100 --gzip"),
    _run("gzip", "gzip growth memory", "gateway", f"{HEAVY} --clients 1000 --gzip --sample 50"),
    _run("light", "light", "gateway", LIGHT),
    _run("light-nchan", "light", "nchan", f"{LIGHT} --nchan"),
    _run("light-mosquitto", "light", "mosquitto", f"{LIGHT} --mqtt-ws"),
    _run("many", "memory", "gateway", "--robots 10 --hz 1 --clients 10000 --gzip --sample 100"),
    _run("storm-gzip", "storm", "gateway", f"{HEAVY} --gzip", "storm"),
    _run("storm-plain", "storm", "gateway", HEAVY, "storm"),
)


class Runner:
    """Does runs. Makes a virtual environment for the asyncio peer when the first run needs it, and removes it."""

    def __init__(self, load: Path, *, is_quick: bool) -> None:
        self._load = load
        self._length = ("--warm", "1", "--secs", "3") if is_quick else ()
        self._stack = ExitStack()
        self._peer_python: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self._stack.close()

    def line(self, run: Run) -> dict[str, Any]:
        """Do a run. Raises RunnerError, NotInstalledError, StartError."""
        is_ours = self._load.parent.resolve() == HERE
        if "--ws" in run.options.split() and not is_ours:
            raise RunnerError(f"{self._load} has no --ws")
        program = self._load if run.program == "load" else HERE / f"{run.program}.py"
        with mosquitto() as broker, self._system(run.system, broker) as system:
            argv = [sys.executable, str(program), "--name", run.system, "--pid", str(system.pid)]
            argv += ["--port", str(system.port), "--broker", str(broker.mqtt_port), *run.options.split()]
            argv += self._length if run.program == "load" else ()
            done = subprocess.run(argv, capture_output=True, text=True, timeout=_RUN_S, check=False)
        if done.returncode:
            raise RunnerError(done.stderr.strip().rpartition("\n")[2])
        line: dict[str, Any] = json.loads(done.stdout)
        return line

    def _system(self, name: str, broker: BrokerPorts) -> AbstractContextManager[System]:
        match name:
            case "gateway":
                return gateway(broker.mqtt_port)
            case "nchan":
                return nchan()
            case "asyncio":
                return asyncio_peer(broker.mqtt_port, self._python_of_peer())
        return nullcontext(System(broker.pid, broker.websocket_port, 0.0))

    def _python_of_peer(self) -> Path:
        if self._peer_python is None:
            self._peer_python = self._stack.enter_context(_environment(PEER_REQUIREMENTS))
        return self._peer_python


@contextmanager
def _environment(requirements: tuple[str, ...]) -> Iterator[Path]:
    """Make a virtual environment in a temporary folder, yield its interpreter. Raises RunnerError."""
    with tempfile.TemporaryDirectory(prefix="bench-venv-") as folder:
        python = Path(folder) / "bin" / "python"
        for argv in (
            [sys.executable, "-m", "venv", folder],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
        ):
            done = subprocess.run(argv, capture_output=True, text=True, timeout=_RUN_S, check=False)
            if done.returncode:
                raise RunnerError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip().rpartition(chr(10))[2]}")
        yield python
