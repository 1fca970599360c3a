"""Processes that end with the program that started them, and the signals that tell it to end.

Takes a command line, gives a `Child` that leads a process group of its own, so that Ctrl-C on a terminal reaches only
the parent, which ends its children in the order it wants. `Child.end()` leaves nothing of the group running. What a
child prints is kept in memory, a bounded number of lines. Standard library only.
"""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

END_DEADLINE_S = 15.0
IMPATIENT_AFTER_S = 1.0
POLL_S = 0.1
KEPT_LINES = 200
SHOWN_LINES = 20


class ChildEnded(Exception):  # noqa: N818 (an event that its parent did not ask for)
    """A child ended by itself; the text says which, how, and what it printed last."""


class Stopped(Exception):  # noqa: N818 (no error: a person pressed Ctrl-C)
    """The program was asked to end."""


class StopRequest:
    """Remembers SIGINT, SIGTERM and SIGHUP until a place that can act on them asks."""

    def __init__(self) -> None:
        self._first_at: float | None = None
        self.is_urgent = False

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._remember)

    def pause(self) -> None:
        """Sleep for one poll interval. Raises Stopped once a signal has come."""
        if self._first_at is not None:
            raise Stopped
        time.sleep(POLL_S)

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        """Take a later signal as impatience; at once, it is `make` that passes on what the whole group was sent."""
        now = time.monotonic()
        self._first_at = self._first_at or now
        self.is_urgent = now - self._first_at > IMPATIENT_AFTER_S


class Child:
    """A process that leads a group of its own; keeps the last lines it printed."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Path,
        environ: Mapping[str, str],
        echo: Callable[[str], None],
    ) -> None:
        self.name = name
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._echo = echo
        self._process = subprocess.Popen(  # noqa: S603 (arguments of our own, no shell)
            argv,
            cwd=cwd,
            env={**environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
        )
        self._reader = threading.Thread(target=self._keep_lines, name=f"output of the {name}", daemon=True)
        self._reader.start()

    def check(self) -> None:
        """Raise ChildEnded if the process has ended."""
        code = self._process.poll()
        if code is not None:
            self._reader.join(1.0)
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
            raise ChildEnded(f"The {self.name} {how}. {self.last_lines()}")

    def last_lines(self) -> str:
        lines = list(self._lines)[-SHOWN_LINES:]
        return "\n    ".join(["Its last lines:", *lines]) if lines else "It printed nothing."

    def end(self, stop: StopRequest) -> None:
        """End the process and all of its group: asked first, killed after a deadline or when `stop` is urgent."""
        if self._process.poll() is None:
            self._process.terminate()
        _wait(lambda: self._process.poll() is not None, deadline_s=END_DEADLINE_S, stop=stop)
        self._signal_group(signal.SIGTERM)
        _wait(lambda: not self._signal_group(0), deadline_s=2.0, stop=stop)
        self._signal_group(signal.SIGKILL)
        self._process.wait()
        self._reader.join(1.0)

    def _signal_group(self, number: int) -> bool:
        """Send a signal to what is left of the group. Returns False when nothing is left."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def _keep_lines(self) -> None:
        for line in self._process.stdout or ():
            self._lines.append(line.rstrip())
            self._echo(f"{self.name} | {line.rstrip()}")


def _wait(is_done: Callable[[], bool], *, deadline_s: float, stop: StopRequest) -> None:
    end = time.monotonic() + deadline_s
    while not is_done() and time.monotonic() < end and not stop.is_urgent:
        time.sleep(POLL_S / 4)
