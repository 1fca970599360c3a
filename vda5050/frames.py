"""Update -> Frame: the only place that writes what clients read.

Takes a robot's payload bytes (valid JSON, no raw CR or LF: `entries.Update.of` sees to that), gives frames numbered by
offset and the bytes of every kind of event. A payload is spliced into its envelope, never encoded again.

    {"type":"update","data":{"topic":"KUKA/KR_1001","type":"state","payload":{...}}}
    {"type":"snapshot","data":{"KUKA/KR_1001":{...}}}
    {"type":"finding","data":{"rule":"header_id_gap","robot":"KUKA/KR_1001",...}}
    {"type":"acknowledgement","data":{"robot":"KUKA/KR_1001","alert":"stop","by":"shift leader",...}}
    {"type":"status","data":{"broker":"disconnected"}}
    {"type":"reset"}

An event's id is `<epoch>-<offset>`. Offsets rise by one with every frame of one epoch, and the epoch is another one
after every restart, so that an id of before can be told from one of now. On a WebSocket, which has no id line, the same
object starts with the member "id".

A comment or a `retry` field is a line of its own without the empty line that ends an event: readers exist (httpx-sse)
that take every empty line for an event, and then find no JSON in it.

Server-Sent Events: WHATWG HTML, section 9.2. WebSocket frames: RFC 6455, section 5.2. Deflate: RFC 1951, section 3.2.4.
"""

import struct
import zlib
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from vda5050.entries import Entry, LinkChange, Told, Update

RESET = b'{"type":"reset"}'
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""RFC 1952, section 2.3: no name, no time, unknown system. No trailer ever follows: a stream has no end."""

_COMPRESSION_LEVEL = 6
"""Paid once per batch and filter, saves on every client's wire. See benchmarks/README.md for level 1 beside it."""

_LARGE_BYTES = 1_048_576
"""A larger text, a snapshot of a large fleet, is compressed fast: nothing else runs meanwhile."""

UPDATE_TAIL = b"}}"
"""What stands behind a robot's payload."""

FINDING = "finding"
"""The topic of frames that tell what the doctor found."""
STATUS = "status"
"""The topic of frames that tell how the link to the broker stands; they are of no robot."""
_TEXT = 0x1
"""The opcode of a WebSocket's text frames."""


class Wire(Enum):
    """The form in which a client takes events. The value labels the metrics."""

    SSE = "sse"
    SSE_GZIP = "sse_gzip"
    WEBSOCKET = "websocket"


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One event for all who want it: its object is `head`, `body` and `tail` put together; `offset` is its place.

    An update's body is the payload that `robot_state` keeps too, so that it is copied only where it is sent; any other
    frame is all head. A frame of no robot (`robot` is "") is about the stream itself and goes to every client.
    """

    offset: int
    robot: str
    topic: str
    head: bytes
    body: bytes = b""
    tail: bytes = b""

    @property
    def size(self) -> int:
        """The length of its object."""
        return len(self.head) + len(self.body) + len(self.tail)


def update_frame(offset: int, robot: str, topic: str, payload: bytes) -> Frame:
    """Make a robot's payload a frame."""
    return Frame(offset, robot, topic, update_head(robot, topic), payload, UPDATE_TAIL)


def update_json(robot: str, topic: str, payload: bytes) -> bytes:
    """Wrap a robot's payload."""
    return b"".join((update_head(robot, topic), payload, UPDATE_TAIL))


@lru_cache(maxsize=65_536)
def update_head(robot: str, topic: str) -> bytes:
    """Write what stands before a robot's payload."""
    return b'{"type":"update","data":{"topic":%b,"type":"%b","payload":' % (orjson.dumps(robot), topic.encode())


def status_json(broker: str) -> bytes:
    """Tell the clients that the gateway's link to the broker is `connected` or `disconnected`."""
    return orjson.dumps({"type": "status", "data": {"broker": broker}})


def finding_json(finding: dict[str, Any]) -> bytes:
    """Tell what the doctor found (see `doctor.Finding.to_dict`), without a sample that is too deep to stand in here.

    Every worker writes the same: an entry of the stream that has an offset must have a frame.
    """
    try:
        return orjson.dumps({"type": "finding", "data": finding})
    except TypeError:
        return orjson.dumps({"type": "finding", "data": {**finding, "sample": None}})


def entry_frame(offset: int, entry: Entry) -> Frame:
    """Write any entry as the frame that `broadcast` makes of it."""
    match entry:
        case Update(address, payload):
            return update_frame(offset, address.robot, address.topic, payload)
        case Told(robot, finding):
            return Frame(offset, robot, FINDING, finding_json(finding))
        case LinkChange(is_up):
            return Frame(offset, "", STATUS, status_json("connected" if is_up else "disconnected"))


