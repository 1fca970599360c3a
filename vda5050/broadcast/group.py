"""All clients of one filter: gathers frames, hands them out as one batch, keeps the latest batches.

The log of batches since a little while serves whoever arrives: a newcomer gets the shared snapshot and the batches
after it, a client that resumes gets the batches after its id, all of them bytes that exist already.

Nothing here switches greenlets, so between a flush and a snapshot no frame can come.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vda5050.broadcast.batch import Batch, Snapshot, parcel_of
from vda5050.broadcast.batch_log import BatchLog, LogBudget
from vda5050.broadcast.delivery import Delivery
from vda5050.broadcast.filters import Filter
from vda5050.broadcast.parcel import Parcel
from vda5050.broadcast.subscription import Subscription
from vda5050.errors import Vda5050Error
from vda5050.frames import FINDING, Frame, Wire, snapshot_json, update_frame
from vda5050.topics import TOPICS

MAX_REPLAY_BYTES = 4_194_304
"""Frame text beyond the log that is encoded for one client alone; a longer way back begins with a snapshot, which all
share."""
COMPACT_AT = 1_000
"""Frames that may wait for a slow interval before those replaced by newer ones are let go."""
HANDED_BYTES = 100_000_000
"""About 20 ms: so much of all groups' flush is written to the clients' sockets at once, in the hub's own turn. Clients
beyond it are served by their greenlets, between which the hub looks after everything else."""
CALL_BYTES = 40_000
"""A write costs as much as so many bytes of it."""
VIEW = "view"
"""The type of an update that carries a robot's view."""
CONFLATED_TOPICS = frozenset({"state", "visualization"})
"""Of these the newest replaces an older one that still waits; every other topic's messages all count."""


@dataclass(slots=True)
class FlushTally:
    """What one flush has done, and what is left of what it may write in the hub's own turn.

    `handed`, `queued`: clients that it wrote to, and those left to their greenlets. What the pace goes by are `writes`,
    the clients, and `events`, what all of them were given; without those who wait for an interval of their own.
    """

    left: int = HANDED_BYTES
    handed: int = 0
    queued: int = 0
    writes: int = 0
    events: int = 0


class ReplayTooLong(Vda5050Error):  # noqa: N818 - reads as the claim it is
    """What a client missed is more than is encoded for one client alone."""


