"""What paho takes for its socket: one large read from the network, then many small ones from memory.

Takes the bytes of an MQTT connection (3.1.1), gives whole PUBLISH packets of QoS 0 and 1 to the bridge and shows every
other packet to paho, whole. Holds at most one packet and one read; a PUBLISH above the size allowed is skipped while it
arrives.
"""

import ssl
from collections.abc import Iterator
from typing import Any

import gevent
import msgspec
from gevent.hub import get_hub

from vda5050.logs import get_logger

log = get_logger(__name__)

READ_BYTES = 262_144
PUBLISH = 0x30
"""First byte of a PUBLISH, but for its flags DUP (0x08), QoS (0x06) and RETAIN (0x01)."""
MAX_CONTROL_BYTES = 65_536
"""A packet that is no PUBLISH has a few bytes; a SUBACK one for each topic filter."""
READ, WRITE = 1, 2
"""libev's event bits."""


class Publish(msgspec.Struct, frozen=True, gc=False):
    """One PUBLISH packet (MQTT 3.1.1, section 3.3).

    `payload` is None where it is larger than allowed; it is skipped while it arrives. `packet_id` is 0 for QoS 0;
    any other must be acknowledged.
    """

    topic: bytes
    payload: bytes | None
    size: int
    is_retained: bool
    packet_id: int


class ReadBuffer:
    """What paho takes for its socket: its reads come from memory, its writes go straight through.

    paho is shown whole packets only, so it is always between two packets when the bridge looks at the buffer.
    `fill` is the only method that reads from the network, `wait` the only one that switches greenlets.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._data = b""
        self._at = 0
        self._shown_to_paho = 0
        self._to_skip = 0
        self._is_at_end = False
        self.is_full = False
        """True where the last read took as much as one may: more is waiting."""
        self.problem: str | None = None
        """Why reading failed, where it did not just end."""

    def wait(self, events: int, *, timeout_s: float) -> None:
        """Wait until the socket can be read (or written), at most `timeout_s`."""
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():  # decrypted already, no descriptor shows it
            return
        hub = get_hub()
        watcher = hub.loop.io(self._sock.fileno(), events)
        try:
            with gevent.Timeout(timeout_s, exception=False):  # type: ignore[arg-type]  # the stub does not know False
                hub.wait(watcher)
        finally:
            watcher.close()

    def fill(self) -> bool:
        """Read what the network has, up to READ_BYTES or a little more. Returns False where nothing was there."""
        data = b"".join(self._received())
        self.is_full = len(data) >= READ_BYTES
        is_news = bool(data) or self._is_at_end
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0
        return is_news

    def _received(self) -> Iterator[bytes]:
        """Receive until nothing is left: TLS gives one record of at most 16 kB a call, and often one message."""
        left = READ_BYTES
        while left > 0:
            try:
                data = self._sock.recv(left)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as error:
                self.problem = f"{type(error).__name__}: {error}"
                data = b""
            if not data:
                self._is_at_end = True
                return
            yield data
            if len(data) < left and not isinstance(self._sock, ssl.SSLSocket):
                return
            left -= len(data)

    def publishes(self, max_payload_bytes: int) -> Iterator[Publish]:
        """Take whole PUBLISH packets of QoS 0 and 1, oversized ones without their payload.

        Ends before the first packet that is another one, which is then shown to paho, or that is not whole yet.
        """
        data = self._data
        available = len(data)
        while (header := self._fixed_header()) is not None:
            first, start, end = header
            qos = (first & 0x06) >> 1 if first & 0xF0 == PUBLISH else 2
            topic_start = start + 2
            if qos < 2 and topic_start <= end:
                if topic_start > available:
                    return
                topic_end = topic_start + (data[start] << 8 | data[start + 1])
                payload_start = topic_end + 2 * qos  # QoS 1 has a packet identifier
            else:
                payload_start = end + 1
            if payload_start > end:  # another packet, or one that contradicts itself: paho knows what to do
                self._show_to_paho(end)
                return
            size = end - payload_start
            is_oversized = size > max_payload_bytes
            if payload_start > available or (end > available and not is_oversized):
                return
            self._at, self._to_skip = (end, 0) if end <= available else (available, end - available)
            yield Publish(  # by place: by name costs twice as much
                data[topic_start:topic_end],
                None if is_oversized else data[payload_start:end],
                size,
                first & 0x01 != 0,
                data[topic_end] << 8 | data[topic_end + 1] if qos else 0,
            )

    def _show_to_paho(self, end: int) -> None:
        """Let paho read a packet once it is whole; one that only a broken peer would send ends the connection."""
        if end - self._at > MAX_CONTROL_BYTES:
            log.warning("the broker sent a control packet that is too long", size=end - self._at)
            self._is_at_end = True
        elif end <= len(self._data):
            self._shown_to_paho = end

    def _fixed_header(self) -> tuple[int, int, int] | None:
        """Read a packet's first byte, where its body starts and ends (MQTT 3.1.1, section 2.2); None when too short."""
        data, at = self._data, self._at
        if at + 2 < len(data) and (low := data[at + 1]) >= 0x80 > (high := data[at + 2]):
            return data[at], at + 3, at + 3 + (low & 0x7F | high << 7)  # 128 to 16,383 bytes, as nearly all have
        length = shift = 0
        for index in range(at + 1, min(at + 5, len(data))):
            digit = data[index]
            length |= (digit & 0x7F) << shift
            if digit < 0x80:
                return data[at], index + 1, index + 1 + length
            shift += 7
        if len(data) >= at + 5:  # no such length exists: paho shall see it and give the connection up
            return 0, at, len(data)
        return None

    @property
    def is_readable(self) -> bool:
        """True where paho's next read would get something, be it the end."""
        return self._at < self._shown_to_paho or self._is_at_end

    def recv(self, size: int) -> bytes:
        """Serve paho from memory. Raises BlockingIOError where there is nothing for it, as a socket does."""
        at = self._at
        end = min(at + size, self._shown_to_paho)
        if at < end:
            self._at = end
            if end == self._shown_to_paho:
                self._shown_to_paho = 0
            return self._data[at:end]
        if self._is_at_end:
            return b""
        raise BlockingIOError

    def send(self, data: bytes) -> int:
        """Write through to the network."""
        sent: int = self._sock.send(data)
        return sent

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - as of `socket.socket`
        """Pass paho's wish on."""
        self._sock.setblocking(flag)

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 when it is closed."""
        number: int = self._sock.fileno()
        return number

    def close(self) -> None:
        """Close the socket. May be called twice."""
        self._sock.close()
