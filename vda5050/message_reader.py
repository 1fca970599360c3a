"""Payload -> message: parsed, its version known, and where that is cheap to tell, known to be valid.

A robot sends the same message again and again, with other numbers. So of each topic the *outline* of the last payload
is remembered, which is the payload without NUMERALS. Where one comes twice, and the message is valid and not odd in any
way, then whatever comes with that outline has the same members in the same places, but for names that a numeral was put
into, which no schema knows: no duplicate key and no null can be new. One pass of `validation.strict_decoder` reads it,
without the members that no schema knows, and checks its numbers. That saves a third of what a message takes in all
(benchmarks/README.md). What that pass refuses, and every other outline, is read the long way.
"""

import re
from typing import Any

import msgspec

from vda5050.payloads import has_duplicate_key, parse_payload
from vda5050.schemas import Version
from vda5050.topics import Address
from vda5050.validation import DECODED_TOPICS, REFUSALS, Decode, detect_version, strict_decoder

NUMERALS = b"0123456789.-"
"""What numbers, times and counted names are made of; `-` stands before a number one time and not the next."""
_MAX_OUTLINES = 100_000
_MAX_TRIES = 3
"""So often an outline is tried: one message of it may have a number that is refused, which says nothing of the next."""

_TOO_LONG = 309
"""So many digits in a row may be too large for a double, and a decoder looks at numbers of known members only."""
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_STRING = re.compile(rb'"[^"]*"')
_EXPONENT = re.compile(rb"\d[eE]")


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

    __slots__ = ("decode", "hash", "tries", "version")

    def __init__(self, hash_: int) -> None:
        self.hash = hash_  # of 2 kB the hash does: Python keys it, so that nobody can make two outlines meet
        self.tries = 0
        self.decode: Decode | None = None
        self.version: Version | None = None


class MessageReader:
    """Reads the messages of a fleet. Raises ValueError where a schema cannot be made a decoder."""

    def __init__(self) -> None:
        self._outlines: dict[str, _Outline] = {}
        self._decoders = {
            (version, topic): strict_decoder(version, topic) for version in Version for topic in DECODED_TOPICS
        }

    def read(self, topic: str, address: Address, payload: bytes) -> Message:
        """Read a message of `topic`, whose address is given as well. Raises RejectedMessage as `parse_payload` does."""
        if address.topic not in DECODED_TOPICS:
            return _read(address, payload)
        rest = payload.translate(None, NUMERALS)
        seen = hash(rest)
        outline = self._outlines.get(topic)
        if outline is None or outline.hash != seen:
            if outline is None and len(self._outlines) >= _MAX_OUTLINES:
                self._outlines.clear()
            self._outlines[topic] = _Outline(seen)
        elif outline.decode is not None:
            try:
                document = outline.decode(payload)
                version = detect_version(document, address.major_version)
                if version is outline.version and (
                    len(payload) - len(rest) < _TOO_LONG or not _has_long_number(payload)
                ):
                    return Message(document, version, (), True)
            except REFUSALS:
                pass
        elif outline.tries < _MAX_TRIES:
            outline.tries += 1
            message = _read(address, payload)
            decode = self._decoders[message.version, address.topic]
            if _is_sure(decode, message, payload):
                outline.decode, outline.version = decode, message.version
            return message
        return _read(address, payload)


def _read(address: Address, payload: bytes) -> Message:
    document, oddities = parse_payload(payload)
    return Message(document, detect_version(document, address.major_version), tuple(oddities), False)


def _is_sure(decode: Decode, message: Message, payload: bytes) -> bool:
    r"""Tell whether a decoder reads whatever has this message's outline as the long way does.

    Not where two names may be one although they look different (an escape: "a1" is "a\u0031" as well), where a decoder
    does not look (the encoding of what it does not know), or where a number has an exponent, which may become large.
    """
    if message.oddities or b"\\" in payload or not payload.isascii() or _EXPONENT.search(_STRING.sub(b"", payload)):
        return False
    try:
        return decode(payload) == message.document and not has_duplicate_key(payload)
    except REFUSALS:
        return False


def _has_long_number(payload: bytes) -> bool:
    return b"0" * _TOO_LONG in payload.translate(_DIGITS_AS_ZEROS)
