"""One worker's copy of what there is to know, and what becomes of each entry in it: state, stream, findings, sinks.

Takes entries in their order, gives each the next offset. Nothing here switches greenlets, so the state at offset n is
exactly what the entries up to n made of it. Without Redis this is all the order there is: what `ingest` and
`conformance` put comes in here. With Redis the backplane applies what all workers read, and restarts the replica from
an image where it cannot go on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vda5050.broadcast import Broadcaster
from vda5050.doctor import Doctor
from vda5050.entries import Entry, LinkChange, Told, Update
from vda5050.frames import Frame
from vda5050.robot_state import RobotState
from vda5050.sinks import NO_SINKS, Record, Sink


@dataclass(frozen=True, slots=True)
class Image:
    """All there is to know at `offset` of `epoch`; `frames` are the latest up to there, for clients that come back."""

    epoch: str
    offset: int
    updates: Sequence[Update]
    findings: Sequence[Told]
    link: LinkChange | None
    frames: Sequence[Frame]


class Replica:
    """A `Sequencer` for one worker by itself. `wall_clock` gives epoch seconds.

    `sinks` are given every update, in every worker: who they are for sees to it that one of them acts (`history`).
    `own_sinks` are given what came in at this worker.
    """

    def __init__(
        self,
        robots: RobotState,
        broadcaster: Broadcaster,
        doctor: Doctor,
        *,
        sinks: Sequence[Sink] = NO_SINKS,
        own_sinks: Sequence[Sink] = NO_SINKS,
        wall_clock: Callable[[], float],
    ) -> None:
        self._robots = robots
        self._broadcaster = broadcaster
        self._doctor = doctor
        self._sinks = tuple(sinks)
        self._all_sinks = (*sinks, *own_sinks)
        self._wall_clock = wall_clock

    @property
    def is_link_up(self) -> bool:
        """Whether the broker is connected, as far as the entries told."""
        return self._robots.is_link_up

    @property
    def oldest_offset(self) -> int:
        """The oldest offset that clients can be given."""
        return self._broadcaster.oldest_offset

    def put(self, entry: Entry) -> int:
        """Apply the next entry, which came in here; returns its offset."""
        match entry:
            case Update():
                return self._update(entry, self._all_sinks)
            case Told(robot, finding):
                return self._broadcaster.publish_finding(robot, finding).offset
            case LinkChange(is_up):
                self._robots.set_link(is_up=is_up)
                return self._broadcaster.publish_status(is_connected=is_up).offset

    def follow(self, entry: Entry) -> None:
        """Apply the next entry, which came in at another worker; our doctor does not know of it."""
        match entry:
            case Update():
                self._update(entry, self._sinks)
            case Told(_, finding):
                self._doctor.adopt(finding)
                self.put(entry)
            case LinkChange():
                self.put(entry)

    def restart(self, image: Image) -> None:
        """Go on from an image; every client begins again with `reset`, and sinks are told what they are not given."""
        skipped = image.offset - self._broadcaster.last_offset if image.epoch == self._broadcaster.epoch else 0
        if skipped > 0:
            for sink in self._sinks:
                sink.skip(skipped)
        link_since = image.link.at if image.link is not None and image.link.is_up else None
        self._robots.restart(image.updates, link_since=link_since, now=self._wall_clock())
        for told in image.findings:
            self._doctor.adopt(told.finding)
        self._broadcaster.restart(image.epoch, image.offset, image.frames, is_connected=link_since is not None)

    def entries(self) -> Iterator[Entry]:
        """Give all there is to know but the link, for those who have lost it."""
        yield from self._robots.updates()
        for finding in self._doctor.findings():
            yield Told(finding.robot, finding.to_dict())

    def _update(self, update: Update, sinks: Sequence[Sink]) -> int:
        address = update.address
        self._robots.update_from_mqtt(update)
        frame = self._broadcaster.publish(address.robot, address.topic, update.payload, received_at=update.received_at)
        if sinks:
            record = Record(
                address,
                update.payload,
                update.received_at,
                update.is_retained,
                self._broadcaster.epoch,
                frame.offset,
            )
            for sink in sinks:
                sink.put(record)
        return frame.offset
