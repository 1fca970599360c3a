"""What clients read is what robots sent, on every wire, cut and joined anywhere."""

import json
import zlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode

from tests.unit.builders import EPOCH, Chain, Event, GzipReader, SseReader, reader_of, state
from tests.unit.test_payloads import json_objects
from vda5050 import frames
from vda5050.entries import Update
from vda5050.frames import Frame, Wire
from vda5050.topics import Address

wires = pytest.mark.parametrize("wire", list(Wire))
robot_names = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=8)


def read(data: bytes, wire: Wire) -> list[Event]:
    """Read a whole stream that was given its opening."""
    reader = reader_of(wire)
    events = reader.read(frames.encode_opening(wire, 1_500) + data)
    assert reader.is_between_events
    return events


def frame(offset: int, **override: Any) -> Frame:
    """Give a state's frame."""
    return Frame(
        offset, "KUKA/KR_1001", "state", frames.update_json("KUKA/KR_1001", "state", orjson.dumps(state(**override)))
    )


def kept(payload: bytes, address: Address) -> bytes:
    """Give a payload as it is kept."""
    return Update.of(address, payload, received_at=0.0, is_retained=False).payload


def test_update() -> None:
    """An update holds the robot's own bytes, not a copy that was written again."""
    payload = b'{"a" : 1.00,"a":"\\u00e9"}'

    text = frames.update_json("KUKA/KR_1001", "state", payload)
    assert text == b'{"type":"update","data":{"topic":"KUKA/KR_1001","type":"state","payload":%b}}' % payload


def test_snapshot_and_status() -> None:
    """A snapshot wraps the robots as they are; a status names the broker's link."""
    assert orjson.loads(frames.snapshot_json(b'{"A/1":{}}')) == {"type": "snapshot", "data": {"A/1": {}}}
    assert orjson.loads(frames.status_json("connected")) == {"type": "status", "data": {"broker": "connected"}}


@wires
def test_events(wire: Wire) -> None:
    """Every wire carries the same events with the same ids, in the order given."""
    data = frames.encode_events(EPOCH.encode(), [frame(7, driving=True), frame(9)], wire)

    events = read(data, wire)
    assert [event.id for event in events] == [f"{EPOCH}-7", f"{EPOCH}-9"]
    assert [event.data["payload"] for event in events] == [state(driving=True), state()]


def test_events_as_text() -> None:
    """An event is an id line, one data line and an empty line."""
    data = frames.encode_events(b"ep", [Frame(1, "", "status", b'{"type":"x"}')], Wire.SSE)

    assert data == b'id: ep-1\ndata: {"type":"x"}\n\n'


def test_websocket_object() -> None:
    """On a WebSocket the id is the first member of the object."""
    data = frames.encode_events(b"ep", [Frame(1, "", "status", b'{"type":"x"}')], Wire.WEBSOCKET)

    assert data[2:] == b'{"id":"ep-1","type":"x"}'


@wires
def test_reset_clears_the_id(wire: Wire) -> None:
    """A reset empties the last event id, so that a client that loses the snapshot after it comes back for another."""
    events = read(frames.encode_reset(wire), wire)

    cleared = None if wire is Wire.WEBSOCKET else ""
    assert [(event.id, event.text) for event in events] == [(cleared, frames.RESET)]


@wires
def test_heartbeat(wire: Wire) -> None:
    """A heartbeat is seen by the wire and is no event."""
    reader = reader_of(wire)

    events = reader.read(frames.encode_opening(wire, 1_500) + frames.encode_heartbeat(wire) * 2)
    assert (events, reader.comments, reader.is_between_events) == ([], 2, True)


@pytest.mark.parametrize("wire", [Wire.SSE, Wire.SSE_GZIP])
def test_opening_and_retry(wire: Wire) -> None:
    """A stream begins with its reconnection time, which can be changed later."""
    reader = GzipReader() if wire is Wire.SSE_GZIP else SseReader()

    events = reader.read(frames.encode_opening(wire, 1_500) + frames.encode_retry(wire, 2_500))
    assert (events, reader.retries_ms) == ([], [1_500, 2_500])


def test_websocket_has_no_opening() -> None:
    """A WebSocket is sent neither an opening nor a reconnection time: the protocol has none."""
    assert (frames.encode_opening(Wire.WEBSOCKET, 1), frames.encode_retry(Wire.WEBSOCKET, 1)) == (b"", b"")


