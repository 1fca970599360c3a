"""What fits in a stencil is read as by the long way, in every version."""

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.documents import JsonSchema, full, known_part, without_all_of
from vda5050.errors import RejectedMessage
from vda5050.message_reader import Message, MessageReader
from vda5050.payloads import parse_payload
from vda5050.stencil import CHANGING, NUMERALS
from vda5050.topics import parse_topic
from vda5050.validation import DECODED_TOPICS, Version, detect_version, overlays_of, validate
from vda5050.validation.json_schema import bare_schema
from vda5050.validation.overlay import strictest_schema

PLACES = [(version, topic) for version in Version for topic in sorted(DECODED_TOPICS)]
edits = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 2),
        st.one_of(st.binary(max_size=0), st.sampled_from([bytes([byte]) for byte in NUMERALS] + [b"9" * 400])),
    ),
    min_size=1,
    max_size=4,
)


def schema_of(version: Version, topic: str) -> JsonSchema:
    """Give the schema that a valid message fits in both readings."""
    schema: JsonSchema = without_all_of(strictest_schema(bare_schema(version, topic), overlays_of(version, topic)))
    return schema


def message_of(version: Version, topic: str) -> JsonSchema:
    """Give a valid message with every member there is, of its version by its own word."""
    return full(schema_of(version, topic), random.Random(7)) | {"version": version.text}


def edited(payload: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """Put numerals in, or take some out, anywhere: the outline stays what it was."""
    for where, length, fragment in changes:
        at = int(where * len(payload))
        taken = payload[at : at + length]
        payload = payload[:at] + fragment + taken.translate(None, NUMERALS) + payload[at + length :]
    return payload


def written(document: Any) -> bytes:
    """Tell 1 from 1.0 and from true."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize(("version", "topic"), PLACES)
def test_what_came_twice_is_known(version: Version, topic: str) -> None:
    """A message with every member of its version fits in a stencil when it comes again."""
    reader, payload = MessageReader(), orjson.dumps(message_of(version, topic))
    address = parse_topic(f"uagv/v2/KUKA/1/{topic}")

    assert [reader.read("t", address, payload).is_valid for _ in range(4)] == [False, True, True, True]


@given(st.sampled_from(PLACES), edits)
def test_numerals_anywhere(place: tuple[Version, str], changes: list[tuple[float, int, bytes]]) -> None:
    """Promise: whatever numerals are put in or taken out, it is the long way's message, in full and what changed."""
    version, topic = place
    address, payload = parse_topic(f"uagv/v2/KUKA/1/{topic}"), orjson.dumps(message_of(version, topic))
    reader = MessageReader()
    for _ in range(2):
        message = reader.read("t", address, payload)
    assert message.is_valid
    changed = edited(payload, changes)
    assert changed.translate(None, NUMERALS) == payload.translate(None, NUMERALS)

    outcome: Message | str
    try:
        outcome = reader.read("t", address, changed)
    except RejectedMessage as rejected:
        outcome = rejected.reason
    try:
        document, oddities = parse_payload(changed)
    except RejectedMessage as rejected:
        assert outcome == rejected.reason  # noqa: PT017 - both are to be rejected
        return
    assert isinstance(outcome, Message)
    assert outcome.version is detect_version(document, "v2")
    assert outcome.oddities == tuple(oddities)
    assert written(outcome.document) == written(document)
    if outcome.changes is not None:
        assert validate(document, outcome.version, topic) == []
        known = known_part(bare_schema(version, topic), document)
        assert written(outcome.changes) == written({name: known[name] for name in CHANGING.intersection(document)})


@pytest.mark.parametrize("name", [b"x", b"x1"])
@pytest.mark.parametrize("number", [b"9" * 309, b"9" * 310 + b".5", b"-" + b"9" * 400])
def test_numbers_that_are_too_large(name: bytes, number: bytes) -> None:
    """A number that no double can hold is rejected in any member, since everybody reads it later."""
    reader, address = MessageReader(), parse_topic("uagv/v2/KUKA/1/visualization")
    header = b'"headerId":1,"timestamp":"2026-11-23T15:29:11Z","version":"2.1.0","manufacturer":"K","serialNumber":"1"'
    known = (
        b'{%b,"agvPosition":{"x":1,"y":1,"theta":0,"mapId":"m","positionInitialized":true},"velocity":{"vx":1}}'
        % header
    )
    for _ in range(3):
        reader.read("t", address, known)

    with pytest.raises(RejectedMessage) as caught:
        reader.read("t", address, known.replace(b'"vx":1', b'"v%b":%b' % (name, number)))
    assert caught.value.reason == "json"
