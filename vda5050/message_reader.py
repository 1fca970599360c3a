"""Payload -> message: parsed, its version known, and where that is cheap to tell, known to be valid.

A robot sends the same message again and again, with other numbers. So of each topic the *outline* of the last payload
is remembered, which is the payload without DIGITS. Where one comes twice, and the message is valid and not odd in any
way, whatever comes with that outline after it has the same members in the same places: no duplicate key and no null
can be new, and one pass of `validation.strict_decoder` reads it and checks its numbers. That saves a third of all the
time that a message takes (benchmarks/README.md). What that pass refuses, and every other outline, is read the long way.

What could slip through: in a robot's outline that is known, a member that differs from a known one by a character of
DIGITS in its name, and holds a number that no double can hold.
"""

from typing import Any

import msgspec

from vda5050.payloads import parse_payload
from vda5050.schemas import Version
from vda5050.topics import Address
from vda5050.validation import DECODED_TOPICS, REFUSALS, Decode, detect_version, strict_decoder

DIGITS = b"0123456789.-"
"""What numbers, times and counted names are made of; `-` stands before a number one time and not the next."""
_MAX_OUTLINES = 100_000


class Message(msgspec.Struct, frozen=True):
    """One message as it was read; `oddities` are those of `parse_payload`.

    `is_valid`: known to fit the schemas of its version; False where that was not looked at.
    """

    document: dict[str, Any]
    version: Version
    oddities: tuple[str, ...]
    is_valid: bool


class _Outline:
    """What came last on a topic. `decode` is None until it came twice, and where only the long way will do."""

    __slots__ = ("decode", "hash", "is_tried", "version")

    def __init__(self, hash_: int) -> None:
        self.hash = hash_  # of 2 kB the hash does: Python's is keyed, so nobody can make two outlines meet
        self.is_tried = False
        self.decode: Decode | None = None
        self.version: Version | None = None


class MessageReader:
    """Reads the messages of a fleet."""

    def __init__(self) -> None:
        self._outlines: dict[str, _Outline] = {}

    def read(self, topic: str, address: Address, payload: bytes) -> Message:
        """Read a message of `topic`, whose address is given as well. Raises RejectedMessage as `parse_payload` does."""
        if address.topic not in DECODED_TOPICS:
            return _read(address, payload)
        seen = hash(payload.translate(None, DIGITS))
        outline = self._outlines.get(topic)
        if outline is None or outline.hash != seen:
            if len(self._outlines) >= _MAX_OUTLINES:
                self._outlines.clear()
            self._outlines[topic] = _Outline(seen)
        elif outline.decode is not None:
            try:
                document = outline.decode(payload)
                if detect_version(document, address.major_version) is outline.version:
                    return Message(document, outline.version, (), True)
            except REFUSALS:
                pass
        elif not outline.is_tried:
            outline.is_tried = True
            message = _read(address, payload)
            outline.decode, outline.version = _decoder_for(message, address.topic, payload), message.version
            return message
        return _read(address, payload)


def _read(address: Address, payload: bytes) -> Message:
    document, oddities = parse_payload(payload)
    return Message(document, detect_version(document, address.major_version), tuple(oddities), False)


def _decoder_for(message: Message, topic: str, payload: bytes) -> Decode | None:
    """Give the decoder that reads what has this message's outline; None where one cannot be sure of that.

    An escape may hide a digit that makes two names one, and a decoder does not look at the encoding of unknown members.
    """
    if message.oddities or b"\\" in payload or not payload.isascii():
        return None
    decode = strict_decoder(message.version, topic)
    try:
        return decode if decode(payload) == message.document else None
    except REFUSALS:
        return None
