"""Routes frames to groups, admits clients and lets them go; what the other parts of the package do, it has them do.

Called from one thread. A publish switches greenlets as little as a flush does, or what is done from where a client's
first parcels are made until its group has it (see `openings`).
"""

import random
from collections.abc import Callable, Iterable, Sequence
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any

import gevent

from vda5050.broadcast.accounts import Accounts
from vda5050.broadcast.batch_log import LOG_BYTES, LogBudget
from vda5050.broadcast.filters import Filter
from vda5050.broadcast.flushing import Flushing
from vda5050.broadcast.group import Group
from vda5050.broadcast.openings import SNAPSHOT_MAX_AGE_S, Openings
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
    UPDATE_TAIL,
    Frame,
    Wire,
    acknowledgement_json,
    encode_notice,
    encode_opening,
    finding_json,
    status_json,
    update_head,
)
from vda5050.greenlets import start
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.robot_state import RobotState
from vda5050.settings import Settings

log = get_logger(__name__)

DRAIN_POLL_S = 0.02


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
        self._accounts = Accounts(metrics, is_logged=settings.access_log == "on", clock=clock, wall_clock=wall_clock)
        self._ring = Ring(self._epoch, max_bytes=settings.replay_bytes)
        self._log_budget = LogBudget(LOG_BYTES)
        self._routes = Routes(self._make_group)
        self._flushing = Flushing(self._ring, self.pace, self._accounts, metrics, clock=clock)
        self._openings = Openings(robots, self._ring, self._flushing, metrics, clock=clock)
        self._presence = Presence(metrics, settings, clock=clock)
        self._places = Places(
            max_streams=affordable_streams(settings.max_streams, descriptors=getrlimit(RLIMIT_NOFILE)[0]),
            max_of_client=settings.max_streams_per_client,
        )
        metrics.streams_limit.set(self._places.max_streams)
        self._is_stopped = False
        self._refuses_until: float | None = None
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    @property
    def stream_count(self) -> int:
        """Open subscriptions."""
        return len(self._presence)

    def start(self) -> None:
        """Start the flushing and the heartbeat greenlets."""
        self._greenlets += [
            start(self._flushing.flush_for_ever, name="broadcast_flush_for_ever"),
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
            self._flushing.flush(group, now)
            for members in group.members.values():
                for subscription in members:
                    send_away(subscription, reason="stopping")

    @property
    def last_offset(self) -> int:
        """The offset of the newest frame."""
        return self._ring.last_offset

    @property
    def oldest_offset(self) -> int:
        """The oldest offset that clients can be given."""
        return self._ring.oldest_offset

    def restart(self, epoch: str, offset: int, frames: Iterable[Frame], *, is_connected: bool) -> None:
        """Go on at `offset` of an epoch, with what is held of it; every client begins again with `reset`.

        `is_connected`: whether the link to the broker stands there.
        """
        self._openings.is_broker_connected = is_connected
        self.epoch, self._epoch = epoch, epoch.encode()
        self._ring.restart(self._epoch, offset, frames)
        self._flushing.dirty.clear()
        for group in self._routes:
            group.restart(self._epoch, offset)

    def publish(self, robot: str, topic: str, payload: bytes, *, received_at: float) -> Frame:
        """Give an update its number and hand it to every group that wants it. `payload` as `RobotState` keeps it."""
        frame = self._ring.append(robot, topic, update_head(robot, topic), payload, UPDATE_TAIL)
        return self._publish(frame, received_at)

    def publish_status(self, *, is_connected: bool) -> Frame:
        """Tell every client whether the link to the broker stands; newcomers are told while it does not."""
        self._openings.is_broker_connected = is_connected
        return self._publish(
            self._ring.append("", STATUS, status_json("connected" if is_connected else "disconnected"))
        )

    def publish_finding(self, robot: str, finding: dict[str, Any]) -> Frame:
        """Hand what the doctor found to every client that asked for findings."""
        return self._publish(self._ring.append(robot, FINDING, finding_json(finding)))

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
        if last_event_id and self._is_shared:
            self._openings.catch_up(last_event_id)
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
            first, offset = self._openings.first(group, wire, last_event_id)
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

    def _publish(self, frame: Frame, received_at: float | None = None) -> Frame:
        dirty = self._flushing.dirty
        for group in self._routes.to(frame.robot, frame.topic):
            group.add(frame)
            if group not in dirty:
                self._flushing.mark(group, received_at)
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
            self._flushing.dirty.discard(group)
            self._metrics.filters.set(len(self._routes))

    def _begin_again(self, subscription: Subscription) -> Sequence[Parcel]:
        """Give a client that lagged, or wants another filter, its reset; runs in the greenlet that writes to it."""
        reason = self._openings.wait_for_turn(subscription)
        if reason is None:
            return []
        self._leave(subscription)
        subscription.filter = subscription.wanted
        group = self._group(subscription.filter)
        parcels, offset = self._openings.again(group, subscription.wire, reason=reason)
        group.enter(subscription, offset)
        return parcels
