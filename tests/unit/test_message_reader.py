"""A message is read the same by the short way and by the long one; the short one is for what is known to be valid."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import ROBOT
from vda5050 import message_reader
from vda5050.errors import RejectedMessage
from vda5050.message_reader import Message, MessageReader
from vda5050.payloads import parse_payload
from vda5050.stencil import Stencil
from vda5050.topics import parse_topic
from vda5050.validation import Decode, Version, detect_version, validate

TOPIC = f"uagv/v2/{ROBOT}/state"
ADDRESS = parse_topic(TOPIC)
OTHER = TOPIC.replace("KR_1001", "KR_1002")
WITHOUT_THETA = {"x": 1.5, "y": -2, "mapId": "hall", "positionInitialized": True}
POSITION = WITHOUT_THETA | {"theta": 0.5}


def state(number: int = 1, **members: Any) -> bytes:
    """Write a valid state of 2.1 with its changing numbers; a member given as `...` is left out."""
    whole = {
        "headerId": number,
        "timestamp": f"2026-11-23T15:29:{number:02d}.5Z",
        "version": "2.1.0",
        "manufacturer": "KUKA",
        "serialNumber": "KR_1001",
        "orderId": "order-1",
        "orderUpdateId": 1,
        "lastNodeId": "n1",
        "lastNodeSequenceId": 0,
        "nodeStates": [{"nodeId": "n2", "sequenceId": 2, "released": True}],
        "edgeStates": [],
        "driving": True,
        "actionStates": [{"actionId": "a1", "actionStatus": "RUNNING"}],
        "batteryState": {"batteryCharge": 80.5 - number, "charging": False},
        "operatingMode": "AUTOMATIC",
        "errors": [],
        "safetyState": {"eStop": "NONE", "fieldViolation": False},
        "agvPosition": POSITION | {"x": 1.5 - number},
    } | members
    return orjson.dumps({name: value for name, value in whole.items() if value is not ...})


def long_way(payload: bytes) -> tuple[dict[str, Any], Version, tuple[str, ...]]:
    """Read a payload as if nothing had come before."""
    document, oddities = parse_payload(payload)
    return document, detect_version(document, ADDRESS.major_version), tuple(oddities)


def facts(message: Message) -> tuple[dict[str, Any], Version, tuple[str, ...]]:
    """Give what a message says, however it was read."""
    return message.document, message.version, message.oddities


def are_valid(reader: MessageReader, *payloads: bytes) -> list[bool]:
    """Have payloads read, one after the other; tells of each whether it is known to be valid."""
    return [reader.read(TOPIC, ADDRESS, payload).is_valid for payload in payloads]


@pytest.fixture
def reader() -> MessageReader:
    """Give a reader that has seen two of `state`, and so has a stencil."""
    reader = MessageReader()
    assert are_valid(reader, state(1), state(2)) == [False, True]
    return reader


def test_the_next_of_a_kind_is_known_to_be_valid(reader: MessageReader) -> None:
    """Where two valid messages look alike, of the next one only what changes is read, whatever its numbers are."""
    message = reader.read(TOPIC, ADDRESS, state(31))

    assert message.is_valid
    assert facts(message) == long_way(state(31))
    assert message.changes == {
        "headerId": 31,
        "timestamp": "2026-11-23T15:29:31.5Z",
        "batteryState": {"batteryCharge": 49.5, "charging": False},
        "agvPosition": POSITION | {"x": -29.5},
    }


def test_what_has_a_stencil_has_the_same_other_members(reader: MessageReader) -> None:
    """Messages with one stencil differ in members that change only; another order is another stencil."""
    first, second = (reader.read(TOPIC, ADDRESS, state(number)) for number in (3, 4))
    assert first.stencil is second.stencil is not None

    for number in range(5, 15):
        other = reader.read(TOPIC, ADDRESS, state(number, orderId="order-2"))
    assert other.stencil not in (None, first.stencil)


@pytest.mark.parametrize(
    ("payload", "oddities"),
    [
        (state(3).replace(b'"driving":true', b'"driving":true,"driving":true'), ("duplicate_key",)),
        (state(3).replace(b'"headerId":3', b'"headerId":3,"headerId":3'), ("duplicate_key",)),
        (state(3, liftState=None), ("null",)),
        (state(3).replace(b",", b",\n"), ("line_break",)),
        (state(3, liftState="up"), ()),
        (state(3, agvPosition=POSITION | {"theta": 7.5}), ()),
        (state(3, agvPosition=POSITION | {"mapId": "h\u00e4ll"}), ()),
        (state(-3), ()),
        (state(3, version="2.0.0"), ()),
        (state(3, orderUpdateId=2), ()),
        (state(3, headerId=3.0), ()),
        (state(3, driving="yes"), ()),
        (state(3, driving=...), ()),
        (state(3, headerId=...), ()),
        (state(3).replace(b"headerId", b"header1Id"), ()),
        (state(3, orderId="ä"), ()),
        (state(3, orderId='"'), ()),
        (state(3)[:-1] + b" }", ()),
        (b"{}", ()),
    ],
)
def test_anything_else_is_read_the_long_way(reader: MessageReader, payload: bytes, oddities: tuple[str, ...]) -> None:
    """What is odd, invalid, of another version or just different is read, and named, as if nothing was known."""
    message = reader.read(TOPIC, ADDRESS, payload)

    assert not message.is_valid
    assert facts(message) == long_way(payload)
    assert message.oddities == oddities


def test_a_message_that_does_not_fit_ends_nothing(reader: MessageReader) -> None:
    """A number with an exponent comes now and then, near 0; the next message fits again."""
    tiny = state(3, agvPosition=POSITION | {"x": 1e-9})

    assert are_valid(reader, tiny, state(4), tiny, state(5)) == [False, True, False, True]


@pytest.mark.parametrize(
    "kind",
    [
        {"orderId": "ä"},  # not ASCII
        {"orderId": '"\u0007'},  # escapes
        {"liftState": {"height": 1.5, "up": None}},  # a member of the manufacturer's own
        {"liftState": {"height": 1e30}},
    ],
)
def test_what_stays_may_be_written_anyhow(kind: dict[str, Any]) -> None:
    """What was read before is the same byte for byte, so that nothing about it can be new, its oddities neither."""
    reader = MessageReader()
    kinds = [state(number, **kind) for number in range(1, 4)]

    assert are_valid(reader, *kinds) == [False, True, True]
    assert facts(reader.read(TOPIC, ADDRESS, kinds[2])) == long_way(kinds[2])


@pytest.mark.parametrize("space", [b" ", b"\n", b"\t\n  "])
def test_space_between_members(space: bytes) -> None:
    """However a robot writes its JSON: it writes it so every time."""
    reader = MessageReader()
    kinds = [state(number).replace(b",", b"," + space).replace(b'":', b'" :' + space) for number in range(1, 4)]

    assert are_valid(reader, *kinds) == [False, True, True]
    assert facts(reader.read(TOPIC, ADDRESS, kinds[2])) == long_way(kinds[2])


def test_what_stands_before_the_first_opening() -> None:
    """It is fixed text as well: another order there is no message of the same kind."""
    reader = MessageReader()
    start = b'{"orderId":"order-%d","headerId"'
    kinds = [state(number, orderId=...).replace(b'{"headerId"', start % 1) for number in range(1, 4)]
    assert are_valid(reader, *kinds) == [False, True, True]

    other = kinds[2].replace(start % 1, start % 2)
    assert facts(reader.read(TOPIC, ADDRESS, other)) == long_way(other)
    assert are_valid(reader, other) == [False]


def test_visualizations_and_their_order_of_members() -> None:
    """A member that changes may be the first or the last; here all but one do."""
    reader, topic = MessageReader(), TOPIC.replace("state", "visualization")
    position = b'"agvPosition":{"x":%d,"y":1,"theta":0,"mapId":"m","positionInitialized":true}'
    for number in range(1, 4):
        payload = b'{"headerId":%d,"version":"2.1.0",%b}' % (number, position % number)
        message = reader.read(topic, parse_topic(topic), payload)
        assert message.document == orjson.loads(payload)
    assert message.is_valid


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"driving":true', b'"driving":true,"driving":true'),
        (b'"theta":0.5', b'"theta":0.5,"theta":0.5'),
        (b'"headerId"', b'"header\\u0049d"'),
        (b'"theta"', b'"thet\\u0061"'),
        (b"hall", b"h\xc3\xa4ll"),
        (b'"theta":0.5', b'"theta":5e-1'),
        (b'"theta":0.5', b'"theta":5E-1'),
        (b'"theta":0.5', b'"theta":0.5,"lift1":1,"lift2":2'),
        (b'"theta":', b'"theta":\r'),
        (b"AUTOMATIC", b"FLYING"),
        (b'"errors":[]', b'"errors":null'),
    ],
)
def test_kinds_that_never_take_the_short_way(old: bytes, new: bytes) -> None:
    """What one cannot be sure of in the members that change, what is invalid, and what has a key twice."""
    reader = MessageReader()
    for number in range(1, 10):
        payload = state(number).replace(old, new)
        message = reader.read(TOPIC, ADDRESS, payload)
        assert facts(message) == long_way(payload)
        assert not message.is_valid


def test_names_that_differ_by_a_number() -> None:
    """A key that comes twice is named where two keys are one outline, too."""
    reader = MessageReader()
    for number in range(1, 6):
        message = reader.read(TOPIC, ADDRESS, state(number, lift1=1, lift2=2))
        assert message.oddities == ()
    twice = state(7, lift1=1, lift2=2).replace(b"lift2", b"lift1")

    assert [reader.read(TOPIC, ADDRESS, twice).oddities for _ in range(9)] == [("duplicate_key",)] * 9


def test_what_is_no_json_is_rejected(reader: MessageReader) -> None:
    """Where it is like what is known, too: here a number begins with 0."""
    for old, new in ((b'"lastNodeSequenceId":0', b'"lastNodeSequenceId":00'), (b'"headerId":3', b'"headerId":03')):
        with pytest.raises(RejectedMessage) as caught:
            reader.read(TOPIC, ADDRESS, state(3).replace(old, new))
        assert caught.value.reason == "json"


@pytest.mark.parametrize("space", [b"", b"\n", b"\t ", b" "])
def test_a_value_torn_by_the_fixed_text(space: bytes) -> None:
    """What stands in the openings is JSON as it came before, put together; the payload, torn elsewhere, is none."""
    reader, info = MessageReader(), b'{"infoType":"a","infoLevel":"INFO"}'
    start = b'{"information":[%b,%b%b],"version":"2.1.0","headerId"' % (info, space, info)
    kinds = [state(number, version=...).replace(b'{"headerId"', start) for number in (1, 2, 3)]
    assert are_valid(reader, *kinds) == [False, True, True]
    torn = b'{"information":[%b,"version":"2.1.0",%b],%b"headerId"' % (info, info, space)

    with pytest.raises(RejectedMessage) as caught:
        reader.read(TOPIC, ADDRESS, kinds[2].replace(start, torn))
    assert caught.value.reason == "json"


def test_each_topic_has_its_own_stencil(reader: MessageReader) -> None:
    """What one robot sends says nothing about another."""
    assert not reader.read(OTHER, parse_topic(OTHER), state(3)).is_valid
    assert are_valid(reader, state(3)) == [True]


def test_other_topics_are_read_the_long_way() -> None:
    """An order has members of any kind; it comes now and then only."""
    reader, topic = MessageReader(), TOPIC.replace("/state", "/order")

    assert not any(reader.read(topic, parse_topic(topic), b'{"headerId":1}').is_valid for _ in range(4))


def test_who_never_says_the_same_is_tried_ever_less(monkeypatch: pytest.MonkeyPatch, reader: MessageReader) -> None:
    """A stencil is cut ever more rarely for who does not fit in it; whom it fits for long gets the next one at once."""
    cuts: list[bytes] = []
    cut = Stencil.cut

    def counted(payload: bytes, document: dict[str, Any], decode: Decode) -> Stencil | None:
        cuts.append(payload)
        return cut(payload, document, decode)

    monkeypatch.setattr(Stencil, "cut", counted)
    are_valid(reader, *(state(number % 60, orderUpdateId=number) for number in range(1, 1_000)))

    assert 5 < len(cuts) < 12

    kept = [state(number % 60) for number in range(1, 300)]
    assert are_valid(reader, *kept)[-40:] == [True] * 40
    assert are_valid(reader, *(state(number, orderUpdateId=7) for number in range(1, 4))) == [True] * 3


def test_messages_have_to_look_alike_one_after_the_other(reader: MessageReader) -> None:
    """Two kinds in turn make no stencil, whether one of them fits in the last one or none does."""
    standing = [state(number, driving=False) for number in range(1, 10)]
    driving = [state(number) for number in range(1, 10)]
    turns = [payload for pair in zip(standing, driving, strict=True) for payload in pair]

    assert are_valid(MessageReader(), *turns) == [False] * 18
    assert are_valid(reader, *turns) == [False, True] * 9


def test_habits_are_bounded(monkeypatch: pytest.MonkeyPatch, reader: MessageReader) -> None:
    """Names may be invented without end; then all is forgotten and learnt again."""
    monkeypatch.setattr(message_reader, "_MAX_HABITS", 1)
    reader.read(OTHER, parse_topic(OTHER), state(3))

    assert are_valid(reader, state(3)) == [False]


def test_who_is_known_pushes_nobody_out(monkeypatch: pytest.MonkeyPatch, reader: MessageReader) -> None:
    """Where there are as many topics as may be, one of them may still send something else."""
    reader.read(OTHER, parse_topic(OTHER), state(3))
    monkeypatch.setattr(message_reader, "_MAX_HABITS", 2)
    reader.read(OTHER, parse_topic(OTHER), state(3, driving=False))

    assert are_valid(reader, state(3)) == [True]


def test_the_bytes_of_stencils_are_bounded(monkeypatch: pytest.MonkeyPatch, reader: MessageReader) -> None:
    """Beyond the bound all is forgotten and learnt again, so that invented robots take nothing from the others."""
    monkeypatch.setattr(message_reader, "_MAX_STENCIL_BYTES", 3 * len(state(1)))
    assert [reader.read(OTHER, parse_topic(OTHER), state(number)).is_valid for number in (1, 2)] == [False, True]

    assert are_valid(reader, state(3), state(4), state(5)) == [False, True, True]


def test_a_stencil_takes_the_place_of_the_one_before(monkeypatch: pytest.MonkeyPatch, reader: MessageReader) -> None:
    """However often a robot gets another one, it has one."""
    monkeypatch.setattr(message_reader, "_MAX_STENCIL_BYTES", 3 * len(state(1)))

    assert sum(are_valid(reader, *(state(number % 60, orderUpdateId=number // 20) for number in range(200)))) > 180


FRAGMENTS = (
    *(bytes([byte]) for byte in b'07-.e",:{}[]\\ \n\xff'),
    *(b"null", b"true", b'"driving":false,', b'"x":1e400,', b"\xc3\xa4", b"9" * 30),
)
edits = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 12), st.sampled_from(FRAGMENTS)), max_size=3)


def outcome_of(read: Callable[..., Any], *given: Any) -> Any:
    """Give what reading gives, or why it was rejected."""
    try:
        return read(*given)
    except RejectedMessage as rejected:
        return rejected.reason, rejected.detail


@given(st.lists(edits, min_size=1, max_size=4))
def test_any_bytes_are_read_the_same(edited: list[list[tuple[int, int, bytes]]]) -> None:
    """Promise: whatever came before, a payload is named or rejected as by the long way; tests/contract has numerals."""
    reader = MessageReader()
    for number in (1, 2):
        reader.read(TOPIC, ADDRESS, state(number))
    for changes in edited:
        payload = state(3)
        for at, length, fragment in changes:
            payload = payload[:at] + fragment + payload[at + length :]
        expected, outcome = outcome_of(long_way, payload), outcome_of(reader.read, TOPIC, ADDRESS, payload)
        if isinstance(outcome, Message):
            assert (outcome.version, outcome.oddities) == expected[1:]
            assert outcome.document == expected[0]
            assert not outcome.is_valid or validate(expected[0], outcome.version, "state") == []
        else:
            assert outcome == expected
