"""The decoder that checks while it reads, beside the verdict and orjson: what it takes is valid, and read the same."""

import random
from collections.abc import Iterator

import orjson
import pytest

from tests.contract.documents import JsonSchema, extremes, full, known_part, mutations, without_all_of
from vda5050.validation import DECODED_TOPICS, REFUSALS, Decode, Version, overlays_of, strict_decoder, validate
from vda5050.validation.json_schema import bare_schema
from vda5050.validation.overlay import strictest_schema

PLACES = [(version, topic) for version in Version for topic in sorted(DECODED_TOPICS)]


def decoder(version: Version, topic: str) -> Decode:
    """Give the decoder of all members that there are."""
    return strict_decoder(version, topic, frozenset(bare_schema(version, topic)["properties"]))


def messages(version: Version, topic: str) -> Iterator[JsonSchema]:
    """Give a valid message with every member, and it with each thing changed that people get wrong."""
    schema = without_all_of(strictest_schema(bare_schema(version, topic), overlays_of(version, topic)))
    document = full(schema, random.Random(5050))
    yield document
    for change in [*mutations(schema, document), *extremes(schema, document)]:
        yield change.applied(document)


@pytest.mark.parametrize(("version", "topic"), PLACES)
def test_what_is_taken_is_valid(version: Version, topic: str) -> None:
    """What the decoder takes has no problem but members that are missing at the top, and means what orjson says."""
    decode, schema = decoder(version, topic), bare_schema(version, topic)
    taken = 0
    for number, message in enumerate(messages(version, topic)):
        try:
            decoded = decode(orjson.dumps(message))
        except REFUSALS:
            assert number, "the valid message is refused"
            continue
        taken += 1
        problems = validate(message, version, topic)
        assert all(problem.code == "required" and problem.path.count("/") <= 1 for problem in problems)
        assert orjson.dumps(decoded, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
            known_part(schema, message), option=orjson.OPT_SORT_KEYS
        )
    assert taken > 5


def test_digits_are_ours() -> None:
    """Python's own patterns take the digits of all scripts, JSON Schema's do not."""
    payload = visualization(b"1").replace(b"2026", "\u0662026".encode())

    with pytest.raises(REFUSALS):
        decoder(Version.V2_1, "visualization")(payload)


@pytest.mark.parametrize(("version", "topic"), PLACES)
def test_little_that_is_valid_is_refused(version: Version, topic: str) -> None:
    """Of what is valid the decoder refuses a whole number written with a point, and nothing else that is tried here."""
    decode = decoder(version, topic)
    for message in messages(version, topic):
        try:
            decode(orjson.dumps(message))
        except REFUSALS as refusal:
            assert validate(message, version, topic) or "Expected `int`, got `float`" in str(refusal)  # noqa: PT017


def visualization(velocity: bytes) -> bytes:
    """Write a visualization whose velocity is the text given."""
    header = (
        b'"headerId":1,"timestamp":"2026-11-23T15:29:11Z","version":"2.1.0","manufacturer":"KUKA","serialNumber":"1"'
    )
    return b'{%b,"velocity":{"vx":%b}}' % (header, velocity)


@pytest.mark.parametrize("number", [b"1", b"-0.5", b"1e-3", b"-9223372036854775808", b"1.0"])
def test_numbers_that_are_taken(number: bytes) -> None:
    """A whole number stays one and a fraction one, as orjson has them."""
    payload = visualization(number)
    decoded = decoder(Version.V2_1, "visualization")(payload)

    assert orjson.dumps(decoded) == orjson.dumps(orjson.loads(payload))


@pytest.mark.parametrize(
    "number",
    [b"NaN", b"Infinity", b"1e400", b"01", b"1.", b".5", b"+1", b"0x1", b"null", b'"1"', b"9223372036854775808",
     b"-9223372036854775809", b"1" * 400, b"1,", b'1,"vx":', b"true"],
)  # fmt: skip
def test_numbers_that_are_refused(number: bytes) -> None:
    """What is no number, none of JSON, or one that orjson reads otherwise is left to others."""
    with pytest.raises(REFUSALS):
        decoder(Version.V2_1, "visualization")(visualization(number))


def test_a_line_break_after_a_timestamp_is_refused() -> None:
    """Python's `$` lets one follow, JSON Schema's does not."""
    payload = visualization(b"1").replace(b'11Z"', b'11Z\\n"')

    with pytest.raises(REFUSALS):
        decoder(Version.V2_1, "visualization")(payload)
