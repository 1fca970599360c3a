"""What a client begins with: the fleet as it is, or what it has missed; and when it begins again.

Takes a group and a wire, gives the first parcels and the offset up to which the client then has everything. Where these
are made nothing switches greenlets, nor before the group has the client: that makes "snapshot at offset n, then n+1"
true without a lock. Who has to wait does so before: `catch_up` before a place is taken, `wait_for_turn` before the old
group is left.
"""

from collections.abc import Callable

import gevent

from vda5050.broadcast.flushing import Flushing
from vda5050.broadcast.group import Group, ReplayTooLong
from vda5050.broadcast.parcel import Parcel
from vda5050.broadcast.ring import Ring
from vda5050.broadcast.subscription import Subscription
from vda5050.frames import Wire, encode_notice, encode_reset, status_json
from vda5050.metrics import Metrics
from vda5050.robot_state import RobotState

SNAPSHOT_MAX_AGE_S = 1.0
CHANGE_FILTER_EVERY_S = 1.0
"""Another filter means another snapshot, which is dear with a large fleet; a client that asks faster waits."""
CATCH_UP_S = 2.0
"""How long a client that comes back from another worker waits for what that one has shown already."""
CATCH_UP_POLL_S = 0.01


class Openings:
    """Those of one broadcaster. While not `is_broker_connected` newcomers are told so."""

    def __init__(
        self, robots: RobotState, ring: Ring, flushing: Flushing, metrics: Metrics, *, clock: Callable[[], float]
    ) -> None:
        self.is_broker_connected = True
        self._robots = robots
        self._ring = ring
        self._flushing = flushing
        self._metrics = metrics
        self._clock = clock

    def catch_up(self, event_id: str) -> None:
        """Wait until what another worker has shown has come here as well: that takes milliseconds, or never comes."""
        give_up_at = self._clock() + CATCH_UP_S
        while self._ring.is_ahead(event_id) and self._clock() < give_up_at:
            gevent.sleep(CATCH_UP_POLL_S)

    def wait_for_turn(self, subscription: Subscription) -> str | None:
        """Wait until a client may begin again; tells why it does, or None where it ended meanwhile."""
        if not subscription.has_asked:
            return subscription.lag_reason
        was_ending = subscription.has_ended
        gevent.sleep(max(0.0, subscription.changed_at + CHANGE_FILTER_EVERY_S - self._clock()))
        if subscription.has_ended and not was_ending:  # it left, or its key is no longer valid
            return None
        subscription.changed_at = self._clock()
        subscription.has_asked = False
        return "filter"

    def first(self, group: Group, wire: Wire, last_event_id: str | None) -> tuple[list[Parcel], int]:
        """Give the updates after an id, `reset` and a snapshot where these have a gap; without an id, a snapshot."""
        if not last_event_id:
            return self._snapshot(group, wire)
        offset = self._ring.held_offset(last_event_id)
        if offset is None:
            return self.again(group, wire, reason="resume")
        try:
            return list(group.since(offset, wire, self._ring.between)), max(offset, group.flushed_offset)
        except ReplayTooLong:
            return self.again(group, wire, reason="resume")

    def again(self, group: Group, wire: Wire, *, reason: str) -> tuple[list[Parcel], int]:
        """Give `reset` and a snapshot. `reason` is a fixed word: it labels a metric."""
        self._metrics.resets.labels(reason).inc()
        parcels, offset = self._snapshot(group, wire)
        return [Parcel.of(encode_reset(wire)), *parcels], offset

    def _snapshot(self, group: Group, wire: Wire) -> tuple[list[Parcel], int]:
        """Give the group's shared snapshot and every batch flushed after it."""
        now = self._clock()
        snapshot = group.fresh_snapshot(now)
        if snapshot is None:
            if not group.filter.interval_s:  # so that newcomers share the batches that follow; an interval is kept
                self._flushing.flush(group, now)
            snapshot = group.set_snapshot(self._robots_of(group), self._ring.last_offset, now)
        parcels = [snapshot.batch.parcel(wire), *group.since(snapshot.offset, wire, self._ring.between)]
        if not self.is_broker_connected:
            parcels.append(Parcel.of(encode_notice(status_json("disconnected"), wire)))
        return parcels, max(snapshot.offset, group.flushed_offset)

    def _robots_of(self, group: Group) -> bytes:
        if group.filter.as_view:
            return self._robots.get_views(group.robots)
        return self._robots.get_snapshot(group.robots, group.filter.topics)
