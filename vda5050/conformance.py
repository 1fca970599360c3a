"""Puts the doctor beside the stream: every message that was taken in, every message that was not, and the time.

Takes what `ingest` hands on, gives findings to the metrics and to the clients that asked for them. A fault in a rule is
logged and costs that rule's finding, never the message, which has been streamed already.
"""

from collections.abc import Callable, Iterable

from vda5050.doctor import Doctor, Finding, Observation
from vda5050.entries import Sequencer, Told
from vda5050.errors import RejectedMessage
from vda5050.logs import get_logger
from vda5050.message_reader import Message
from vda5050.metrics import Metrics
from vda5050.topics import Address

log = get_logger(__name__)

TICK_S = 1.0
_LOG_EVERY_S = 60.0


class Conformance:
    """The fleet's doctor at work. Does not switch greenlets."""

    def __init__(
        self,
        doctor: Doctor,
        sequencer: Sequencer,
        metrics: Metrics,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._doctor = doctor
        self._sequencer = sequencer
        self._metrics = metrics
        self._clock = clock
        self._wall_clock = wall_clock
        self._logged_at = float("-inf")

    def examine(self, address: Address, message: Message, *, offset: int, is_retained: bool) -> None:
        """Judge a message that was taken in."""
        try:
            at, wall, changes = self._clock(), self._wall_clock(), message.changes
            is_judged = (
                changes is not None
                and not is_retained
                and self._doctor.observe_changes(
                    address.robot, address.topic, kind=message.stencil, changes=changes, at=at, wall=wall
                )
            )
            if is_judged:
                return
            seen = Observation(
                robot=address.robot,
                topic=address.topic,
                document=message.document,
                version=message.version,
                is_retained=is_retained,
                at=at,
                wall=wall,
                offset=offset,
                is_valid=message.is_valid,
                kind=message.stencil,
            )
            self._tell(self._doctor.observe(seen))
        except Exception as fault:  # noqa: BLE001 - the edge to a part that nothing else depends on
            self._log_fault(address, fault)

    def refuse(self, address: Address, rejected: RejectedMessage) -> None:
        """Note a message of a known sender that could not be read."""
        try:
            at, wall = self._clock(), self._wall_clock()
            self._tell(self._doctor.refuse(address.robot, address.topic, rejected, at=at, wall=wall))
        except Exception as fault:  # noqa: BLE001 - as in `examine`
            self._log_fault(address, fault)

    def tick(self) -> None:
        """Let time pass; to be called about every TICK_S."""
        self._tell(self._doctor.tick(self._clock(), self._wall_clock()))

    def _tell(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.tellings == 1:
                self._metrics.findings.labels(finding.rule, finding.severity.value).inc()
            self._sequencer.put(Told(finding.robot, finding.to_dict()))

    def _log_fault(self, address: Address, fault: Exception) -> None:
        now = self._clock()
        if now - self._logged_at >= _LOG_EVERY_S:
            self._logged_at = now
            log.error("a message could not be judged", robot=address.robot, topic=address.topic, exc_info=fault)
