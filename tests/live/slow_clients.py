"""Clients that begin a request and send the rest of it a byte at a time, or never."""

import selectors
import socket
import time
from typing import Self

import pytest

from tests.services import LOOPBACK

DRIBBLE_EVERY_S = 0.1


class SlowClients:
    """Many connections that have sent `start`; each sends one byte now and then for as long as it is let."""

    def __init__(self, port: int, count: int, start: bytes, *, dribble: bytes = b"a") -> None:
        self.answers: list[bytes] = []
        """What each connection that the server closed had been answered."""
        self._dribble = dribble
        self._selector = selectors.DefaultSelector()
        self._read: dict[socket.socket, bytes] = {}
        for _ in range(count):
            connection = socket.create_connection((LOOPBACK, port))
            connection.sendall(start)
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ)
            self._read[connection] = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._read:
            connection.close()
        self._selector.close()

    def __len__(self) -> int:
        return len(self._read)

    def go_on(self) -> None:
        """Send a byte on each connection, and see which were closed; takes DRIBBLE_EVERY_S."""
        for connection in list(self._read):
            try:
                if self._dribble:
                    connection.send(self._dribble)
            except OSError:
                self._closed(connection)
        end = time.monotonic() + DRIBBLE_EVERY_S
        while (left := end - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                self._receive(key.fileobj)

    def until_closed(self, *, within_s: float) -> float:
        """Go on until the server has closed all; give the seconds that it took. Fails the test after `within_s`."""
        started = time.monotonic()
        while self._read:
            self.go_on()
            if time.monotonic() - started > within_s:
                pytest.fail(f"after {within_s} s {len(self)} slow clients are still served")
        return time.monotonic() - started

    def _receive(self, connection: object) -> None:
        assert isinstance(connection, socket.socket)
        try:
            data = connection.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._read[connection] += data
        else:
            self._closed(connection)

    def _closed(self, connection: socket.socket) -> None:
        self.answers.append(self._read.pop(connection))
        self._selector.unregister(connection)
        connection.close()
