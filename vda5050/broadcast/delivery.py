"""From a parcel to the sockets of all who wait for it: framed once, copied into the kernel once where that is worth it.

Takes parcels of one wire, whose bytes many clients share. An SSE parcel is framed as one chunk of the HTTP/1.1 body
(RFC 9112, section 7.1), a WebSocket's is frames already.

A large parcel for many clients is written into a file in memory (memfd), from which `sendfile` hands the same pages to
each socket: with `sendmsg` the kernel copies the bytes for each client, at twice the CPU (benchmarks/EARLIER.md).
Nothing is written to the file afterwards, and it is closed with the delivery: what is still on its way keeps its pages,
and what a socket did not take is sent from the parcel's own bytes.

A stream under way has two who write to it and never both: the delivery, which does not wait, and the client's greenlet
(`SocketWriter.write`), which writes what was left and what has waited, and may block.
"""

import os
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from vda5050.broadcast.parcel import Parcel
from vda5050.frames import Wire
from vda5050.logs import get_logger

log = get_logger(__name__)

FILE_BYTES = 32_768
FILE_CLIENTS = 16
"""From so many bytes for so many clients on, the file costs less than the copies: it takes about 40 us to make."""


class StreamSocket(Protocol):
    """What is used of gunicorn's socket, which is gevent's: non-blocking below, waiting above."""

    def fileno(self) -> int:
        """Return the descriptor."""

    def sendmsg(self, buffers: Sequence[bytes], ancdata: Sequence[Any] = (), flags: int = 0, /) -> int:
        """As of `socket.socket`; waits but with MSG_DONTWAIT."""

    def sendall(self, data: memoryview, /) -> None:
        """As of `socket.socket`; waits."""


def framed(pieces: Sequence[bytes], size: int, wire: Wire) -> Sequence[bytes]:
    """Give what goes over the wire for pieces of `size` bytes together."""
    return pieces if wire is Wire.WEBSOCKET else (b"%x\r\n" % size, *pieces, b"\r\n")


class Delivery:
    """One parcel for many clients of a wire; a context, because of its file."""

    __slots__ = ("_file", "parcel", "parts", "size")

    def __init__(self, parcel: Parcel, wire: Wire, *, clients: int) -> None:
        self.parcel = parcel
        self.parts = framed(parcel.pieces, parcel.size, wire)
        self.size = sum(map(len, self.parts))
        self._file = self._written() if self.size >= FILE_BYTES and clients >= FILE_CLIENTS else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        if self._file is not None:
            os.close(self._file)

    def send(self, sock: StreamSocket) -> int:
        """Give the kernel as much as it takes for one client; returns how much. Does not wait. Raises OSError."""
        if self._file is not None:
            return os.sendfile(sock.fileno(), self._file, 0, self.size)
        return sock.sendmsg(self.parts, (), socket.MSG_DONTWAIT)

    def _written(self) -> int | None:
        """Give the descriptor of a file with the parts; None where there can be none (no descriptor, no memory)."""
        try:
            file = os.memfd_create("vda5050-batch", os.MFD_CLOEXEC)
        except OSError as error:
            log.debug("no file for a batch", error=error)
            return None
        try:
            if os.writev(file, self.parts) == self.size:
                return file
        except OSError as error:
            log.debug("a batch does not fit into a file", error=error)
        os.close(file)
        return None


class SocketWriter:
    """One client's socket."""

    __slots__ = ("_rest", "_sock", "_wire")

    def __init__(self, sock: StreamSocket, wire: Wire) -> None:
        self._sock = sock
        self._wire = wire
        self._rest: Sequence[memoryview] = ()

    @property
    def is_unfinished(self) -> bool:
        """True while a frame is on the wire in part."""
        return bool(self._rest)

    def write_now(self, delivery: Delivery) -> bool:
        """Give a delivery to the kernel; False where some of it is left, which `write` has to send first."""
        try:
            sent = delivery.send(self._sock)
        except OSError:  # the buffer is full; or the client has gone, which the greenlet's own write will learn
            sent = 0
        if sent == delivery.size:
            return True
        self._rest = _after(sent, delivery.parts)
        return False

    def write(self, data: bytes) -> None:
        """Write what is left, then `data`, where there is any. Waits; raises OSError."""
        rest, self._rest = self._rest, ()
        for part in rest:
            self._sock.sendall(part)
        if data:
            parts = framed((data,), len(data), self._wire)
            for part in _after(self._sock.sendmsg(parts), parts):
                self._sock.sendall(part)


def _after(sent: int, parts: Sequence[bytes]) -> Sequence[memoryview]:
    """Give what comes after the first `sent` bytes of `parts`, not copied."""
    left = []
    for part in parts:
        if sent < len(part):
            left.append(memoryview(part)[sent:])
        sent = max(0, sent - len(part))
    return left
