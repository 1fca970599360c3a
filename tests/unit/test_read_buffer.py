"""MQTT packets come out of the buffer whole and in order, wherever the network cut them.

PUBLISH packets of QoS 0 and 1 are taken by the bridge, every other packet is left to paho, and a payload that is too
large is skipped without being held. Packets are built here by the text of MQTT 3.1.1, sections 2.2 and 3.3.
"""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.mqtt_bridge.read_buffer import MAX_CONTROL_BYTES, READ_BYTES, Publish, ReadBuffer

MAX_PAYLOAD_BYTES = 300
PINGRESP = b"\xd0\x00"
PACKET_ID = 1_799
SUBACK = b"\x90\x05\x00\x01\x01\x01\x80"


def message(
    topic: str | bytes = "a/b", payload: bytes = b"{}", *, is_retained: bool = False, packet_id: int = 0
) -> Publish:
    """Give a PUBLISH as it comes out of the buffer; without its payload where that is too large."""
    name = topic if isinstance(topic, bytes) else topic.encode()
    kept = payload if len(payload) <= MAX_PAYLOAD_BYTES else None
    return Publish(name, kept, len(payload), is_retained, packet_id)


def remaining_length(length: int) -> bytes:
    """Write a packet's length: seven bits a byte, the lowest first."""
    digits = bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(digits)


def packet(first: int, body: bytes) -> bytes:
    """Write any packet."""
    return bytes([first]) + remaining_length(len(body)) + body


def publish(
    topic: str | bytes = "a/b", payload: bytes = b"{}", *, qos: int = 0, is_retained: bool = False, is_dup: bool = False
) -> bytes:
    """Write a PUBLISH."""
    name = topic if isinstance(topic, bytes) else topic.encode()
    identifier = PACKET_ID.to_bytes(2, "big") if qos else b""
    first = 0x30 | is_dup << 3 | qos << 1 | is_retained
    return packet(first, len(name).to_bytes(2, "big") + name + identifier + payload)


