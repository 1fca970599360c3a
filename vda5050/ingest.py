"""The chain in order: topic and payload -> address -> document -> sequencer (state, stream, sinks) -> doctor.

Takes what the MQTT bridge received, one message a call, in order; gives nothing back and never raises for what a robot
sent. Every message is counted once: as accepted by its topic, or as rejected by its reason; what is odd about an
accepted one is counted beside that. The log says so too, at most once in LOG_EVERY_S for a reason.

Reasons of rejection: topic, robots, memory, size, internal (a fault of ours), and those of `payloads.parse_payload`,
which also names the oddities. One more is `old_retained`: what the broker had kept comes again with every connection to
it; where the same or a newer message is known it is judged and counted, and goes no further.
"""

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from vda5050.entries import Sequencer, Update
from vda5050.errors import RejectedMessage
from vda5050.logs import get_logger
from vda5050.message_reader import Message, MessageReader
from vda5050.metrics import Metrics
from vda5050.payloads import sent_at
from vda5050.robot_state import RobotState
from vda5050.topics import Address, parse_topic

log = get_logger(__name__)

LOG_EVERY_S = 10.0
OLD_RETAINED = "old_retained"
_IN_FORCE = frozenset({"connection", "factsheet"})
"""Topics whose retained message is the robot's newest: the robot, or the broker in its name, has each one retained."""
_MAX_CACHED_ADDRESSES = 100_000


class Examiner(Protocol):
    """Who judges messages (`conformance.Conformance`). Must not raise."""

    def examine(self, address: Address, message: Message, *, offset: int, is_retained: bool) -> None:
        """Judge a message that was taken in."""

    def refuse(self, address: Address, rejected: RejectedMessage) -> None:
        """Note a message of a known sender that could not be read."""


class Ingest:
    """The one door for messages. Does not switch greenlets."""

    def __init__(
        self,
        robots: RobotState,
        sequencer: Sequencer,
        metrics: Metrics,
        *,
        examiner: Examiner,
        max_payload_bytes: int,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._robots = robots
        self._sequencer = sequencer
        self._metrics = metrics
        self._examiner = examiner
        self._max_payload_bytes = max_payload_bytes
        self._clock = clock
        self._wall_clock = wall_clock
        self._reader = MessageReader()
        self._addresses: dict[str, Address] = {}
        self._last_logged: dict[str, float] = {}

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Take one message in."""
        try:
            self._take(topic, payload, is_retained=is_retained)
        except RejectedMessage as rejected:
            self.reject(topic, rejected)
        except Exception as error:  # noqa: BLE001 - a fault of ours: this message is lost, the next one is not
            self.reject(topic, RejectedMessage("internal", type(error).__name__), fault=error)

    def look_at_retained(self, topic: str, payload: bytes) -> bool:
        """Have a retained message judged without taking it in: it is no news where its robot and topic are known.

        False where they are not, or where it cannot be read: then it is to be received as any other.
        """
        try:
            address = self._addresses.get(topic) or self._address(topic)
            if self._robots.kept(address.robot, address.topic) is None:
                return False
            message = self._reader.read(topic, address, payload)
        except RejectedMessage:
            return False
        self._examiner.examine(address, message, offset=0, is_retained=True)
        return True

    def reject(self, topic: str, rejected: RejectedMessage, *, fault: Exception | None = None) -> None:
        """Count and log a message that was not taken in; the bridge calls this for what it did not even read."""
        self._metrics.rejected.labels(rejected.reason).inc()
        self._say(rejected.reason, "rejected a message", topic, detail=rejected.detail, exc_info=fault)
        address = self._addresses.get(topic)
        if address is not None and address.robot in self._robots:
            self._examiner.refuse(address, rejected)

    def _take(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        address = self._addresses.get(topic) or self._address(topic)
        if len(payload) > self._max_payload_bytes:
            raise RejectedMessage("size", f"{len(payload)} bytes, {self._max_payload_bytes} are allowed")
        message = self._reader.read(topic, address, payload)
        # Only `Update.of` takes out line breaks, which would end a line of an event; they are an oddity, always named.
        make = Update.of if message.oddities else Update
        update = make(address, payload, received_at=self._wall_clock(), is_retained=is_retained)
        if is_retained and self._is_old(update, message.document):
            self._metrics.messages[address.topic] += 1
            self._metrics.odd.labels(OLD_RETAINED).inc()
            self._examiner.examine(address, message, offset=0, is_retained=True)
            return
        self._robots.admit(address, len(payload))
        offset = self._sequencer.put(update)
        self._metrics.messages[address.topic] += 1
        for oddity in message.oddities:
            self._metrics.odd.labels(oddity).inc()
            self._say(oddity, "accepted a message although it is odd", topic)
        self._examiner.examine(address, message, offset=offset, is_retained=is_retained)

    def _is_old(self, retained: Update, document: dict[str, Any]) -> bool:
        """Tell whether a retained message is one that is known, or was sent before the one that is.

        Both are of one sender, so their own timestamps tell, where they have any; without, what came live is newer.
        """
        address = retained.address
        kept = self._robots.kept(address.robot, address.topic)
        if kept is None:
            return False
        if kept.payload == retained.payload:
            return True
        if kept.is_retained or address.topic in _IN_FORCE:
            return False
        sent, known = sent_at(document), sent_at(orjson.loads(kept.payload))
        return sent is None or known is None or sent <= known

    def _address(self, topic: str) -> Address:
        address = parse_topic(topic)
        if len(self._addresses) >= _MAX_CACHED_ADDRESSES:
            self._addresses.clear()
        self._addresses[topic] = address
        return address

    def _say(self, reason: str, event: str, topic: str, **facts: object) -> None:
        """Log at most once in LOG_EVERY_S for each reason; the metric tells how many there were."""
        now = self._clock()
        if now - self._last_logged.get(reason, -LOG_EVERY_S) >= LOG_EVERY_S:
            self._last_logged[reason] = now
            log.warning(event, reason=reason, topic=topic[:200], **facts)
