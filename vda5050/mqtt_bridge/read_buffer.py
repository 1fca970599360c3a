"""What paho takes for its socket: one large read from the network, then many small ones from memory.

Takes the bytes of an MQTT connection (3.1.1), gives whole QoS 0 PUBLISH packets to the bridge and shows every other
packet to paho, whole. Holds at most one packet and one read; a QoS 0 packet above the size allowed is skipped while it
arrives.
"""

import logging
import ssl
from collections.abc import Iterator
from typing import Any, Protocol

import gevent
from gevent.hub import get_hub

from vda5050.errors import RejectedMessage

log = logging.getLogger(__name__)

READ_BYTES = 262_144
PUBLISH_QOS_0 = 0x30
"""First byte of a PUBLISH with QoS 0, but for its flags DUP (0x08) and RETAIN (0x01)."""
READ, WRITE = 1, 2
"""libev's event bits."""


class Receiver(Protocol):
    """Who gets the messages (`ingest.Ingest`). Must not raise."""

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Take one message."""

    def reject(self, topic: str, rejected: RejectedMessage) -> None:
        """Take note of a message that the bridge did not read."""


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

    def fill(self) -> None:
        """Read once what the network has."""
        try:
            data = self._sock.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            log.debug("reading from the broker failed: %s", error)
            data = b""
        if not data:
            self._is_at_end = True
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def publishes(self, max_payload_bytes: int, receiver: Receiver) -> Iterator[tuple[str, bytes, bool]]:
        """Take whole QoS 0 PUBLISH packets: topic, payload, retained.

        Ends before the first packet that is another one, which is then shown to paho, or that is not whole yet.
        """
        while (header := self._fixed_header()) is not None:
            first, start, end = header
            data = self._data
            topic_end = self._topic_end(start, end) if first & 0xF6 == PUBLISH_QOS_0 else end + 1
            if topic_end is None:
                return
            if topic_end > end:  # another packet, or one that contradicts itself: paho knows what to do
                self._shown_to_paho = end if end <= len(data) else 0
                return
            if end > len(data) and (end - topic_end <= max_payload_bytes or topic_end > len(data)):
                return
            try:
                topic = data[start + 2 : topic_end].decode()
            except UnicodeDecodeError:
                receiver.reject("", RejectedMessage("topic", "the topic is not UTF-8"))
            else:
                if end - topic_end > max_payload_bytes:
                    size = RejectedMessage("size", f"{end - topic_end} bytes, {max_payload_bytes} are allowed")
                    receiver.reject(topic, size)
                else:
                    yield topic, data[topic_end:end], bool(first & 0x01)
            self._at = min(end, len(data))
            self._to_skip = max(0, end - len(data))

    def _topic_end(self, start: int, end: int) -> int | None:
        """Read where the topic of a PUBLISH ends: beyond `end` in a malformed packet, None while it cannot be told."""
        if start + 2 > end:
            return end + 1
        if start + 2 > len(self._data):
            return None
        return start + 2 + int.from_bytes(self._data[start : start + 2], "big")

    def _fixed_header(self) -> tuple[int, int, int] | None:
        """Read a packet's first byte, where its body starts and ends (MQTT 3.1.1, section 2.2); None when too short."""
        data, at = self._data, self._at
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
