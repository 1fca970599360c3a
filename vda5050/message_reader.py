"""Payload -> message: parsed, its version known, and where that is cheap to tell, known to be valid.

A robot sends the same message again and again, with other numbers in a few members. So where messages of a topic look
alike (their *outline*, the payload without NUMERALS, is the same) and are valid, a `Stencil` is cut from the last one:
of what fits in it only the members that change are read. Everything else is read the long way, and when a robot has
something new to tell a new stencil is cut from that. What it saves stands in benchmarks/README.md.
"""

from typing import Any

import msgspec
import orjson

from vda5050.payloads import DUPLICATE_KEY, parse_payload
from vda5050.schemas import Version
from vda5050.stencil import CHANGING, NUMERALS, Stencil
from vda5050.topics import Address
from vda5050.validation import DECODED_TOPICS, detect_version, strict_decoder, validate

_MAX_HABITS = 100_000
_MAX_STENCIL_BYTES = 67_108_864
"""Of all stencils together. Beyond either bound all habits are forgotten, and learnt again."""
_ALIKE = 2
"""So many messages of a new topic that look alike, one after the other, make a stencil; cutting it takes as long as
reading one or two."""
_MOST_ALIKE = 256
"""Twice as many each time that one was of little use, or could not be cut, up to so many."""
_OF_USE = 4
"""So many in a row that fit make a stencil useful; then a single message that does not is enough for the next."""


class Message(msgspec.Struct):
    """One message as it was read; `oddities` are those of `parse_payload`.

    `changes`: the members that stand in the openings of `stencil`, in which it fits; then it is known to be valid.
    Whatever else fits in the same stencil has the same other members. Both are None where the message fits in none.
    """

    payload: bytes
    version: Version
    oddities: tuple[str, ...]
    _document: dict[str, Any] | None
    stencil: Stencil | None = None
    changes: dict[str, Any] | None = None

    @property
    def is_valid(self) -> bool:
        """True where the message is known to fit the schemas of its version; the doctor judges all others."""
        return self.changes is not None

    @property
    def document(self) -> dict[str, Any]:
        """The message, parsed."""
        if self._document is None:
            self._document = orjson.loads(self.payload)
        return self._document


class _Habit:
    """How the messages of a topic looked last.

    `alike`: so many that did not fit in the stencil came in a row with one `outline` (a hash of it: Python keys it, so
    that nobody can make two meet). `fitting`: so many came since that fitted. `enough`: see _ALIKE.
    """

    __slots__ = ("alike", "enough", "fitting", "oddities", "outline", "stencil", "version")

    def __init__(self) -> None:
        self.outline = self.alike = self.fitting = 0
        self.enough = _ALIKE
        self.stencil: Stencil | None = None
        self.version = Version.V2_1
        self.oddities: tuple[str, ...] = ()


class MessageReader:
    """Reads the messages of a fleet. Raises ValueError where a schema cannot be made a decoder."""

    def __init__(self) -> None:
        self._habits: dict[str, _Habit] = {}
        self._stencil_bytes = 0
        self._decoders = {
            (version, topic): strict_decoder(version, topic, CHANGING)
            for version in Version
            for topic in DECODED_TOPICS
        }

    def read(self, topic: str, address: Address, payload: bytes) -> Message:
        """Read a message of `topic`, whose address is given as well. Raises RejectedMessage as `parse_payload` does."""
        habit = self._habits.get(topic)
        if habit is not None and (stencil := habit.stencil) is not None:
            changes = stencil.read(payload)
            if changes is not None:
                habit.fitting += 1
                return Message(payload, habit.version, habit.oddities, None, stencil, changes)
        document, oddities = parse_payload(payload)
        version = detect_version(document, address.major_version)
        message = Message(payload, version, tuple(oddities), document)
        if address.topic in DECODED_TOPICS:
            self._learn(habit or self._new_habit(topic), address, message)
        return message

    def _new_habit(self, topic: str) -> _Habit:
        if len(self._habits) >= _MAX_HABITS:
            self._forget()
        habit = self._habits[topic] = _Habit()
        return habit

    def _forget(self) -> None:
        self._habits.clear()
        self._stencil_bytes = 0

    def _learn(self, habit: _Habit, address: Address, message: Message) -> None:
        """Note how a message looks that did not fit; cut a stencil from it where enough in a row look alike."""
        outline = hash(message.payload.translate(None, NUMERALS))
        habit.alike = habit.alike + 1 if outline == habit.outline and not habit.fitting else 1
        if habit.fitting >= _OF_USE:
            habit.enough = 1
        habit.outline, habit.fitting = outline, 0
        if habit.alike < habit.enough:
            return
        habit.alike, habit.enough = 0, min(2 * habit.enough, _MOST_ALIKE)
        if DUPLICATE_KEY in message.oddities or validate(message.document, message.version, address.topic):
            return
        decode = self._decoders[message.version, address.topic]
        stencil = Stencil.cut(message.payload, message.document, decode)
        if stencil is not None:
            self._stencil_bytes += stencil.size - (0 if habit.stencil is None else habit.stencil.size)
            habit.stencil, habit.version, habit.oddities = stencil, message.version, message.oddities
            message.stencil = stencil
            message.changes = {name: message.document[name] for name in stencil.names}
            if self._stencil_bytes > _MAX_STENCIL_BYTES:
                self._forget()
