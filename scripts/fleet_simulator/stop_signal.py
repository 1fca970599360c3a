"""How a script is told to end: Ctrl-C and SIGTERM set a signal that ends every wait at once.

A socket pair rather than a threading.Event: setting it in a signal handler takes no lock, and select can wait for it
together with the network. Any thread may wait; only `set()` and `install()` are meant for the main thread.
"""

from __future__ import annotations

import select
import signal
import socket


class StopSignal:
    """Not set at first; once set, it stays so."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self.is_set = False

    def install(self) -> None:
        """Let SIGINT and SIGTERM set the signal; main thread only."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: self.set())

    def set(self) -> None:
        """Wake everything that waits, now and later: the byte is never read."""
        if not self.is_set:
            self.is_set = True
            self._writer.send(b"x")

    def close(self) -> None:
        """Give the descriptors back; nothing may wait any more."""
        self._reader.close()
        self._writer.close()

    def fileno(self) -> int:
        """Return the descriptor that is readable once the signal is set."""
        return self._reader.fileno()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the signal is set or the time is over; return whether it is set."""
        if not self.is_set:
            select.select([self], [], [], timeout_s)
        return self.is_set
