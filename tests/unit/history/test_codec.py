"""Whatever is stored comes back byte for byte, whichever dictionaries there were; a better one is found and used."""

import random
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import state
from tests.unit.history.recorded import without_checksum
from vda5050.history.codec import FIRST_SAMPLES, NO_DICTIONARY, Codec, Decoder, Encoded, UndecodableMessage


def states(count: int, *, maker: str = "KUKA") -> list[bytes]:
    """Write states that differ as those of moving robots do, each make with words of its own."""
    dice = random.Random(maker)
    words = {f"{maker}-{dice.random()}": f"{dice.random()}" for _ in range(10)}
    return [
        orjson.dumps(state(headerId=number, manufacturer=maker, agvPosition={"x": dice.random()}, **words))
        for number in range(count)
    ]


def trained(codec: Codec, topic: str = "state", *, number: int = 7) -> dict[int, bytes]:
    """Let a codec use what it finds worth it, under `number`; gives what was stored."""
    stored = {}
    for candidate in codec.candidates():
        assert candidate.topic == topic
        codec.use(candidate.topic, number, candidate.content)
        stored[number] = candidate.content
    return stored


def size(encoded: list[Encoded]) -> int:
    """Sum what is stored."""
    return sum(len(one.data) for one in encoded)


def test_a_dictionary_is_trained_and_used() -> None:
    """After FIRST_SAMPLES messages there is a dictionary, with which messages take a fraction of what they took."""
    codec = Codec(random.Random(1))
    payloads = states(FIRST_SAMPLES)
    before = codec.encode("state", payloads)
    dictionaries = trained(codec)
    after = codec.encode("state", payloads)

    assert {one.dictionary_id for one in before} == {NO_DICTIONARY}
    assert {one.dictionary_id for one in after} == {7}
    assert size(after) < size(before) / 3
    decoder = Decoder(dictionaries)
    assert [decoder.decode(one) for one in [*before, *after]] == [*payloads, *payloads]


def test_no_dictionary_before_there_is_something_to_learn() -> None:
    """A handful of messages, or very short ones, are stored without a dictionary."""
    codec = Codec(random.Random(1))
    codec.encode("order", states(FIRST_SAMPLES - 1))
    assert codec.candidates() == []

    codec.encode("connection", [b"{}"] * FIRST_SAMPLES)
    assert codec.candidates() == []


def test_one_that_is_no_better_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet that speaks as before keeps its dictionary; one that speaks differently gets another one."""
    monkeypatch.setattr("vda5050.history.codec.RETRY_EVERY", 3_000)
    codec = Codec(random.Random(1))
    for number in (1, 2):
        codec.encode("state", states(3_000))
        trained(codec, number=number)
    codec.encode("state", states(3_000))
    same = codec.candidates()
    codec.encode("state", states(3_000, maker="Jungheinrich"))

    assert same == []
    assert len(codec.candidates()) == 1


def test_damage_is_told() -> None:
    """Bytes that were never written by a codec are an error of ours, not zstandard's."""
    with pytest.raises(UndecodableMessage):
        Decoder({}).decode(Encoded(b"\x00\x01damaged", NO_DICTIONARY))


def test_a_flipped_bit_is_told() -> None:
    """Whichever bit of a stored message is flipped, it is read as it was or told as damaged: never as another one."""
    payload = states(1)[0]
    (encoded,) = Codec(random.Random(1)).encode("state", [payload])

    for bit in range(8 * len(encoded.data)):
        damaged = bytearray(encoded.data)
        damaged[bit // 8] ^= 1 << bit % 8
        with suppress(UndecodableMessage):
            assert Decoder({}).decode(Encoded(bytes(damaged), NO_DICTIONARY)) == payload


def test_a_length_without_measure_is_told() -> None:
    """A length that no memory has room for is damage like any other."""
    with pytest.raises(UndecodableMessage):
        Decoder({}).decode(Encoded(b"\xe0" + (1 << 50).to_bytes(8, "little") + b"\x01\x00\x00", NO_DICTIONARY))


def test_messages_without_a_checksum() -> None:
    """What was stored before there were checksums is read; where it is no message, that is told."""
    payload = states(1)[0]

    assert Decoder({}).decode(Encoded(without_checksum(payload), NO_DICTIONARY)) == payload
    with pytest.raises(UndecodableMessage, match="json"):
        Decoder({}).decode(Encoded(without_checksum(payload[:-1]), NO_DICTIONARY))


@given(st.lists(st.binary(min_size=1, max_size=3_000), min_size=1, max_size=20), st.booleans())
def test_any_bytes_come_back(payloads: list[bytes], has_dictionary: bool) -> None:  # noqa: FBT001 - hypothesis' choice
    """Any bytes come back as they were, with a dictionary of something else and without one."""
    codec, dictionaries = Codec(random.Random(1)), {}
    if has_dictionary:
        dictionaries = {3: b"".join(states(30))}
        codec.use("state", 3, dictionaries[3])
    encoded = codec.encode("state", payloads)

    decoder = Decoder(dictionaries)
    assert [decoder.decode(one) for one in encoded] == payloads
