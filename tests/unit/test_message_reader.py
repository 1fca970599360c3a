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
from vda5050.topics import parse_topic
from vda5050.validation import Version, detect_version, validate

TOPIC = f"uagv/v2/{ROBOT}/state"
ADDRESS = parse_topic(TOPIC)


def state(number: int = 1, **members: Any) -> bytes:
    """Write a valid state of 2.1 with its changing numbers; a member given as `...` is left out."""
    whole = {
        "headerId": number,
        "timestamp": f"2026-11-23T15:29:{number:02d}.5Z",
        "version": "2.1.0",
        "manufacturer": "KUKA",
        "serialNumber": "KR_1001",
        "orderId": f"order-{number}",
        "orderUpdateId": number,
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
        "agvPosition": {"x": 1.5 - number, "y": -2, "theta": 0.5, "mapId": "hall", "positionInitialized": True},
    } | members
    return orjson.dumps({name: value for name, value in whole.items() if value is not ...})


def long_way(payload: bytes) -> tuple[dict[str, Any], Version, tuple[str, ...]]:
    """Read a payload as if nothing had come before."""
    document, oddities = parse_payload(payload)
    return document, detect_version(document, ADDRESS.major_version), tuple(oddities)


def facts(message: Message) -> tuple[dict[str, Any], Version, tuple[str, ...]]:
    """Give what a message says, however it was read."""
    return message.document, message.version, message.oddities


@pytest.fixture
def reader() -> MessageReader:
    """Give a reader that knows the outline of `state`."""
    reader = MessageReader()
    for number in (1, 2):
        assert not reader.read(TOPIC, ADDRESS, state(number)).is_valid
    return reader


def test_the_third_of_a_kind_is_known_to_be_valid(reader: MessageReader) -> None:
    """Where an outline came twice in valid messages, the next one is read in one pass, whatever its numbers are."""
    message = reader.read(TOPIC, ADDRESS, state(31))

    assert message.is_valid
    assert facts(message) == long_way(state(31))


@pytest.mark.parametrize(
    ("payload", "oddities"),
    [
        (state(3).replace(b'"driving":true', b'"driving":true,"driving":true'), ("duplicate_key",)),
        (state(3, liftState=None), ("null",)),
        (state(3).replace(b",", b",\n"), ("line_break",)),
        (state(3, liftState="up"), ()),
        (state(3, agvPosition={"x": 1, "y": 2, "theta": 7.5, "mapId": "hall", "positionInitialized": True}), ()),
        (state(-3), ()),
        (state(3, version="2.0.0"), ()),
        (state(3, orderUpdateId=1.0), ()),
        (state(3, driving="yes"), ()),
        (state(3, driving=...), ()),
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


@pytest.mark.parametrize(
    "kind",
    [
        {"orderId": "ä"},  # an outline that is not ASCII
        {"orderId": '"'},  # one with an escape
        {"liftState": {"height": 1.5}},  # a member of the manufacturer's own
        {"operatingMode": "FLYING"},  # an error
        {"loads": None},
        {"agvPosition": {"x": 1e30, "y": 0, "theta": 0, "mapId": "m", "positionInitialized": True}},  # an exponent
    ],
)
def test_kinds_that_always_take_the_long_way(kind: dict[str, Any]) -> None:
    """What one pass cannot be sure of, or would leave out, is read the long way however often it comes."""
    reader = MessageReader()
    for number in range(1, 6):
        message = reader.read(TOPIC, ADDRESS, state(number, **kind))
        assert not message.is_valid
        assert facts(message) == long_way(state(number, **kind))


HIDDEN_DUPLICATE = (
    b'"driving":true,"distanceSinceLastNode":123456789012345678.0,'
    b'"velocity":{"vx":1,"vx":12345678901234567.0,"vy":123456789012345678.0}'
)
"""Written again its numbers are longer, by as much as the message is shorter without the key that is there twice."""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b",", b",\n"),
        (b'"driving":true', b'"driving":true,"driving":true'),
        (b'"driving":true', HIDDEN_DUPLICATE),
    ],
)
def test_odd_kinds_never_take_the_short_way(old: bytes, new: bytes) -> None:
    """A message is read as odd as it is, however often one like it comes."""
    reader = MessageReader()
    for number in range(1, 6):
        payload = state(number).replace(old, new)
        assert facts(reader.read(TOPIC, ADDRESS, payload)) == long_way(payload)
        assert not reader.read(TOPIC, ADDRESS, payload).is_valid


def test_a_number_that_is_refused_once() -> None:
    """A message whose number takes the long way when its outline is learnt says nothing about the next one."""
    reader = MessageReader()
    kinds = [state(1), state(2, orderUpdateId=1.0), state(3), state(4)]

    assert [reader.read(TOPIC, ADDRESS, payload).is_valid for payload in kinds] == [False, False, False, True]


def test_names_that_differ_by_a_number() -> None:
    """A key that comes twice is named where two keys are one outline, too."""
    reader = MessageReader()
    for number in range(1, 6):
        message = reader.read(TOPIC, ADDRESS, state(number, lift1=1, lift2=2))
        assert message.oddities == ()
    twice = state(7, lift1=1, lift2=2).replace(b"lift2", b"lift1")

    assert reader.read(TOPIC, ADDRESS, twice).oddities == ("duplicate_key",)


def test_what_is_no_json_is_rejected(reader: MessageReader) -> None:
    """With an outline that is known, too: here a number begins with 0."""
    payload = state(3).replace(b'"lastNodeSequenceId":0', b'"lastNodeSequenceId":00')

    with pytest.raises(RejectedMessage) as caught:
        reader.read(TOPIC, ADDRESS, payload)
    assert caught.value.reason == "json"


def test_each_topic_has_its_own_outline(reader: MessageReader) -> None:
    """What one robot sends says nothing about another."""
    other = TOPIC.replace("KR_1001", "KR_1002")

    assert not reader.read(other, parse_topic(other), state(3)).is_valid
    assert reader.read(TOPIC, ADDRESS, state(3)).is_valid


def test_other_topics_are_read_the_long_way() -> None:
    """An order has members of any kind; it comes now and then only."""
    reader, topic = MessageReader(), TOPIC.replace("/state", "/order")

    assert not any(reader.read(topic, parse_topic(topic), b'{"headerId":1}').is_valid for _ in range(4))


def test_outlines_are_bounded(monkeypatch: pytest.MonkeyPatch, reader: MessageReader) -> None:
    """Names may be invented without end; then all is forgotten and learnt again."""
    monkeypatch.setattr(message_reader, "_MAX_OUTLINES", 1)
    other = TOPIC.replace("KR_1001", "KR_1002")
    reader.read(other, parse_topic(other), state(3))

    assert not reader.read(TOPIC, ADDRESS, state(3)).is_valid


def test_who_is_known_pushes_nobody_out(monkeypatch: pytest.MonkeyPatch, reader: MessageReader) -> None:
    """Where there are as many topics as may be, one of them may still have another outline."""
    other = TOPIC.replace("KR_1001", "KR_1002")
    reader.read(other, parse_topic(other), state(3))
    monkeypatch.setattr(message_reader, "_MAX_OUTLINES", 2)
    reader.read(other, parse_topic(other), state(3, driving=False))

    assert reader.read(TOPIC, ADDRESS, state(3)).is_valid


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
            assert outcome.is_valid or outcome.document == expected[0]
            assert not outcome.is_valid or validate(expected[0], outcome.version, "state") == []
        else:
            assert outcome == expected