class Group:
    """The clients of one filter.

    `flushed_offset`: every frame up to it has been queued to every client of the group. `oldest_received_at`: when the
    update came that has waited longest since (epoch seconds).
    """

    def __init__(
        self,
        filter_: Filter,
        *,
        epoch: bytes,
        offset: int,
        snapshot_max_age_s: float,
        view_of: Callable[[str], bytes],
        budget: LogBudget,
    ) -> None:
        self.filter = filter_
        self.robots = filter_.selection()
        self.members: dict[Wire, set[Subscription]] = {}
        self.flushed_offset = offset
        self.due_at = 0.0
        self.oldest_received_at: float | None = None
        self._view_of = view_of
        self._epoch = epoch
        self._snapshot_max_age_s = snapshot_max_age_s
        self._snapshot: Snapshot | None = None
        self._pending: list[Frame] = []
        self._compact_at = COMPACT_AT
        self._ahead: dict[Subscription, int] = {}
        self._log = BatchLog(budget, start=offset)

    def restart(self, epoch: bytes, offset: int) -> None:
        """Begin anew at `offset`, and let every client begin again with `reset` and a snapshot."""
        self._epoch = epoch
        self.flushed_offset = offset
        self._log.begin_at(offset)
        self._snapshot = None
        self._pending, self._compact_at = [], COMPACT_AT
        self._ahead.clear()
        for members in self.members.values():
            for subscription in members:
                subscription.lag("epoch")

    def close(self) -> None:
        """Leave the others the room that the log took; the last client has left."""
        self._log.begin_at(self.flushed_offset)

    def wants(self, robot: str, topic: str) -> bool:
        """Tell whether frames of this robot and topic match the filter; those of no robot always do."""
        if not robot:
            return True
        topics = self.filter.topics
        is_wanted = topic != FINDING if topics is None else topic in topics  # findings must be asked for
        return is_wanted and self.robots.has(robot)

    def add(self, frame: Frame) -> None:
        """Gather a frame that `wants` was asked about."""
        self._pending.append(frame)
        if self.filter.interval_s and len(self._pending) >= self._compact_at:
            self._pending = self._newest(self._pending)
            self._compact_at = max(COMPACT_AT, 2 * len(self._pending))

    def enter(self, subscription: Subscription, offset: int) -> None:
        """Let flushes reach a client that has everything up to `offset`, which may be ahead of `flushed_offset`."""
        self.members.setdefault(subscription.wire, set()).add(subscription)
        if offset > self.flushed_offset:
            self._ahead[subscription] = offset

    def leave(self, subscription: Subscription) -> None:
        """Let no flush reach a client any more."""
        self.members[subscription.wire].discard(subscription)
        self._ahead.pop(subscription, None)

    def flush(self, now: float, offset: int, tally: FlushTally | None = None) -> dict[Wire, tuple[int, int, int]]:
        """Queue what was gathered to every client; `offset` is that of the newest frame of all.

        Returns per wire: clients, frames, bytes of one client. What cannot be encoded resets every client and raises;
        the log begins behind it, so that who comes back is not given it with a gap.
        """
        self.flushed_offset = offset
        self.due_at = now + self.filter.interval_s
        self._forget_old_snapshot(now)
        ahead, self._ahead = self._ahead, {}
        if not self._pending:
            return {}
        frames, self._pending = self._pending, []
        self._compact_at = COMPACT_AT
        try:
            batch = Batch(self._epoch, self._as_views(self._newest(frames)), now)
            self._log.append(batch)
            return self._hand_out(batch, ahead, tally or FlushTally())
        except BaseException:
            self._log.begin_at(offset)
            for members in self.members.values():
                for subscription in members:
                    subscription.lag()
            raise

    def _hand_out(
        self, batch: Batch, ahead: dict[Subscription, int], tally: FlushTally
    ) -> dict[Wire, tuple[int, int, int]]:
        done = {}
        for wire, members in self.members.items():
            if members:
                parcel = batch.parcel(wire)
                cost = parcel.size + CALL_BYTES
                with Delivery(parcel, wire, clients=len(members)) as delivery:
                    for subscription in members:
                        if subscription in ahead:
                            continue
                        if tally.left <= 0:
                            subscription.put(parcel)
                            tally.queued += 1
                        elif subscription.hand(delivery):
                            tally.left -= cost
                            tally.handed += 1
                        else:
                            tally.queued += 1
                done[wire] = (len(members), len(batch.frames), parcel.size)
                if not self.filter.interval_s:
                    tally.writes += len(members)
                    tally.events += len(members) * len(batch.frames)
        for subscription, offset in ahead.items():
            if rest := batch.rest(offset, subscription.wire):
                subscription.put(rest)
        return done

    def fresh_snapshot(self, now: float) -> Snapshot | None:
        """Give the snapshot that newcomers may share, the log complete since its offset; None when a new one is due."""
        self._forget_old_snapshot(now)
        snapshot = self._snapshot
        return snapshot if snapshot is not None and snapshot.offset >= self._log.start else None

    def set_snapshot(self, robots: bytes, offset: int, now: float) -> Snapshot:
        """Keep `robots` (see `RobotState.get_snapshot`) as the snapshot at `offset`, the newest frame's of all."""
        frame = Frame(offset, "", "snapshot", snapshot_json(robots))
        self._snapshot = Snapshot(Batch(self._epoch, [frame], now), offset, now)
        return self._snapshot

    def _forget_old_snapshot(self, now: float) -> None:
        if self._snapshot is not None and now - self._snapshot.taken_at > self._snapshot_max_age_s:
            self._snapshot = None

    def since(self, offset: int, wire: Wire, ring: Callable[[int, int], Iterable[Frame]]) -> Iterator[Parcel]:
        """Give parcels of all matching frames after `offset` up to `flushed_offset`, in order. Raises ReplayTooLong.

        `ring(after, upto)` gives the frames of all robots with after < offset <= upto, for what the log has not.
        """
        if offset < self._log.start:
            # A view is made as the robot is now, so none that the log has may follow it.
            upto = self.flushed_offset if self.filter.as_view else self._log.start
            frames = self._newest([f for f in ring(offset, upto) if self.wants(f.robot, f.topic)])
            if sum(f.size for f in frames) > MAX_REPLAY_BYTES:
                raise ReplayTooLong
            if frames:
                yield parcel_of(self._epoch, self._as_views(frames), wire)
            if self.filter.as_view:
                return
        yield from self._log.since(offset, wire)

    def _newest(self, frames: list[Frame]) -> list[Frame]:
        """Leave out the frames in whose place a newer one goes out."""
        if self.filter.as_view:
            last = {f.robot: f.offset for f in frames if f.topic in TOPICS}
            return [f for f in frames if f.topic not in TOPICS or last[f.robot] == f.offset]
        if not self.filter.interval_s:
            return frames
        newest: dict[tuple[str, str], int] = {(f.robot, f.topic): f.offset for f in frames}
        return [f for f in frames if f.topic not in CONFLATED_TOPICS or newest[f.robot, f.topic] == f.offset]

    def _as_views(self, frames: list[Frame]) -> list[Frame]:
        """Put a robot's view as it is now in the place of each message; only where the filter asks for views."""
        if not self.filter.as_view:
            return frames
        return [
            update_frame(f.offset, f.robot, VIEW, self._view_of(f.robot)) if f.topic in TOPICS else f for f in frames
        ]
