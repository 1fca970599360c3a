"""A recording read line by line: what `mosquitto_sub -v` prints, or JSON lines; whatever else stands there is noise.

Takes lines as bytes, gives `Message`s in order. Understood are

    topic payload                    as `mosquitto_sub -v` prints it; a log's time may stand before it, and the JSON
                                     may go on over the following lines
    {"topic": ..., "payload": ...}   as `process_vda5050_messages.py --json` prints it (with `received`, `retained`, and
                                     `raw` for what was no JSON), or `mosquitto_sub -F %j` (with `tst`, `retain`)
    {"received_at": ..., "mqtt_topic": ..., "payload": ...}   as `/history/export` writes it; the payload's very bytes

A payload that cannot be read is a message all the same: the robot sent it, and the doctor says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from vda5050.errors import RejectedMessage
from vda5050.topics import Address, parse_topic

_MAX_LINES_A_MESSAGE = 2_000
_Z_BEFORE_OFFSET = re.compile(r"Z(?=[+-]\d)")
"""mosquitto_sub 2.0 writes 2026-11-23T16:28:40.559721Z+0000."""
_NO_PAYLOAD = b"(null)"
"""How mosquitto_sub writes an empty payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message from a robot's topic. `place` is its line, or its number where there are no lines.

    `at` (seconds that only rise) and `wall` (epoch seconds) say when it was received, None where nothing says so.
    """

    address: Address
    payload: bytes
    place: int
    is_retained: bool = False
    at: float | None = None
    wall: float | None = None


@dataclass(slots=True)
class _Unfinished:
    """A message whose JSON may go on in the next lines."""

    message: Message
    lines: list[bytes] = field(default_factory=list)

    def joined(self) -> Message:
        first = self.message
        payload = b"\n".join([first.payload, *self.lines])
        return Message(address=first.address, payload=payload, place=first.place)


class Recording:
    """The messages of a recording; iterate once, then `noise` is the number of lines that were none."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.noise = 0

    def __iter__(self) -> Iterator[Message]:
        unfinished: _Unfinished | None = None
        for number, raw in enumerate(self._lines, 1):
            line = raw.rstrip(b"\r\n")
            message = _read_line(line, number)
            if message is not None:
                yield from self._give_up(unfinished)
                unfinished = None
                if _may_go_on(message.payload):
                    unfinished = _Unfinished(message)
                else:
                    yield message
            elif unfinished is not None and len(unfinished.lines) < _MAX_LINES_A_MESSAGE:
                unfinished.lines.append(line)
                if line.rstrip().endswith(b"}") and _is_json((whole := unfinished.joined()).payload):
                    unfinished = None
                    yield whole
            elif line.strip():
                self.noise += 1
        yield from self._give_up(unfinished)

    def _give_up(self, unfinished: _Unfinished | None) -> Iterator[Message]:
        """Take the first line for all there was; what followed was noise."""
        if unfinished is not None:
            self.noise += sum(bool(line.strip()) for line in unfinished.lines)
            yield unfinished.message


def _read_line(line: bytes, number: int) -> Message | None:
    """Read one line; None where it begins no message."""
    text = line.lstrip()
    if text.startswith(b"{"):
        return _read_json_line(text, number)
    head, brace, rest = text.partition(b" {")
    if brace:
        address = _address(head.rpartition(b" ")[2]) or _address(head)
        payload = b"{" + rest
    else:
        head, _, payload = text.partition(b" ")
        address = _address(head) if payload else None
    if address is None:
        return None
    return Message(address=address, payload=b"" if payload == _NO_PAYLOAD else payload, place=number)


def _read_json_line(text: bytes, number: int) -> Message | None:
    try:
        entry = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if "mqtt_topic" in entry and text.endswith(b"}"):
        return _read_exported_line(text, entry, number)
    topic = entry.get("topic")
    address = _address(topic.encode()) if isinstance(topic, str) else None
    if address is None or not ("payload" in entry or "raw" in entry):
        return None
    received = seconds_of(entry.get("received", entry.get("tst")))
    return Message(
        address=address,
        payload=_payload_of(entry, text),
        place=number,
        is_retained=bool(entry.get("retained", entry.get("retain", False))),
        at=received,
        wall=received,
    )


def _read_exported_line(text: bytes, entry: dict[str, Any], number: int) -> Message | None:
    # Inside a string its quotes would be escaped, so this is where the last member begins.
    _, found, rest = text.partition(b',"payload":')
    topic = entry["mqtt_topic"]
    address = _address(topic.encode()) if isinstance(topic, str) and found else None
    if address is None:
        return None
    received = seconds_of(entry.get("received_at"))
    return Message(
        address=address,
        payload=rest[:-1],
        place=number,
        is_retained=bool(entry.get("is_retained", False)),
        at=received,
        wall=received,
    )


def _payload_of(entry: dict[str, Any], line: bytes) -> bytes:
    """Give the payload's bytes; of one too deep to be written again the whole line, which is refused as too deep."""
    if isinstance(raw := entry.get("raw"), str):
        return raw.encode()
    if isinstance(text := entry.get("payload"), str):
        return text.encode()  # mosquitto_sub writes what is no JSON as a string
    try:
        return orjson.dumps(entry["payload"])
    except TypeError:
        return line


def seconds_of(stamp: object) -> float | None:
    """Read ISO 8601 as epoch seconds, without a zone as UTC; None for anything else, or an end of the calendar."""
    if not isinstance(stamp, str):
        return None
    try:
        read = datetime.fromisoformat(_Z_BEFORE_OFFSET.sub("", stamp))
    except ValueError:
        return None
    if not 1 < read.year < 9999:
        return None  # in another zone, or a rounding later, it may be a year that there is not
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _address(topic: bytes) -> Address | None:
    try:
        return parse_topic(topic.decode())
    except (UnicodeDecodeError, RejectedMessage):
        return None


def _may_go_on(payload: bytes) -> bool:
    return payload.startswith(b"{") and not payload.rstrip().endswith(b"}") and not _is_json(payload)


def _is_json(payload: bytes) -> bool:
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError:
        return False
    return True
