"""Routes frames to groups, flushes them at their `Pace`, admits clients and lets them go.

Called from one thread. From where a client's first parcels are made until its group has it nothing switches greenlets,
and neither does a flush or a publish, which is what makes "snapshot at offset n, then n+1" true without a lock. Who has
to wait does so before: `_catch_up` before a place is taken, `_begin_again` before the old group is left.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any

import gevent
from gevent.event import Event

from vda5050.broadcast.accounts import Accounts
from vda5050.broadcast.batch_log import LOG_BYTES, LogBudget
from vda5050.broadcast.filters import Filter
from vda5050.broadcast.group import FlushTally, Group, ReplayTooLong
from vda5050.broadcast.pace import Pace
from vda5050.broadcast.parcel import Parcel
from vda5050.broadcast.places import Places, affordable_streams
from vda5050.broadcast.presence import RETRY_MS, Presence, send_away
from vda5050.broadcast.ring import Ring
from vda5050.broadcast.routes import Routes
from vda5050.broadcast.subscription import Subscription
from vda5050.errors import Stopping, TooManyStreams
from vda5050.frames import (
    FINDING,
    STATUS,
    Frame,
    Wire,
    acknowledgement_json,
    encode_notice,
    encode_opening,
    encode_reset,
    finding_json,
    status_json,
    update_json,
)
from vda5050.greenlets import start
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.robot_state import RobotState
from vda5050.settings import Settings

log = get_logger(__name__)

SNAPSHOT_MAX_AGE_S = 1.0
RETRY_FLUSH_S = 0.1
DRAIN_POLL_S = 0.02
CHANGE_FILTER_EVERY_S = 1.0
"""Another filter means another snapshot, which is dear with a large fleet; a client that asks faster waits."""
CATCH_UP_S = 2.0
"""How long a client that comes back from another worker waits for what that one has shown already."""
CATCH_UP_POLL_S = 0.01


class Broadcaster:
    """The hub of one process. `epoch` names its numbering (see `frames`), which others may use too: `is_shared`."""

    def __init__(
        self,
        robots: RobotState,
        metrics: Metrics,
        settings: Settings,
        *,
        epoch: str,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        is_shared: bool = False,
    ) -> None:
        self._robots = robots
        self._metrics = metrics
        self._settings = settings
        self.epoch = epoch
        self._epoch = epoch.encode()
        self._clock = clock
        self._is_shared = is_shared
        self.pace = Pace(settings.max_batch_interval_ms / 1000)
        self._ring = Ring(self._epoch, max_bytes=settings.replay_bytes)
        self._log_budget = LogBudget(LOG_BYTES)
        self._routes = Routes(self._make_group)
        self._dirty: set[Group] = set()
        self._wake = Event()
        self._presence = Presence(metrics, settings, clock=clock)
        self._places = Places(
            max_streams=affordable_streams(settings.max_streams, descriptors=getrlimit(RLIMIT_NOFILE)[0]),
            max_of_client=settings.max_streams_per_client,
        )
        metrics.streams_limit.set(self._places.max_streams)
        self._is_stopped = False
        self._refuses_until: float | None = None
        self._is_broker_connected = True
        self._accounts = Accounts(metrics, is_logged=settings.access_log == "on", clock=clock, wall_clock=wall_clock)
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    @property
    def stream_count(self) -> int:
        """Open subscriptions."""
        return len(self._presence)

    def start(self) -> None:
        """Start the flushing and the heartbeat greenlets."""
        self._greenlets += [
            start(self._flush_for_ever, name="broadcast_flush_for_ever"),
            start(self._presence.beat_for_ever, name="broadcast_beat_for_ever"),
        ]

    def refuse(self, for_s: float) -> None:
        """Admit no more clients: `for_s` seconds from now this process is gone, and another may be there."""
        self._refuses_until = self._clock() + for_s

    def drain(self, over_s: float, *, back_after_s: float, patience_s: float) -> None:
        """End all streams over `over_s` seconds, while updates go on; see `Presence.send_all_away`.

        Who has not taken the end `patience_s` seconds after the last was told is cut off. Blocks until then, or until
        all have left.
        """
        self._presence.send_all_away(over_s, back_after_s=back_after_s)
        cut_at = self._clock() + patience_s
        while self._presence and self._clock() < cut_at:
            gevent.sleep(DRAIN_POLL_S)
        if count := self._presence.cut_all():
            log.warning("streams did not end, and were cut off", streams=count)

    def stop(self) -> None:
        """Flush what waits, end every stream with a time to come back after, stop the greenlets. May run twice."""
        self._is_stopped = True
        gevent.killall(self._greenlets)
        self._greenlets.clear()
        now = self._clock()
        for group in self._routes:
            self._flush_group(group, now)
            for members in group.members.values():
                for subscription in members:
                    send_away(subscription, reason="stopping")

    @property
    def oldest_offset(self) -> int:
        """The oldest offset that clients can be given."""
        return self._ring.oldest_offset

    def restart(self, epoch: str, offset: int, frames: Iterable[Frame], *, is_connected: bool) -> None:
        """Go on at `offset` of an epoch, with what is held of it; every client begins again with `reset`.

        `is_connected`: whether the link to the broker stands there.
        """
        self._is_broker_connected = is_connected
        self.epoch, self._epoch = epoch, epoch.encode()
        self._ring = Ring(self._epoch, max_bytes=self._settings.replay_bytes, last_offset=offset, frames=frames)
        self._dirty.clear()
        for group in self._routes:
            group.restart(self._epoch, offset)

    def publish(self, robot: str, topic: str, payload: bytes, *, received_at: float) -> Frame:
        """Give an update its number and hand it to every group that wants it. `payload` as `RobotState` keeps it."""
        return self._publish(robot, topic, update_json(robot, topic, payload), received_at)

    def publish_status(self, *, is_connected: bool) -> Frame:
        """Tell every client whether the link to the broker stands; newcomers are told while it does not."""
        self._is_broker_connected = is_connected
        return self._publish("", STATUS, status_json("connected" if is_connected else "disconnected"))

    def publish_finding(self, robot: str, finding: dict[str, Any]) -> Frame:
        """Hand what the doctor found to every client that asked for findings."""
        return self._publish(robot, FINDING, finding_json(finding))

    def notify_acknowledgement(self, robot: str, acknowledgement: dict[str, Any]) -> None:
        """Tell at once, beside the numbered stream, the clients that asked for findings."""
        json = acknowledgement_json(acknowledgement)
        for group in self._routes.to(robot, FINDING):
            for wire, members in group.members.items():
                parcel = Parcel.of(encode_notice(json, wire))
                for subscription in members:
                    subscription.put(parcel)

    def subscribe(
        self, filter_: Filter, wire: Wire, last_event_id: str | None = None, *, client: str = ""
    ) -> Subscription:
        """Admit a client; `client` is whose streams are counted together.

        It begins with the updates after `last_event_id` where that can be done without a gap, with `reset` and a
        snapshot where it cannot, and with a snapshot where no id is given.

        Raises TooManyStreams, Stopping.
        """
        if last_event_id:
            self._catch_up(last_event_id)
        if self._refuses_until is not None:
            raise Stopping(max(1, round(self._refuses_until - self._clock())) + random.randint(0, 2))
        self._take_place(client)
        subscription = Subscription(
            filter_,
            wire,
            max_bytes=self._settings.max_queue_bytes,
            opened_at=self._clock(),
            resync=self._begin_again,
            client=client,
        )
        group = self._group(filter_)
        try:
            first, offset = self._first_parcels(group, wire, last_event_id)
        except BaseException:
            self._drop_if_empty(group)
            self._places.leave(client)
            raise
        if opening := encode_opening(wire, random.randint(*RETRY_MS)):
            subscription.begin([Parcel.of(opening)])
        subscription.begin(first)
        group.enter(subscription, offset)
        self._presence.enter(subscription)
        self.pace.is_watched = True
        self._accounts.opened(wire)
        if self._is_stopped:
            send_away(subscription, reason="stopping")
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Let a client go. May be called twice."""
        if subscription in self._presence:
            self._presence.leave(subscription)
            self.pace.is_watched = bool(self._presence)
            self._places.leave(subscription.client)
            subscription.cut = None  # which refers back to the subscription
            self._leave(subscription)
            self._accounts.ended(subscription)

    def _take_place(self, client: str) -> None:
        try:
            self._places.take(client)
        except TooManyStreams as full:
            self._metrics.streams_refused.labels("client" if full.is_of_client else "worker").inc()
            raise

    def _catch_up(self, event_id: str) -> None:
        """Wait until what another worker has shown has come here as well: that takes milliseconds, or never comes."""
        give_up_at = self._clock() + CATCH_UP_S
        while self._is_shared and self._ring.is_ahead(event_id) and self._clock() < give_up_at:
            gevent.sleep(CATCH_UP_POLL_S)

    def _publish(self, robot: str, topic: str, json: bytes, received_at: float | None = None) -> Frame:
        frame = self._ring.append(robot, topic, json)
        for group in self._routes.to(robot, topic):
            group.add(frame)
            if group not in self._dirty:
                self._dirty.add(group)
                group.oldest_received_at = received_at
                self._wake.set()
        return frame

    def _make_group(self, filter_: Filter) -> Group:
        return Group(
            filter_,
            epoch=self._epoch,
            offset=self._ring.last_offset,
            snapshot_max_age_s=SNAPSHOT_MAX_AGE_S,
            view_of=self._robots.get_view,
            budget=self._log_budget,
        )

    def _group(self, filter_: Filter) -> Group:
        group = self._routes.group(filter_)
        self._metrics.filters.set(len(self._routes))
        return group

    def _leave(self, subscription: Subscription) -> None:
        group = self._routes[subscription.filter]
        group.leave(subscription)
        self._drop_if_empty(group)

    def _drop_if_empty(self, group: Group) -> None:
        if not any(group.members.values()):
            self._routes.drop(group)
            self._dirty.discard(group)
            self._metrics.filters.set(len(self._routes))

    def _first_parcels(self, group: Group, wire: Wire, last_event_id: str | None) -> tuple[list[Parcel], int]:
        """Give what a client begins with, and the offset up to which it then has everything."""
        if not last_event_id:
            return self._snapshot_parcels(group, wire)
        offset = self._ring.held_offset(last_event_id)
        if offset is None:
            return self._resync(group, wire, "resume")
        try:
            return list(group.since(offset, wire, self._ring.between)), max(offset, group.flushed_offset)
        except ReplayTooLong:
            return self._resync(group, wire, "resume")

    def _snapshot_of(self, group: Group) -> bytes:
        if group.filter.as_view:
            return self._robots.get_views(group.robots)
        return self._robots.get_snapshot(group.robots, group.filter.topics)

    def _begin_again(self, subscription: Subscription) -> Sequence[Parcel]:
        """Give a client that lagged, or wants another filter, its reset; runs in the greenlet that writes to it."""
        reason = subscription.lag_reason
        if subscription.has_asked:
            reason = "filter"
            was_ending = subscription.has_ended
            gevent.sleep(max(0.0, subscription.changed_at + CHANGE_FILTER_EVERY_S - self._clock()))
            if subscription.has_ended and not was_ending:  # it left meanwhile, or its key is no longer valid
                return []
            subscription.changed_at = self._clock()
            subscription.has_asked = False
        self._leave(subscription)
        subscription.filter = subscription.wanted
        group = self._group(subscription.filter)
        parcels, offset = self._resync(group, subscription.wire, reason)
        group.enter(subscription, offset)
        return parcels

    def _resync(self, group: Group, wire: Wire, reason: str) -> tuple[list[Parcel], int]:
        self._metrics.resets.labels(reason).inc()
        parcels, offset = self._snapshot_parcels(group, wire)
        return [Parcel.of(encode_reset(wire)), *parcels], offset

    def _snapshot_parcels(self, group: Group, wire: Wire) -> tuple[list[Parcel], int]:
        """Give the group's shared snapshot and every batch flushed after it, and the offset reached."""
        now = self._clock()
        snapshot = group.fresh_snapshot(now)
        if snapshot is None:
            if not group.filter.interval_s:  # so that newcomers share the batches that follow; an interval is kept
                self._flush_group(group, now)
            snapshot = group.set_snapshot(self._snapshot_of(group), self._ring.last_offset, now)
        parcels = [snapshot.batch.parcel(wire), *group.since(snapshot.offset, wire, self._ring.between)]
        if not self._is_broker_connected:
            parcels.append(Parcel.of(encode_notice(status_json("disconnected"), wire)))
        return parcels, max(snapshot.offset, group.flushed_offset)

    def _flush_for_ever(self) -> None:
        while True:
            try:
                self._flush_due()
            except Exception:  # without this greenlet every stream would stand still behind a healthy connection
                log.exception("a flush failed; the next one goes on")
                gevent.sleep(RETRY_FLUSH_S)

    def _flush_due(self) -> None:
        now = self._clock()
        due = [group for group in self._dirty if group.due_at <= now]
        if not due:
            self._wait_for_work(now)
            return
        oldest = self._accounts.oldest_of(due)
        tally = FlushTally()
        for group in due:
            self._flush_group(group, now, tally)
        handed_at = self._clock()
        gevent.sleep(0)  # every client that the flush woke is served before this returns
        served_at = self._clock()
        # Others run meanwhile: what they take is no cost of the flush, unless most clients are served by greenlets.
        is_queued = tally.queued > tally.handed
        cost_s = (served_at if is_queued else handed_at) - now
        pause = self.pace.flushed(cost_s, served_at, writes=tally.writes, events=tally.events)
        self._metrics.flush.observe(served_at - now)
        self._accounts.served(oldest)
        self._metrics.batch_interval.set(pause)
        self._metrics.replay_bytes.set(self._ring.size)
        gevent.sleep(pause)

    def _wait_for_work(self, now: float) -> None:
        """Wait for a frame, or until the first group that waits for its interval is due."""
        self._wake.clear()
        next_due = min((group.due_at for group in self._dirty), default=None)
        self._wake.wait(None if next_due is None else max(0.001, next_due - now))

    def _flush_group(self, group: Group, now: float, tally: FlushTally | None = None) -> None:
        self._dirty.discard(group)
        done = group.flush(now, self._ring.last_offset, tally)
        for wire, (clients, frames, size) in done.items():
            self._accounts.flushed(wire, clients=clients, frames=frames, size=size)