def acknowledgement_json(acknowledgement: dict[str, Any]) -> bytes:
    """Tell who has seen to an alert (see `acknowledgements`)."""
    return orjson.dumps({"type": "acknowledgement", "data": acknowledgement})


def snapshot_json(robots: bytes) -> bytes:
    """Wrap a snapshot that `RobotState.get_snapshot` wrote."""
    return b'{"type":"snapshot","data":%b}' % robots


def encode_events(epoch: bytes, frames: Iterable[Frame], wire: Wire) -> bytes:
    """Write frames in the order given, for any number of clients of one wire."""
    if wire is Wire.WEBSOCKET:
        return b"".join([piece for frame in frames for piece in _websocket_pieces(epoch, frame)])
    text = b"".join([piece for frame in frames for piece in _sse_pieces(epoch, frame)])
    return deflate_block(text) if wire is Wire.SSE_GZIP else text


def _sse_pieces(epoch: bytes, frame: Frame) -> tuple[bytes, ...]:
    return b"id: %b-%d\ndata: %b" % (epoch, frame.offset, frame.head), frame.body, frame.tail, b"\n\n"


def _websocket_pieces(epoch: bytes, frame: Frame) -> tuple[bytes, ...]:
    start = b'{"id":"%b-%d",%b' % (epoch, frame.offset, frame.head[1:])
    size = len(start) + len(frame.body) + len(frame.tail)
    return _websocket_header(_TEXT, size), start, frame.body, frame.tail


def encode_reset(wire: Wire) -> bytes:
    """Write the event that tells a client to forget what it knows, its last event id as well; a snapshot follows.

    The id is empty: whose connection breaks before the snapshot came would else resume from before the reset.
    """
    if wire is Wire.WEBSOCKET:
        return websocket_text(RESET)
    return encode_sse_text(b"id:\ndata: %b\n\n" % RESET, wire)


def encode_notice(json: bytes, wire: Wire) -> bytes:
    """Write an event for one client, without an id: it is no part of the numbered stream."""
    if wire is Wire.WEBSOCKET:
        return websocket_text(json)
    return encode_sse_text(b"data: %b\n\n" % json, wire)


def encode_heartbeat(wire: Wire) -> bytes:
    """Write what shows that the stream lives: a comment, or on a WebSocket a ping."""
    return websocket_frame(0x9, b"") if wire is Wire.WEBSOCKET else encode_sse_text(b":\n", wire)


def encode_opening(wire: Wire, retry_ms: int) -> bytes:
    """Write what a stream begins with: for SSE how long to wait before coming back, for gzip its header as well."""
    if wire is Wire.WEBSOCKET:
        return b""
    header = GZIP_HEADER if wire is Wire.SSE_GZIP else b""
    return header + encode_retry(wire, retry_ms)


def encode_retry(wire: Wire, retry_ms: int) -> bytes:
    """Write the SSE field that sets the client's reconnection time."""
    return b"" if wire is Wire.WEBSOCKET else encode_sse_text(b"retry: %d\n" % retry_ms, wire)


def encode_sse_text(text: bytes, wire: Wire) -> bytes:
    """Write a short SSE text (at most 65,535 bytes); in a gzip stream as a stored block, which costs no compressor."""
    if wire is not Wire.SSE_GZIP:
        return text
    return b"\x00" + struct.pack("<HH", len(text), len(text) ^ 0xFFFF) + text


def deflate_block(text: bytes) -> bytes:
    """Compress `text` into deflate blocks that can follow and precede any other such blocks.

    Fresh compressor: nothing before is referred to. Z_FULL_FLUSH: ends on a byte boundary, not marked as final.
    """
    level = _COMPRESSION_LEVEL if len(text) <= _LARGE_BYTES else 1
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH)


def websocket_text(text: bytes) -> bytes:
    """Write a text message in one unmasked frame, as a server sends it."""
    return websocket_frame(_TEXT, text)


def websocket_frame(opcode: int, payload: bytes) -> bytes:
    """Write one final unmasked frame (RFC 6455, section 5.2)."""
    return _websocket_header(opcode, len(payload)) + payload


def _websocket_header(opcode: int, size: int) -> bytes:
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, size)
    if size < 65_536:
        return struct.pack("!BBH", 0x80 | opcode, 126, size)
    return struct.pack("!BBQ", 0x80 | opcode, 127, size)