class FakeSocket:
    """Gives the network's bytes in the pieces that a test wants; an empty piece is the end, None is nothing yet."""

    def __init__(self, pieces: Sequence[bytes | None]) -> None:
        self.pieces = list(pieces)
        self.sent = b""
        self.is_blocking: bool | None = None
        self.closed = 0

    def recv(self, size: int) -> bytes:
        """Give the next piece."""
        piece = self.pieces.pop(0) if self.pieces else None
        if piece is None:
            raise BlockingIOError
        assert len(piece) <= size
        return piece

    def send(self, data: bytes) -> int:
        """Take half of what is written, as a full socket does."""
        taken = data[: max(1, len(data) // 2)]
        self.sent += taken
        return len(taken)

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - as of `socket.socket`
        """Note it."""
        self.is_blocking = flag

    def fileno(self) -> int:
        """Give a number."""
        return 42

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Bridge:
    """The buffer's other side: what the bridge and paho do with it, and what they got."""

    def __init__(self, *pieces: bytes | None) -> None:
        self.socket = FakeSocket(pieces)
        self.buffer = ReadBuffer(self.socket)
        self.got: list[Publish | bytes] = []
        self.held_bytes = 0

    def run(self) -> "Bridge":
        """Read until nothing comes any more; messages and paho's packets in the order in which they came."""
        while self.socket.pieces:
            self.buffer.fill()
            self.held_bytes = max(self.held_bytes, len(self.buffer._data))  # noqa: SLF001 - memory has no outside sign
            self.got += self._packets()
        return self

    def _packets(self) -> Iterator[Publish | bytes]:
        while True:
            yield from self.buffer.publishes(MAX_PAYLOAD_BYTES)
            if not self.buffer.is_readable:
                return
            shown = self._read_as_paho()
            yield shown
            if not shown:
                return

    def _read_as_paho(self) -> bytes:
        """Read one packet as paho does: the first byte, then the length byte by byte, then the rest."""
        data = self.buffer.recv(1)
        if not data:
            return b""
        length = shift = 0
        for _ in range(4):
            data += self.buffer.recv(1)
            length |= (data[-1] & 0x7F) << shift
            shift += 7
            if data[-1] < 0x80:
                break
        else:
            return data + self.buffer.recv(1_000)
        while length:
            piece = self.buffer.recv(length)
            data += piece
            length -= len(piece)
        return data


SMALL = [
    (publish("uagv/v2/A/1/state", b'{"a":1}'), message("uagv/v2/A/1/state", b'{"a":1}')),
    (publish("a/b", b"", is_retained=True), message("a/b", b"", is_retained=True)),
    (PINGRESP, PINGRESP),
    (publish("é", b"x" * 130, is_dup=True), message("é", b"x" * 130)),
    (publish("q1", b"{}", qos=1, is_retained=True), message("q1", b"{}", is_retained=True, packet_id=PACKET_ID)),
    (publish("q1", b"", qos=1, is_dup=True), message("q1", b"", packet_id=PACKET_ID)),
    (publish("q2", b"{}", qos=2), publish("q2", b"{}", qos=2)),
    (SUBACK, SUBACK),
    (publish("", b"no topic"), message("", b"no topic")),
    (publish(b"\xff\xfe", b"no text"), message(b"\xff\xfe", b"no text")),
]
STREAM = b"".join(data for data, _ in SMALL)
EXPECTED = [expected for _, expected in SMALL]


@pytest.mark.parametrize(("data", "expected"), SMALL)
def test_whole_packet(data: bytes, expected: Publish | bytes) -> None:
    """A whole PUBLISH of QoS 0 or 1 is taken as a message; any other packet is left to paho as it came."""
    assert Bridge(data).run().got == [expected]


def test_many_in_one_read() -> None:
    """Packets of both kinds that come in one read come out in their order."""
    assert Bridge(STREAM).run().got == EXPECTED


def test_split_anywhere() -> None:
    """It makes no difference where the network cuts."""
    cuts = range(1, len(STREAM))

    assert [at for at in cuts if Bridge(STREAM[:at], STREAM[at:]).run().got != EXPECTED] == []


def test_byte_by_byte() -> None:
    """Packets may come one byte at a time, with nothing at all in between."""
    pieces = [piece for at in range(len(STREAM)) for piece in (STREAM[at : at + 1], None)]

    assert Bridge(*pieces).run().got == EXPECTED


def test_packet_that_is_not_whole() -> None:
    """Of a packet that has not come whole nothing is shown to anybody."""
    bridge = Bridge(STREAM[:-3], None).run()

    assert bridge.got == EXPECTED[:-1]
    assert not bridge.buffer.is_readable
    with pytest.raises(BlockingIOError):
        bridge.buffer.recv(1)


@pytest.mark.parametrize("payload_bytes", [125 - 5, 126 - 5, 127 - 5, 128 - 5, 16_383 - 5, 16_384 - 5, 2_097_152])
def test_lengths(payload_bytes: int) -> None:
    """One to four length bytes are understood, at their edges."""
    payload = b"x" * payload_bytes
    data = publish("a/b", payload) + PINGRESP
    pieces = [data[at : at + READ_BYTES] for at in range(0, len(data), READ_BYTES)]

    assert Bridge(*pieces).run().got == [message("a/b", payload), PINGRESP]


@pytest.mark.parametrize("body_bytes", [0, 127, 128, 16_384])
def test_lengths_of_other_packets(body_bytes: int) -> None:
    """The same for packets that are left to paho."""
    data = packet(0x90, b"x" * body_bytes)

    assert Bridge(data + PINGRESP).run().got == [data, PINGRESP]


@pytest.mark.parametrize("qos", [0, 1])
def test_largest_payload(qos: int) -> None:
    """A payload of exactly the size allowed is taken, one byte more is not."""
    payloads = [b"x" * MAX_PAYLOAD_BYTES, b"x" * (MAX_PAYLOAD_BYTES + 1)]
    bridge = Bridge(*[publish(payload=payload, qos=qos) for payload in payloads]).run()

    taken = [(got.payload, got.size) for got in bridge.got if isinstance(got, Publish)]
    assert taken == [(payloads[0], MAX_PAYLOAD_BYTES), (None, MAX_PAYLOAD_BYTES + 1)]


LARGE = (
    PINGRESP
    + publish("big/0", b"x" * 500)
    + publish("next", b"1")
    + publish("big/1", b"y" * 301, qos=1, is_retained=True)
    + SUBACK
)
LARGE_EXPECTED = [
    PINGRESP,
    message("big/0", b"x" * 500),
    message("next", b"1"),
    message("big/1", b"y" * 301, is_retained=True, packet_id=PACKET_ID),
    SUBACK,
]


def test_oversized_is_skipped() -> None:
    """A payload above the size allowed is left out and skipped wherever the reads fall; its packet is told once."""
    cuts = range(1, len(LARGE))

    assert [at for at in cuts if Bridge(LARGE[:at], LARGE[at:]).run().got != LARGE_EXPECTED] == []


@pytest.mark.parametrize("piece", [1, 2, 7, 100, 299])
def test_oversized_in_small_pieces(piece: int) -> None:
    """The same with reads of any size."""
    assert Bridge(*[LARGE[at : at + piece] for at in range(0, len(LARGE), piece)]).run().got == LARGE_EXPECTED


@pytest.mark.parametrize("qos", [0, 1])
def test_oversized_is_never_held(qos: int) -> None:
    """Of a packet of megabytes no more than one read is in memory."""
    data = publish("big", b"x" * 5_000_000, qos=qos) + PINGRESP
    bridge = Bridge(*[data[at : at + 10_000] for at in range(0, len(data), 10_000)]).run()

    assert [got.size if isinstance(got, Publish) else got for got in bridge.got] == [5_000_000, PINGRESP]
    assert bridge.held_bytes <= 20_000


@pytest.mark.parametrize("first", [0x90, 0x34])
def test_packet_that_only_a_broken_peer_sends(first: int) -> None:
    """A packet that is no message and yet of megabytes ends the connection instead of being held."""
    data = packet(first, b"\x00\x01x" + b"x" * 5_000_000)
    bridge = Bridge(*[data[at : at + READ_BYTES] for at in range(0, len(data), READ_BYTES)])
    bridge.buffer.fill()

    assert list(bridge.buffer.publishes(MAX_PAYLOAD_BYTES)) == []
    assert bridge.buffer.is_readable
    assert bridge.buffer.recv(1) == b""
    assert len(data) > MAX_CONTROL_BYTES


@pytest.mark.parametrize("first", [0x30, 0x32, 0xD0])
def test_length_that_does_not_exist(first: int) -> None:
    """A length of five bytes, which MQTT has not, is shown to paho, who gives the connection up."""
    data = bytes([first]) + b"\xff\xff\xff\xff\x01"

    assert Bridge(data[:3], data[3:]).run().got == [data]


@pytest.mark.parametrize(
    ("first", "body"),
    [
        (0x30, b""),
        (0x30, b"\x00"),
        (0x30, b"\x00\x05abc"),
        (0x31, b"\xff\xff"),
        (0x32, b"\x00\x03abc"),
        (0x32, b"\x00\x03abc\x01"),
        (0x32, b"\x00\x00"),
    ],
)
def test_publish_that_contradicts_itself(first: int, body: bytes) -> None:
    """A PUBLISH too short for its own parts is shown to paho as it is; nothing is made of its neighbours' bytes."""
    bad = packet(first, body)

    assert Bridge(bad).run().got == [bad]
    assert Bridge(bad + publish()).run().got == [bad, message()]
    assert Bridge(*[bytes([byte]) for byte in bad + publish()]).run().got == [bad, message()]


def test_reads_are_large() -> None:
    """The network is asked for much at once."""
    data = publish(payload=b"x" * 200) * 1_000
    bridge = Bridge(*[data[at : at + READ_BYTES] for at in range(0, len(data), READ_BYTES)]).run()

    assert bridge.got == [message(payload=b"x" * 200)] * 1_000


def test_end_of_the_connection() -> None:
    """After the last whole packet paho is shown the end, however much of a next one had come."""
    bridge = Bridge(STREAM + publish()[:5], b"").run()

    assert bridge.got == [*EXPECTED, b""]
    assert bridge.buffer.is_readable
    assert bridge.buffer.recv(10) == b""


def test_failed_read_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is reset ends as one that is closed."""
    bridge = Bridge(PINGRESP).run()

    def fail(_size: int) -> bytes:
        raise ConnectionResetError

    monkeypatch.setattr(bridge.socket, "recv", fail)
    bridge.buffer.fill()
    assert bridge.buffer.recv(10) == b""


def test_paho_reads_no_further_than_one_packet() -> None:
    """Paho is never shown the packet after the one it reads: that may be the bridge's."""
    bridge = Bridge(PINGRESP + publish())
    bridge.buffer.fill()
    taken = list(bridge.buffer.publishes(MAX_PAYLOAD_BYTES))

    assert (taken, bridge.buffer.recv(1_000)) == ([], PINGRESP)
    assert not bridge.buffer.is_readable


def test_writes_go_straight_through() -> None:
    """What paho writes, its other wishes and a close reach the socket as they are."""
    bridge = Bridge()
    sent = bridge.buffer.send(b"1234")
    bridge.buffer.setblocking(False)
    bridge.buffer.close()
    bridge.buffer.close()

    assert (sent, bridge.socket.sent, bridge.socket.is_blocking) == (2, b"12", False)
    assert (bridge.buffer.fileno(), bridge.socket.closed) == (42, 2)


@given(
    st.lists(
        st.builds(
            publish,
            st.text("ab/é", max_size=5),
            st.one_of(st.binary(max_size=9), st.integers(0, 700).map(bytes)),
            qos=st.integers(0, 2),
            is_retained=st.booleans(),
            is_dup=st.booleans(),
        ),
        max_size=6,
    ),
    st.lists(st.integers(1, 400), max_size=12),
)
def test_any_stream_cut_anywhere(packets: list[bytes], cuts: list[int]) -> None:
    """Any packets, cut anywhere, come out as they do when each comes alone."""
    stream, pieces = b"".join(packets), []
    for cut in [*cuts, len(stream)]:
        pieces.append(stream[:cut] or None)
        stream = stream[cut:]
    alone = [Bridge(data).run() for data in packets]

    together = Bridge(*pieces, stream or None).run()
    assert together.got == [got for bridge in alone for got in bridge.got]
    assert len(together.got) == len(packets)


def test_fill_tells_whether_anything_was_there() -> None:
    """A round that reads nothing knows it, and waits; the end of the connection is something to look at."""
    buffer = ReadBuffer(FakeSocket([b"x", None, b""]))

    assert [buffer.fill() for _ in range(3)] == [True, False, True]
