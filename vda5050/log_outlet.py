"""Writes lines to a descriptor without ever waiting for who reads it: a log that nobody reads must not stop the fleet.

Takes whole lines, in order. Under gevent a write that waits stops everything in the process; a pipe holds 64 kB, and so
nobody reading it once stopped every stream. What does not fit is kept, up to MAX_WAITING_BYTES, and goes out before the
next line or at `flush`; what comes beyond that is lost and counted.

stderr's open file is shared with the shell, gunicorn's master and the other workers, so it cannot be made non-blocking.
A pipe or a terminal is opened once more instead, a socket (systemd's journal) is asked with each write not to wait. A
file has no reader to wait for. Where a pipe cannot be opened again (another user's), a write waits as everywhere.
"""

import os
import stat
from _socket import MSG_DONTWAIT
from _socket import socket as RawSocket  # noqa: N812 - gevent's would make the shared file non-blocking, and wait
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from io import UnsupportedOperation
from typing import TextIO

MAX_WAITING_BYTES = 1_048_576


class Outlet:
    """Where one process's lines go. `lost` counts those that were given up."""

    def __init__(self, stream: TextIO) -> None:
        self.lost = 0
        self._encoding = stream.encoding or "utf-8"
        self._write, self._close = _way_to(stream)
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._pid = os.getpid()

    @property
    def is_waiting(self) -> bool:
        """True while lines wait for a reader."""
        return bool(self._waiting)

    def put(self, text: str) -> None:
        """Write a line, keep it for later, or lose it."""
        if self._pid != os.getpid():  # a fork: what waits is the parent's to write
            self._pid = os.getpid()
            self._waiting.clear()
            self._waiting_bytes = 0
        line = f"{text}\n".encode(self._encoding, "backslashreplace")
        self.flush()
        if self._waiting_bytes + len(line) > MAX_WAITING_BYTES:
            self.lost += 1
            return
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        self.flush()

    def flush(self) -> None:
        """Write what waits, as far as there is room for it."""
        while self._waiting and self._pid == os.getpid():
            line = self._waiting.popleft()
            try:
                written = self._write(line)
            except BlockingIOError:
                written = 0
            except OSError:  # nobody will ever read it: a closed pipe, a full disk
                self.lost += 1
                written = len(line)
            self._waiting_bytes -= written
            if written < len(line):
                self._waiting.appendleft(line[written:])
                return

    def close(self) -> None:
        """Write what there is room for, and let go: whatever comes now is lost. May be called twice."""
        self.flush()
        close, self._close, self._write = self._close, _nothing, _nowhere
        close()


def _way_to(stream: TextIO) -> tuple[Callable[[bytes], int], Callable[[], None]]:
    """Give a function that writes bytes without waiting, and returns how many, and one that closes what it needs."""
    try:
        descriptor = stream.fileno()
    except (AttributeError, UnsupportedOperation):  # no file at all
        return lambda data: len(data) if stream.write(data.decode()) else 0, _nothing
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        journal = RawSocket(fileno=os.dup(descriptor))
        return lambda data: journal.send(data, MSG_DONTWAIT), journal.close
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            again = os.open(f"/proc/self/fd/{descriptor}", flags)
            return lambda data: os.write(again, data), lambda: os.close(again)
    return lambda data: os.write(descriptor, data), _nothing


def _nothing() -> None:
    """Nothing is to be closed."""


def _nowhere(_data: bytes) -> int:
    """Write nothing: the descriptor may be somebody else's by now."""
    raise OSError
