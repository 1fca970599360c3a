"""Payload -> the members that changed: a robot's next message is mostly its last one, byte for byte.

A stencil is cut from a message that is known to be valid. Where the CHANGING members stand it has openings; the text
between them is fixed. A payload fits where it has that text, and in the openings the same outline (the text without
NUMERALS): the same members in the same places, with other numbers and times. So a payload that fits has the fixed
members of the message that the stencil was cut from, and nothing else needs to be read than what stands in the
openings. Whether that is valid a strict decoder says, in one pass.

Nothing that is odd can be new in it: what the fixed text holds was there before; in the openings is no null, no
escape, no exponent, and as many names as there were, all of them known. (A numeral put into a name makes it an unknown
one. Then the member is missed: here where it stands at the top, by the decoder where it has to be sent; any other is
just not in what is read, as all that no schema knows.)
"""

import re
from typing import Any, Self

import msgspec

from vda5050.validation import REFUSALS, Decode

CHANGING = frozenset(
    {
        "headerId", "timestamp", "agvPosition", "mobileRobotPosition", "velocity", "plannedPath", "intermediatePath",
        "distanceSinceLastNode", "batteryState", "powerSupply", "information", "informations", "referenceStateHeaderId",
    }
)  # fmt: skip
"""What a robot that drives tells anew in most messages: members of state and visualization, 1.1 to 3.0."""

NUMERALS = b"0123456789.-"
"""What numbers, times and counted names are made of; `-` stands before a number one time and not the next."""

_SEAM = b"\r"
"""Put between two openings: space to JSON, and as no opening has one it shows where each of them ends."""
_MARK_BYTES = 24
"""So much of a fixed text is searched for, and all of it compared where that stands first. (Who writes it within an
opening as well is read the long way.)"""
_OWN_BYTES = 900
"""What a stencil takes in memory beside its text."""
_TOO_LONG = 309
"""So many digits in a row may be too large for a double; a decoder does not look at numbers of unknown members."""
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_STRING = re.compile(rb'"[^"]*"')
_EXPONENT = re.compile(rb"\d[eE]")
_JSON_SPACE = b" \t\n\r"
_AS_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Stencil:
    """The fixed text of one topic's messages, and what has to stand in its openings."""

    __slots__ = ("_decode", "_head", "_outline", "_tail", "_texts", "names", "size")

    def __init__(self, payload: bytes, openings: list[tuple[int, int]], names: frozenset[str], decode: Decode) -> None:
        starts, ends = [start for start, _ in openings], [end for _, end in openings]
        texts = [payload[end:start] for end, start in zip(ends, starts[1:], strict=False)]
        self.size = len(payload) + _OWN_BYTES
        """About what it takes in memory, bytes."""
        self._head, self._tail = payload[: starts[0]], payload[ends[-1] :]
        self._texts = [(text[:_MARK_BYTES], text, len(text)) for text in texts]
        self.names = names
        """Of the members in the openings."""
        self._decode = decode
        self._outline = _join([payload[start:end] for start, end in openings]).translate(None, NUMERALS)

    @classmethod
    def cut(cls, payload: bytes, document: dict[str, Any], decode: Decode) -> Self | None:
        """Cut one from a message that is valid and has no key twice; None where no payload could be sure to fit.

        `decode` reads an object of CHANGING members of the message's version and topic.
        """
        openings, names = _openings(payload)
        if not openings or not _is_plain(b"".join([payload[start:end] for start, end in openings])):
            return None
        stencil = cls(payload, openings, names, decode)
        return stencil if stencil.read(payload) == {name: document[name] for name in names} else None

    def read(self, payload: bytes) -> dict[str, Any] | None:
        """Read the members in the openings; None where the payload does not fit, or they are not sure to be valid."""
        if not payload.startswith(self._head) or not payload.endswith(self._tail):
            return None
        at, openings = len(self._head), []
        for mark, text, length in self._texts:
            end = payload.find(mark, at)
            if not payload.startswith(text, end):  # nor at -1, where there is no mark
                return None
            openings.append(payload[at:end])
            at = end + length
        openings.append(payload[at : len(payload) - len(self._tail)])  # nothing where they overlap: no outline has that
        changes = _join(openings)
        outline = changes.translate(None, NUMERALS)
        if outline != self._outline or (len(changes) - len(outline) >= _TOO_LONG and _has_long_number(changes)):
            return None
        try:
            document = self._decode(changes)
        except REFUSALS:
            return None
        return document if document.keys() == self.names else None


def _join(openings: list[bytes]) -> bytes:
    return b"{%b}" % (b"," + _SEAM).join(openings)


def _openings(payload: bytes) -> tuple[list[tuple[int, int]], frozenset[str]]:
    """Find where the CHANGING members of an object stand, one opening for those in a row, and their names.

    None where the name of one is not written as it reads, which cannot be searched for. (Whatever went wrong with a
    member before it shows there, too: then there is more between the two than a comma.)
    """
    openings: list[tuple[int, int]] = []
    names, at, is_open = [], 0, False
    for name, value in _AS_RAW.decode(payload).items():
        key = b'"%b"' % name.encode()
        if name in CHANGING:
            start = payload.find(key, at)
            if payload[at:start].strip(_JSON_SPACE) != (b"," if at else b"{"):
                return [], frozenset()
            at = payload.find(value, start + len(key)) + len(value)
            openings[-1 if is_open else len(openings) :] = [(openings[-1][0] if is_open else start, at)]
            names.append(name)
        else:
            at = payload.find(value, at + 1 + len(key)) + len(value)
        is_open = name in CHANGING
    return openings, frozenset(names)


def _is_plain(text: bytes) -> bool:
    r"""Tell whether the outline of a text says all that is asked of it.

    Not where two names may be one although they look different (an escape: "a1" is "a\u0031" as well), where a decoder
    does not look (the encoding of what it does not know), where a number has an exponent, which may become large, or
    where there is what is put between two openings.
    """
    return text.isascii() and b"\\" not in text and _SEAM not in text and not _has_exponent(text)


def _has_exponent(text: bytes) -> bool:
    return bool(_EXPONENT.search(text) and _EXPONENT.search(_STRING.sub(b"", text)))  # the first costs an eighth


def _has_long_number(text: bytes) -> bool:
    return b"0" * _TOO_LONG in text.translate(_DIGITS_AS_ZEROS)
