"""A TCP proxy between the gateway and its broker, to do to their connection what networks do.

One thread. `cut` closes every connection, as a switch does that restarts; `silence` leaves them open and passes nothing
on, as a cable does that was pulled; connections made meanwhile are accepted and get no answer either.
"""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self

from tests.services import LOOPBACK

_READ_BYTES = 65_536


class TcpProxy:
    """Forwards from `port` to `target_port` in both directions, while a `with` block lasts."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server((LOOPBACK, 0))
        self._selector = selectors.DefaultSelector()
        self._other_end: dict[socket.socket, socket.socket] = {}
        self._is_silent = False
        self._is_to_cut = False
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="tcp proxy", daemon=True)

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._is_stopping = True
        self._thread.join()
        self._close_all()
        self._listener.close()
        self._selector.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def cut(self) -> None:
        """Close all connections; new ones are forwarded."""
        self._is_to_cut = True

    def silence(self) -> None:
        """Pass nothing on, on old and new connections, until `speak`."""
        self._is_silent = True

    def speak(self) -> None:
        """Pass on again, and what waited first."""
        self._is_silent = False

    def _run(self) -> None:
        while not self._is_stopping:
            if self._is_to_cut:
                self._is_to_cut = False
                self._close_all()
            if self._is_silent:
                threading.Event().wait(0.02)
                continue
            for key, _events in self._selector.select(0.02):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._other_end:
                    self._forward(key.fileobj)

    def _accept(self) -> None:
        client, _address = self._listener.accept()
        try:
            server = socket.create_connection((LOOPBACK, self._target_port), timeout=5)
        except OSError:
            client.close()
            return
        for end, other in ((client, server), (server, client)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.settimeout(5)
            self._other_end[end] = other
            self._selector.register(end, selectors.EVENT_READ)

    def _forward(self, end: socket.socket) -> None:
        try:
            data = end.recv(_READ_BYTES)
            if data:
                self._other_end[end].sendall(data)
                return
        except OSError:
            pass
        self._close(end)

    def _close(self, end: socket.socket) -> None:
        other = self._other_end.pop(end)
        del self._other_end[other]
        for one in (end, other):
            self._selector.unregister(one)
            one.close()

    def _close_all(self) -> None:
        while self._other_end:
            self._close(next(iter(self._other_end)))
