"""From the bytes of a connection to the messages in them, for every wire that is compared.

Takes what `recv` gave, in any pieces; gives whole messages in order: the text of an SSE event, of a WebSocket message,
or an MQTT PUBLISH packet. What is incomplete waits for the next piece.

HTTP: RFC 9112 (head, chunks). SSE: WHATWG HTML, section 9.2. WebSocket: RFC 6455, section 5.2. MQTT 3.1.1, section 2.2.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

_PUBLISH = 3


class Refused(Exception):  # noqa: N818 - reads as the claim it is
    """The server answered something else than the stream; the message is the head of its answer."""


class Decoder(Protocol):
    """What a client that reads everything needs of its wire."""

    def messages(self, data: bytes) -> Iterator[bytes]:
        """Give the messages that `data` completes. Raises Refused."""


class SseDecoder:
    """An HTTP answer, chunked or not, gzip or not, that holds SSE events."""

    def __init__(self) -> None:
        self._raw = b""
        self._text = b""
        self._is_open = False
        self._is_chunked = False
        self._inflate: zlib._Decompress | None = None

    def messages(self, data: bytes) -> Iterator[bytes]:
        self._raw += data
        if not self._is_open and not self._read_head():
            return
        body = self._body()
        *events, self._text = (self._text + body).split(b"\n\n")
        yield from events

    def _read_head(self) -> bool:
        head, end, rest = self._raw.partition(b"\r\n\r\n")
        if not end:
            return False
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise Refused(head.decode("latin-1"))
        fields = head.lower()
        self._is_chunked = b"transfer-encoding: chunked" in fields
        if b"content-encoding: gzip" in fields:
            self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._raw, self._is_open = rest, True
        return True

    def _body(self) -> bytes:
        if self._is_chunked:
            body = self._whole_chunks()
        else:
            body, self._raw = self._raw, b""
        return body if self._inflate is None else self._inflate.decompress(body)

    def _whole_chunks(self) -> bytes:
        raw, parts, at = self._raw, [], 0
        while (line_end := raw.find(b"\r\n", at)) >= 0:
            size = int(raw[at:line_end], 16)
            end = line_end + 2 + size
            if len(raw) < end + 2:
                break
            parts.append(raw[line_end + 2 : end])
            at = end + 2
        self._raw = raw[at:]
        return b"".join(parts)


class WebSocketDecoder:
    """Unmasked frames, as a server sends them: the payload of each that holds data. None is fragmented here."""

    def __init__(self) -> None:
        self._raw = b""

    def messages(self, data: bytes) -> Iterator[bytes]:
        raw, at = self._raw + data, 0
        while len(raw) >= at + 2:
            size, start = raw[at + 1], at + 2
            if size >= 126:  # the length stands in the next 2 or 8 bytes
                start += 2 if size == 126 else 8
                if len(raw) < start:
                    break
                size = int.from_bytes(raw[at + 2 : start], "big")
            if len(raw) < start + size:
                break
            if raw[at] & 0x0F <= 2:
                yield raw[start : start + size]
            at = start + size
        self._raw = raw[at:]


class MqttDecoder:
    """MQTT packets inside WebSocket frames, which may be cut anywhere: the PUBLISH packets."""

    def __init__(self) -> None:
        self._frames = WebSocketDecoder()
        self._raw = b""

    def messages(self, data: bytes) -> Iterator[bytes]:
        raw, at = self._raw + b"".join(self._frames.messages(data)), 0
        while (found := _packet_end(raw, at)) is not None and found <= len(raw):
            if raw[at] >> 4 == _PUBLISH:
                yield raw[at:found]
            at = found
        self._raw = raw[at:]


def _packet_end(raw: bytes, at: int) -> int | None:
    """Return where the MQTT packet at `at` ends; None where even its length is not all there."""
    size = 0
    for shift, digit in enumerate(raw[at + 1 : at + 5]):
        size |= (digit & 0x7F) << 7 * shift
        if digit < 0x80:
            return at + 2 + shift + size
    return None
