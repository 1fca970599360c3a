"""Clients of the stream made of sockets: Server-Sent Events (plain, gzip) and WebSocket behind one small interface.

They do what a real client does, and what a faulty one does: stop reading, leave with FIN, be killed (RST). No thread;
`receive` never blocks, so that one thread can run hundreds. Each connection is one client object.
"""

import contextlib
import os
import select
import socket
import ssl
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, Self

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import CloseConnection, Ping, Pong, Request, TextMessage
from wsproto.events import Event as WsEvent

from tests.live.event_decoder import BrokenStreamError, Event, HttpBody, SseDecoder, parse_event
from tests.services import LOOPBACK

READ_BYTES = 262_144
SITE = "fleet.example"
"""What a client over TLS calls the server: the name in deploy/nginx.conf."""
DEADLINE_S = 15.0


class StreamClient(Protocol):
    """One connection to a stream."""

    @property
    def is_ended(self) -> bool:
        """True when the server has closed the connection and all of it was read."""

    def fileno(self) -> int: ...

    def receive(self) -> list[Event]:
        """Give the events that have arrived; empty where there are none. Raises BrokenStreamError."""

    def close(self) -> None:
        """Leave as a program does that ends (FIN). May be called twice."""


class _Connection:
    """What both kinds share: a socket, waiting for an event, and the ways to leave."""

    def __init__(
        self, port: int, request: bytes, *, receive_buffer_bytes: int | None, tls: ssl.SSLContext | None
    ) -> None:
        self.is_ended = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self._head: bytes | None = b""
        self._waiting: deque[Event] = deque()
        self._socket: socket.socket | ssl.SSLSocket = socket.socket()
        try:
            if receive_buffer_bytes is not None:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
            self._socket.settimeout(DEADLINE_S)
            self._socket.connect((LOOPBACK, port))
            if tls is not None:
                self._socket = tls.wrap_socket(self._socket, server_hostname=SITE)
            self._socket.sendall(request)
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def kill(self) -> None:
        """Leave as a crashed machine's firewall says it: RST at once, nothing more is read or sent."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def receive(self) -> list[Event]:
        self._waiting.extend(self._decode(self._read()))
        events = list(self._waiting)
        self._waiting.clear()
        return events

    def next(self, *types: str, deadline_s: float = DEADLINE_S) -> Event:
        """Wait for the next event, or the next of `types`. Fails the test when the stream ends or the time is up."""
        return self.next_that(lambda event: not types or event.type in types, what=str(types), deadline_s=deadline_s)

    def next_that(self, is_wanted: Callable[[Event], bool], *, what: str, deadline_s: float = DEADLINE_S) -> Event:
        """Wait for the next event that is wanted; the ones before it are dropped."""
        end = time.monotonic() + deadline_s
        while True:
            while self._waiting:
                event = self._waiting.popleft()
                if is_wanted(event):
                    return event
            self.wait(end, what)
            self._waiting.extend(self._decode(self._read()))

    def read_to_end(self, *, deadline_s: float = DEADLINE_S) -> list[Event]:
        """Read until the server closes; give the events that still came."""
        end = time.monotonic() + deadline_s
        while not self.is_ended:
            self.wait(end, "the end of the stream")
            self._waiting.extend(self._decode(self._read()))
        return self.receive()

    def read_some(self, size: int) -> None:
        """Take at most `size` bytes from the socket, and forget them."""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            self._socket.recv(size)

    def wait(self, end: float, what: str) -> None:
        """Wait until there is something to read. `end` in monotonic seconds. Fails the test after it."""
        if self.is_ended:
            pytest.fail(f"the stream ended; waited for {what}; status {self.status}")
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
            pytest.fail(f"not in time: {what}")

    def _read(self) -> bytes:
        if self.is_ended:
            return b""
        data = self._receive()
        while data and isinstance(self._socket, ssl.SSLSocket) and (more := self._receive()):
            data += more  # what TLS has read already, select() does not see
        return data or b""

    def _receive(self) -> bytes | None:
        """Read once; None where nothing has come, empty at the end."""
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except (ConnectionResetError, ssl.SSLError):
            data = b""
        self.is_ended = not data
        return data

    def _after_head(self, data: bytes) -> bytes:
        """Take the answer's head off; give what follows it."""
        if self._head is None:
            return data
        head, blank, rest = (self._head + data).partition(b"\r\n\r\n")
        if not blank:
            self._head = head
            return b""
        self._head = None
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return rest

    def _decode(self, data: bytes) -> list[Event]:
        raise NotImplementedError


