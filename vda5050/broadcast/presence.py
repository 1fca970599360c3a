"""Who is connected: heartbeats for all, an end for who stays too long, takes nothing, or is there when we stop.

Takes the subscriptions that the broadcaster admits. Each has a slot, one second of the heartbeat's round, so that
`heartbeat_s` seconds see every stream once and no second sees all. In its second a stream is looked at:

1. Its greenlet has been writing the same bytes for longer than `peer_timeout_s`: the connection is cut. (The kernel's
   TCP_USER_TIMEOUT does the same where the other end is silent; this also ends a trickle, and works on Unix sockets.)
2. It has lived for its share of `max_stream_lifetime_s`: it is sent away, to come back with its last event id, perhaps
   to another worker. Each has a share of its own, so that those who came together do not leave together.
3. Otherwise it gets its heartbeat.
"""

import math
import random
from collections.abc import Callable, Iterator

import gevent

from vda5050.broadcast.parcel import Parcel
from vda5050.broadcast.subscription import Subscription
from vda5050.frames import Wire, encode_heartbeat, encode_retry
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.settings import Settings

log = get_logger(__name__)

RETRY_MS = (1_000, 3_000)
"""Between these each client is told to wait before it comes back, so that not all come at once."""
LIFETIME_SHARE = (0.75, 1.25)
SEND_AWAY_EVERY_S = 0.05


class Presence:
    """The open streams of one process."""

    def __init__(self, metrics: Metrics, settings: Settings, *, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._heartbeat_s = settings.heartbeat_s
        self._lifetime_s = settings.max_stream_lifetime_s
        self._stuck_beats = math.ceil(settings.peer_timeout_s / settings.heartbeat_s)
        self._clock = clock
        self._slots: list[set[Subscription]] = [set() for _ in range(settings.heartbeat_s)]
        self._next_slot = 0
        self._count = 0
        metrics.waiting_bytes.set_function(lambda: sum(subscription.waiting_bytes for subscription in self))
        metrics.waiting_bytes_max.set_function(
            lambda: max((subscription.waiting_bytes for subscription in self), default=0)
        )

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Subscription]:
        return iter([subscription for slot in self._slots for subscription in slot])

    def __contains__(self, subscription: Subscription) -> bool:
        return subscription in self._slots[subscription.slot]

    def enter(self, subscription: Subscription) -> None:
        """Give a new stream its slot and its share of time."""
        subscription.slot = self._next_slot
        self._next_slot = (self._next_slot + 1) % len(self._slots)
        if self._lifetime_s:
            beats = self._lifetime_s / self._heartbeat_s
            subscription.beats_left = max(1, round(beats * random.uniform(*LIFETIME_SHARE)))
        self._slots[subscription.slot].add(subscription)
        self._count += 1

    def leave(self, subscription: Subscription) -> None:
        """Forget a stream that is here."""
        self._slots[subscription.slot].remove(subscription)
        self._count -= 1

    def beat_for_ever(self) -> None:
        """Look at one slot's streams a second, round and round; for a greenlet of its own."""
        parcels = {wire: Parcel.of(encode_heartbeat(wire)) for wire in Wire}
        while True:
            for slot in self._slots:
                gevent.sleep(1)
                for subscription in list(slot):  # writing a line of the log may let others run
                    try:
                        self._beat(subscription, parcels[subscription.wire])
                    except Exception:  # without this greenlet nobody stuck is cut off, and every proxy gives streams up
                        log.exception("a heartbeat failed; the others go on")

    def send_all_away(self, over_s: float, *, back_after_s: float) -> None:
        """End all streams, those too that come meanwhile, one after the other over `over_s` seconds.

        Each client is told to come back when `back_after_s` seconds from now have passed, plus a wait of its own.
        Returns when all have been told, which is sooner where there are none.
        """
        began_at = self._clock()
        while waiting := [subscription for subscription in self if not subscription.has_ended]:
            passed_s = self._clock() - began_at
            rounds_left = max(1.0, (over_s - passed_s) / SEND_AWAY_EVERY_S)
            for subscription in waiting[: math.ceil(len(waiting) / rounds_left)]:
                send_away(subscription, reason="stopping", wait_s=max(0.0, back_after_s - passed_s))
            gevent.sleep(SEND_AWAY_EVERY_S)

    def cut_all(self) -> int:
        """Cut the connection of each stream that is still here; give their number."""
        for subscription in self:
            self._cut(subscription)
        return self._count

    def _beat(self, subscription: Subscription, heartbeat: Parcel) -> None:
        subscription.beats_left -= 1
        subscription.beats_writing += 1
        if subscription.is_writing and subscription.beats_writing > self._stuck_beats:
            self._cut(subscription)
        elif subscription.beats_left == 0:
            send_away(subscription, reason="lifetime")
        else:
            subscription.put(heartbeat)

    def _cut(self, subscription: Subscription) -> None:
        self._metrics.streams_cut.inc()
        subscription.end_reason = "cut"
        if subscription.cut is not None:
            subscription.cut()


def send_away(subscription: Subscription, *, reason: str, wait_s: float = 0.0) -> None:
    """End a stream after what already waits, telling its client when to come back: `wait_s` and a while of its own."""
    retry_ms = int(wait_s * 1_000) + random.randint(*RETRY_MS)
    subscription.end(encode_retry(subscription.wire, retry_ms), reason=reason)
