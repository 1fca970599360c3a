"""Bytes of a stream -> events, strictly: what a lenient browser would skip over fails here.

Takes bytes in pieces of any size, gives `Event`s. `HttpBody` undoes HTTP/1.1's chunks, `SseDecoder` reads the lines of
an event stream (WHATWG HTML, section 9.2). Shared by the clients of these tests and by those who read what curl wrote.
"""

from dataclasses import dataclass
from typing import Any

import orjson

_FIELDS = frozenset({b"id", b"data", b"retry"})


class BrokenStreamError(AssertionError):
    """The stream holds what no client should ever be sent."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `id` as on its own id line (None where it has none), `data` its JSON object."""

    id: str | None
    data: dict[str, Any]

    @property
    def type(self) -> str:
        """The member `type`: snapshot, update, status, reset or problem."""
        return str(self.data["type"])


def parse_event(text: bytes, event_id: str | None = None) -> Event:
    """Read an event's JSON. Raises BrokenStreamError."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BrokenStreamError(f"not JSON: {error} in {text[:200]!r}") from error
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise BrokenStreamError(f"no object with a type: {text[:200]!r}")
    return Event(event_id, data)


class SseDecoder:
    """Reads an event stream that has only the fields id, data and retry, one data line an event, lines ended by LF.

    Comments and `retry` count as soon as their line is there, as in a browser.
    """

    def __init__(self) -> None:
        self.retry_ms: int | None = None
        self.comments = 0
        self._rest = b""

    @property
    def is_between_events(self) -> bool:
        """True where nothing of a next event has arrived."""
        return not self._rest

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes, give the events that are complete with them. Raises BrokenStreamError."""
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        events = [event for block in blocks if (event := self._read(block)) is not None]
        while self._rest.startswith((b":", b"retry:")) and b"\n" in self._rest:
            line, _, self._rest = self._rest.partition(b"\n")
            self._read(line)
        self._rest = self._rest.removeprefix(b"\n")
        return events

    def _read(self, block: bytes) -> Event | None:
        fields: dict[bytes, bytes] = {}
        for line in block.removeprefix(b"\n").split(b"\n"):
            name, colon, value = line.partition(b":")
            if colon and not name:
                self.comments += 1
            elif name not in _FIELDS or name in fields or b"\r" in line:
                raise BrokenStreamError(f"unexpected line {line[:200]!r}")
            else:
                fields[name] = value.removeprefix(b" ")
        if b"retry" in fields:
            self.retry_ms = int(fields[b"retry"])
        if b"data" not in fields:
            return None
        return parse_event(fields[b"data"], fields[b"id"].decode() if b"id" in fields else None)


class HttpBody:
    """Undoes the chunked coding of an HTTP/1.1 body (RFC 9112, section 7.1)."""

    def __init__(self) -> None:
        self.is_complete = False
        self._rest = b""
        self._missing = 0

    def feed(self, data: bytes) -> bytes:
        """Take bytes, give those of the body among them. Raises BrokenStreamError."""
        data = self._rest + data
        at = 0
        body = []
        while not self.is_complete:
            if not self._missing:
                end = data.find(b"\r\n", at)
                if end < 0:
                    break
                size = int(data[at:end], 16)
                at, self._missing, self.is_complete = end + 2, size + 2, size == 0
            have = min(self._missing, len(data) - at)
            body.append(data[at : at + min(have, max(0, self._missing - 2))])
            at += have
            self._missing -= have
            if self._missing:
                break
        self._rest = data[at:]
        return b"".join(body)
