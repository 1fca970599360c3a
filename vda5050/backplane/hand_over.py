"""Between the bridge and ingest: what makes a planned change of the ingesting worker lose nothing and double nothing.

The leaving worker L and its successor S are subscribed at the same time for a while; the broker sends both every
message. S holds back what it is sent. L goes on ingesting until it has surely been sent everything from before S's
subscription, then takes nothing more, appends what it has, and with the last batch tells S what it took in since it
announced that it leaves: per MQTT topic the hashes of the payloads, in order. A broker keeps a publisher's messages of
a topic in order for every subscriber, so of each topic S was sent a later part of the same sequence: everything up to
the newest message that L has is L's, everything after it is S's.

A payload that is repeated byte for byte within that second or two counts as the same message. A retained message that
the broker hands to the new subscriber is no news where the robot's topic is known: L was there when it was sent.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple, Protocol

from vda5050.errors import RejectedMessage

MAX_HELD_BYTES = 67_108_864
_MESSAGE_BYTES = 300


class Receiver(Protocol):
    """Who takes messages in: `ingest.Ingest`. Must not raise."""

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Take one message in."""

    def reject(self, topic: str, rejected: RejectedMessage) -> None:
        """Take note of a message that was not read."""

    def look_at_retained(self, topic: str, payload: bytes) -> bool:
        """Judge a retained message without taking it in; False where nothing of its robot and topic is known."""


class Gate(Enum):
    """What becomes of a message."""

    CLOSED = "closed"  # another worker takes it in
    HELD = "held"  # it waits until it is known who takes it in
    OPEN = "open"


class _Message(NamedTuple):
    topic: str
    payload: bytes
    is_retained: bool


class Intake:
    """The bridge's receiver in a worker that shares its work with others. Does not switch greenlets."""

    def __init__(self, receiver: Receiver) -> None:
        self.gate = Gate.CLOSED
        self.has_hole = False
        """More was held back than may be: the stream cannot go on from it."""
        self._receiver = receiver
        self._held: deque[_Message] = deque()
        self._held_bytes = 0
        self._taken: dict[str, list[str]] | None = None
        self._others: dict[str, set[str]] = {}
        self._others_last: dict[str, str] = {}

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Take a message in, hold it back, or leave it to another worker."""
        if self.gate is Gate.OPEN:
            if self._taken is not None:
                self._taken.setdefault(topic, []).append(hash_of(payload))
            if self._others and self._is_others(topic, payload):
                return
            self._receiver.receive(topic, payload, is_retained=is_retained)
        elif self.gate is Gate.HELD:
            self._held.append(_Message(topic, payload, is_retained))
            self._held_bytes += len(payload) + _MESSAGE_BYTES
            if self._held_bytes > MAX_HELD_BYTES:
                self.has_hole = True
                self._held_bytes -= len(self._held.popleft().payload) + _MESSAGE_BYTES

    def reject(self, topic: str, rejected: RejectedMessage) -> None:
        """Take note of a message that was not read, where messages are taken in here."""
        if self.gate is Gate.OPEN:
            self._receiver.reject(topic, rejected)

    def hold(self) -> None:
        """Hold back from now on."""
        self.gate = Gate.HELD

    def close(self) -> None:
        """Take nothing in any more; what is held back is another's."""
        self.gate = Gate.CLOSED
        self.has_hole = False
        self._held.clear()
        self._held_bytes = 0
        self._taken = None
        self._others, self._others_last = {}, {}

    def record(self) -> None:
        """Remember what is taken in from now on, for the successor."""
        self._taken = {}

    @property
    def is_recording(self) -> bool:
        """Whether `record` was called since messages are taken in here."""
        return self._taken is not None

    def taken(self) -> dict[str, list[str]]:
        """Give what was taken in since `record`: by MQTT topic the payloads' hashes, in order."""
        return self._taken or {}

    def open(self, taken_by_other: Mapping[str, list[str]] | None = None) -> None:
        """Take in from now on, beginning with what was held back and was not `taken_by_other`."""
        held, self._held, self._held_bytes = self._held, deque(), 0
        self.gate, self.has_hole = Gate.OPEN, False
        for message in _news(held, taken_by_other, self._receiver.look_at_retained):
            self._receiver.receive(*message[:2], is_retained=message.is_retained)
        if taken_by_other:
            self._expect_others(held, taken_by_other)

    def _expect_others(self, held: Iterable[_Message], taken: Mapping[str, list[str]]) -> None:
        """Remember which messages the other took in and the broker has still to send us."""
        seen: dict[str, set[str]] = {}
        for message in held:
            if message.topic in taken:
                seen.setdefault(message.topic, set()).add(hash_of(message.payload))
        for topic, hashes in taken.items():
            if hashes[-1] not in seen.get(topic, ()):
                self._others[topic] = set(hashes)
                self._others_last[topic] = hashes[-1]

    def _is_others(self, topic: str, payload: bytes) -> bool:
        hashes = self._others.get(topic)
        if hashes is None:
            return False
        name = hash_of(payload)
        if name not in hashes or name == self._others_last[topic]:
            del self._others[topic], self._others_last[topic]
        return name in hashes


def _news(
    held: Iterable[_Message], taken: Mapping[str, list[str]] | None, look_at_retained: Callable[[str, bytes], bool]
) -> Iterable[_Message]:
    """Give the messages that nobody has taken in yet, in order."""
    if taken is None:
        yield from held
        return
    messages = [m for m in held if not (m.is_retained and look_at_retained(m.topic, m.payload))]
    hashes = {topic: set(names) for topic, names in taken.items()}
    newest_known: dict[str, int] = {}
    for index, message in enumerate(messages):
        if message.topic in hashes and hash_of(message.payload) in hashes[message.topic]:
            newest_known[message.topic] = index
    for index, message in enumerate(messages):
        if index > newest_known.get(message.topic, -1):
            yield message


def hash_of(payload: bytes) -> str:
    """Name a payload shortly."""
    return blake2b(payload, digest_size=8).hexdigest()
