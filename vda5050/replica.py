"""One worker's copy of what there is to know, and what becomes of each entry in it: state, stream, sinks.

Takes entries in their order, gives each the next offset. Nothing here switches greenlets, so the state at offset n is
exactly what the entries up to n made of it. Without Redis this is all the order there is: what `ingest` and
`conformance` put comes in here.
"""

from collections.abc import Sequence

from vda5050.broadcast import Broadcaster
from vda5050.entries import Entry, LinkChange, Told, Update
from vda5050.robot_state import RobotState
from vda5050.sinks import NO_SINKS, Record, Sink


class Replica:
    """A `Sequencer` for one worker by itself."""

    def __init__(self, robots: RobotState, broadcaster: Broadcaster, *, sinks: Sequence[Sink] = NO_SINKS) -> None:
        self._robots = robots
        self._broadcaster = broadcaster
        self._sinks = tuple(sinks)

    def put(self, entry: Entry) -> int:
        """Apply the next entry; returns its offset."""
        match entry:
            case Update():
                return self._apply_update(entry)
            case Told(robot, finding):
                return self._broadcaster.publish_finding(robot, finding).offset
            case LinkChange(is_up):
                self._robots.set_link(is_up=is_up)
                return self._broadcaster.publish_status(is_connected=is_up).offset

    def _apply_update(self, update: Update) -> int:
        address = update.address
        self._robots.update_from_mqtt(update)
        frame = self._broadcaster.publish(address.robot, address.topic, update.payload, received_at=update.received_at)
        if self._sinks:
            record = Record(*update, self._broadcaster.epoch, frame.offset)
            for sink in self._sinks:
                sink.put(record)
        return frame.offset
