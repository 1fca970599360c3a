"""The client's end of a connection: notices at once when it is closed, and does not wait for ever when it stalls.

A server that only writes learns of a client's leaving at its next write or later (gunicorn#677), so the socket is
watched for reading as well. A client that vanished without FIN, or that takes nothing (stopped, zero window), is given
up by the kernel after TCP_USER_TIMEOUT (RFC 5482): the write that waits for it fails with ETIMEDOUT. That option is
set on the listening sockets, which hand it on (`set_tcp_options`), and on each stream's own: whoever connects while the
worker still starts is accepted by the kernel before the listening socket has it.

What comes from a client that has nothing to say (a request's body, or its next request) is read and dropped: unread it
would hide that the client leaves. Nobody knows afterwards where a request begins, so the connection must not be used
for another (`has_dropped`).
"""

import os
import socket
import struct
from collections.abc import Callable
from typing import Any, Protocol

from gevent.hub import get_hub

from vda5050.logs import get_logger

log = get_logger(__name__)

_READ_BYTES = 16_384
_READ = 1  # libev's event bit


class StreamSocket(Protocol):
    """What is used of the worker's socket."""

    def fileno(self) -> int:
        """Return the descriptor, which is non-blocking."""

    def setsockopt(self, level: int, option: int, value: int, /) -> None:
        """As of `socket.socket`."""


def set_tcp_options(sock: StreamSocket, *, timeout_s: float, heartbeat_s: float) -> None:
    """Let the kernel give a connection up whose other end has taken nothing for `timeout_s`.

    The kernel counts from the first byte that is not acknowledged, and on an idle stream the next byte is the next
    heartbeat, so that comes off. Set on a listening socket, Linux passes it on to every connection accepted.
    """
    unacknowledged_s = max(timeout_s - heartbeat_s, timeout_s / 2)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(unacknowledged_s * 1000))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except OSError as error:  # a Unix socket has none of these; its peer cannot vanish
        log.debug("no TCP options", error=error)


def has_left(sock: StreamSocket) -> bool:
    """Tell whether the client has closed its end. What it may have sent meanwhile stays to be read."""
    try:
        with socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM) as handle:
            handle.setblocking(False)
            return not handle.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


class Peer:
    """Watches one client. `on_data` and `on_gone` run in the hub: they must not block.

    `has_dropped`: bytes came that nobody wanted.
    """

    __slots__ = ("_on_data", "_on_gone", "_socket", "_watcher", "has_dropped")

    def __init__(
        self,
        sock: StreamSocket,
        *,
        on_gone: Callable[[], None],
        on_data: Callable[[bytes], None] | None = None,
    ) -> None:
        self._socket = sock
        self._on_gone = on_gone
        self._on_data = on_data
        self.has_dropped = False
        self._watcher: Any = get_hub().loop.io(sock.fileno(), _READ)
        self._watcher.start(self._readable)

    def close(self) -> None:
        """Stop watching; to be called before the socket is closed. May be called twice."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    def cut(self) -> None:
        """Break the connection off, under a greenlet that is stuck in a write to it as well: that write fails.

        With RST once the socket is closed, so that the kernel keeps nothing for a client that takes nothing.
        """
        if self._watcher is None:  # closed, and the descriptor may be somebody else's by now
            return
        try:
            # A socket object of our own: gevent's shutdown() on the worker's would fail its write as "closed".
            with socket.fromfd(self._socket.fileno(), socket.AF_INET, socket.SOCK_STREAM) as handle:
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handle.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            log.debug("a client left before it could be cut off", error=error)

    def _readable(self) -> None:
        try:
            data = os.read(self._socket.fileno(), _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._watcher.stop()  # not closed: a greenlet may be stuck in a write to a client that still reads
            self._on_gone()
        elif self._on_data is not None:
            self._on_data(data)
        else:
            self.has_dropped = True