class SseClient(_Connection):
    """A reader of `/stream`. `is_gzip` asks for the compressed one; `http` 1.0 gets it without chunks."""

    def __init__(
        self,
        port: int,
        path: str = "/stream",
        *,
        is_gzip: bool = False,
        last_event_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        http: str = "1.1",
        receive_buffer_bytes: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        wanted = {"Host": SITE if tls else f"{LOOPBACK}:{port}", "Accept": "text/event-stream", **(headers or {})}
        if is_gzip:
            wanted["Accept-Encoding"] = "gzip"
        if last_event_id is not None:
            wanted["Last-Event-ID"] = last_event_id
        lines = [f"GET {path} HTTP/{http}", *(f"{name}: {value}" for name, value in wanted.items())]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        super().__init__(port, request, receive_buffer_bytes=receive_buffer_bytes, tls=tls)
        self.decoder = SseDecoder()
        self.body = b""
        """What was answered instead of a stream, where the status is not 200."""
        self._chunks = HttpBody()
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.wire_bytes = 0

    @property
    def is_complete(self) -> bool:
        """True where the server ended its answer in order: between two events, and with HTTP's last chunk."""
        return self.is_ended and self._chunks.is_complete and self.decoder.is_between_events

    def _decode(self, data: bytes) -> list[Event]:
        data = self._after_head(data)
        if self._head is not None:
            return []
        if self.headers.get("transfer-encoding") == "chunked":
            data = self._chunks.feed(data)
        if self.status != 200:
            self.body += data
            return []
        self.wire_bytes += len(data)
        if self.headers.get("content-encoding") == "gzip":
            try:
                data = self._gzip.decompress(data)
            except zlib.error as error:
                raise BrokenStreamError(f"not gzip: {error}") from error
        return self.decoder.feed(data)


class WebSocketClient(_Connection):
    """A reader of `/ws` on wsproto; answers pings. `close_code` is what the server closed with."""

    def __init__(
        self,
        port: int,
        path: str = "/ws",
        *,
        headers: Mapping[str, str] | None = None,
        receive_buffer_bytes: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._protocol = WSConnection(ConnectionType.CLIENT)
        extra = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        request = self._protocol.send(
            Request(host=SITE if tls else f"{LOOPBACK}:{port}", target=path, extra_headers=extra)
        )
        super().__init__(port, request, receive_buffer_bytes=receive_buffer_bytes, tls=tls)
        self.close_code: int | None = None
        self.pings = 0
        self.pongs: list[bytes] = []
        self._text = ""

    def send(self, event: WsEvent) -> None:
        """Send a wsproto event (TextMessage, Ping, CloseConnection ...), waiting where the socket is full."""
        self.send_bytes(self._protocol.send(event))

    def send_all(self, events: Iterable[WsEvent]) -> None:
        """Send events in one write."""
        self.send_bytes(b"".join([self._protocol.send(event) for event in events]))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are. Raises OSError."""
        self._socket.settimeout(DEADLINE_S)
        try:
            self._socket.sendall(data)
        finally:
            self._socket.setblocking(False)

    def read_to_close(self, *, deadline_s: float = DEADLINE_S) -> int | None:
        """Read until the server closes the connection; give its close code, None where it just hung up."""
        self.read_to_end(deadline_s=deadline_s)
        return self.close_code

    def _decode(self, data: bytes) -> list[Event]:
        if not data:
            return []
        if self._head is not None:
            self._after_head(data)
        self._protocol.receive_data(data)
        events = []
        for event in self._protocol.events():
            if isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    text, self._text = self._text, ""
                    events.append(_with_id(parse_event(text.encode())))
            else:
                self._control(event)
        return events

    def _control(self, event: WsEvent) -> None:
        if isinstance(event, Ping):
            self.pings += 1
            with contextlib.suppress(OSError):  # closed by the server meanwhile, which the next read tells
                self.send(event.response())
        elif isinstance(event, Pong):
            self.pongs.append(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            self.close_code = event.code


def _with_id(event: Event) -> Event:
    """Move the member "id", which a WebSocket's objects have in the place of an id line, to where it belongs."""
    event_id = event.data.pop("id", "" if event.type == "reset" else None)  # a reset: forget the last id as well
    return Event(event_id, event.data)


def descriptors(pid: int) -> int:
    """Count a process's open descriptors."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - a Path for each of thousands is only slower


def resident_bytes(pid: int) -> int:
    """Read a process's resident memory."""
    with open(f"/proc/{pid}/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