@given(
    document=json_objects,
    indent=st.sampled_from([None, 0, 3]),
    line_break=st.sampled_from(["\n", "\r", "\r\n", "\n\r \r\n\n"]),
    manufacturer=robot_names,
    serial_number=robot_names,
    wire=st.sampled_from(Wire),
)
def test_any_payload_is_spliced_unchanged(
    *, document: dict[str, Any], indent: int | None, line_break: str, manufacturer: str, serial_number: str, wire: Wire
) -> None:
    """Any document of any robot, however formatted, reads back as itself, and as one event."""
    # json writes strings without raw line breaks, so that those of the formatting are the only ones.
    payload = json.dumps(document, indent=indent, ensure_ascii=False).replace("\n", line_break).encode()
    address = Address("uagv", "v2", manufacturer, serial_number, "state")
    text = frames.update_json(address.robot, "state", kept(payload, address))

    (event,) = read(frames.encode_events(EPOCH.encode(), [Frame(1, address.robot, "state", text)], wire), wire)
    assert event.data == {"topic": address.robot, "type": "state", "payload": orjson.loads(payload)}
    assert b"\n" not in event.text
    assert b"\r" not in event.text


@pytest.mark.parametrize(
    "name", ["<script>", "a%2Fb", 'q"uote', "back\\slash", "new\nline", "carriage\rreturn", "\u2028"]
)
@wires
def test_strange_names(name: str, wire: Wire) -> None:
    """A robot's name is text wherever it appears; none can form a new field or event."""
    text = frames.update_json(f"{name}/{name}", "state", b"{}")

    (event,) = read(frames.encode_events(EPOCH.encode(), [Frame(1, name, "state", text)], wire), wire)
    assert event.data["topic"] == f"{name}/{name}"


@given(st.lists(st.binary(max_size=300), max_size=6), st.booleans())
def test_gzip_blocks_join_in_any_order(texts: list[bytes], with_stored: bool) -> None:  # noqa: FBT001 - by name
    """Blocks made apart, stored ones among them, decompress to the texts in the order in which they were joined."""
    blocks = [frames.deflate_block(text) for text in texts]
    if with_stored:
        blocks = [frames.encode_sse_text(text, Wire.SSE_GZIP) if i % 2 else blocks[i] for i, text in enumerate(texts)]
    decompressor = zlib.decompressobj(31)

    # Each block must be readable when it arrives, not only when the next one has.
    read_back = [decompressor.decompress(data) for data in [frames.GZIP_HEADER, *blocks]]
    assert read_back == [b"", *texts]
    assert not decompressor.eof


def test_gzip_is_worth_it() -> None:
    """A batch of states becomes much smaller."""
    batch = [frame(offset, driving=bool(offset % 2)) for offset in range(50)]

    plain, small = (len(frames.encode_events(b"e", batch, wire)) for wire in (Wire.SSE, Wire.SSE_GZIP))
    assert small * 20 < plain


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_websocket_lengths(size: int) -> None:
    """Each of the three length forms of RFC 6455, at its edges, is read by wsproto as one whole text."""
    protocol = FrameProtocol(client=True, extensions=[])
    protocol.receive_bytes(frames.websocket_text(b"x" * size) + frames.websocket_text(b"next"))

    seen = [(frame.opcode, frame.payload, frame.message_finished) for frame in protocol.received_frames()]
    assert seen == [(Opcode.TEXT, "x" * size, True), (Opcode.TEXT, "next", True)]


@given(st.binary(max_size=200).filter(lambda data: len(data) < 126), st.integers(1, 20))
def test_websocket_frames(payload: bytes, piece: int) -> None:
    """Any payload in a frame, arriving in pieces of any size, is read as it was."""
    protocol = FrameProtocol(client=True, extensions=[])
    data = frames.websocket_frame(0x9, payload)
    pings: list[object] = []

    for start in range(0, len(data), piece):
        protocol.receive_bytes(data[start : start + piece])
        pings += [frame.payload for frame in protocol.received_frames()]
    assert pings == [payload]


def test_longest_stored_text() -> None:
    """A text of 65,535 bytes, the most that a stored block holds, is read back."""
    block = frames.encode_sse_text(b"x" * 65_535, Wire.SSE_GZIP)

    assert zlib.decompressobj(31).decompress(frames.GZIP_HEADER + block) == b"x" * 65_535


def test_chain_says_what_frames_write() -> None:
    """What goes in as MQTT comes out as an event of the same robot, topic and payload."""
    chain = Chain()
    client = chain.subscribe()
    client.take()
    chain.receive(state(driving=True), robot="ABB/7")
    chain.flush()

    (event,) = client.take()
    chain.close()
    assert event.data == {"topic": "ABB/7", "type": "state", "payload": state(driving=True)}
