"""One worker among those that share a Redis: who ingests, and how that changes. No greenlet of its own.

One worker holds the lease and ingests; it puts entries in order and appends them (`writer`). All, the holder included,
follow the stream (`follower`). An epoch is an unbroken run of ingest:

    same holder, Redis away and back as it was     the epoch goes on, what waited is appended
    planned hand-over to a successor               the epoch goes on (see `hand_over`)
    anything else: the holder died or was fenced,  another epoch: every client is told with `reset`
    Redis lost what was appended, too much waited

A hand-over, step by step, L leaving and S its successor:

    L  appends the note {"leaves": L}, remembers what it takes in from now on
    S  claims; subscribes at the broker, holds back what comes; says that it is ready
    L  waits a moment, then for an answer of the broker behind which nothing older can come; takes nothing more;
       appends what it has, and with the note {"successor": S, "taken": hashes} gives the lease to S, in one step
    S  reads that note in the stream, so it has everything before it; takes in what it held back and L has not

Notes are read in the stream's order. The steps that talk to the store are to be called one at a time.
"""

from typing import Any

from vda5050.backplane.batches import Batch, encode, encode_entry
from vda5050.backplane.follower import Follower
from vda5050.backplane.hand_over import Intake
from vda5050.backplane.roles import Role, Source, Surroundings
from vda5050.backplane.store import Append, Appended, Head, Lease, Store
from vda5050.backplane.writer import Writer, field_of, writable
from vda5050.entries import Entry, LinkChange, Told
from vda5050.logs import get_logger
from vda5050.replica import Replica

log = get_logger(__name__)

LEASE_MS = 3_000
PATIENCE_MS = 1_000
"""A worker that has waited for longer than this for the answer does not want the lease any more."""
CLAIM_MS = 8_000
"""How long a successor waits for the lease."""


class Node:
    """A worker's part in it. `token` names the worker, for its whole life."""

    def __init__(
        self, token: str, store: Store, replica: Replica, *, intake: Intake, source: Source, around: Surroundings
    ) -> None:
        self.role = Role.FOLLOWS
        self.is_link_up = False
        """Whether this worker's own link to the broker stands."""
        self.others = 0
        """How many other workers there are."""
        self.writer = Writer(token, lost=around.count_lost)
        self.follower = Follower(store, replica, token=token, on_note=self._noted)
        self.intake = intake
        self.token = token
        self._store = store
        self._replica = replica
        self._source = source
        self._around = around
        self._ahead_ms = -1e15
        """How far Redis's clock is ahead of ours, once it has answered; before, all is too late."""
        self._is_asked = False
        self._give_up_at = float("inf")

    def put(self, entry: Entry) -> int:
        """Take an entry of this worker's; returns the offset it is going to have."""
        offset = self.writer.put(entry)
        if self.role is not Role.INGESTS:
            self.writer.drop()
        return offset

    def link_changed(self, *, is_up: bool) -> None:
        """Note that this worker's link to the broker stands, or is lost."""
        if self.role is Role.STANDS_BY and self.is_link_up and not is_up:
            self.intake.has_hole = True  # nobody but this worker would have had what came meanwhile
        self.is_link_up = is_up
        if self.role is Role.INGESTS:
            self._put_link()

    def keep_lease(self) -> None:
        """Ask for the lease, or keep it, and do what follows from the answer. Raises StoreError."""
        role = self.role
        if role is Role.LEFT:
            return
        asked_at = self._around.clock()
        until_ms = round(self._ahead_ms + asked_at * 1_000) + PATIENCE_MS
        lease, head, self.others, now_ms = self._store.hold(self.token, ttl_ms=LEASE_MS, until_ms=until_ms)
        self._ahead_ms = now_ms - asked_at * 1_000
        if self.role is not role:  # a note came meanwhile: the answer is of before
            return
        if lease is Lease.LATE:
            return
        if lease is Lease.OTHER:
            self._do_without()
        elif role is Role.INGESTS:
            if head is None or head.holder != self.token or not self.writer.stands_at(head.epoch, head.offset):
                self._begin(head)
        elif lease is Lease.KEPT and self._is_mine_soon(head):
            log.debug("waits for the note that hands the lease over")
        else:
            self._begin(head)

    def append(self) -> bool:
        """Append what waits; True where something was. Raises StoreError."""
        if self.role is not Role.INGESTS:
            return False
        if self.writer.has_hole:
            self.keep_lease()  # which begins another epoch
            return False
        batch = self.writer.next(keep_from=self._replica.oldest_offset)
        return batch is not None and self._append(batch)

    @property
    def wants_lease(self) -> bool:
        """Whether another worker is leaving, and this one could take its place."""
        return self._is_asked and self.role is Role.FOLLOWS

    def announce_leaving(self) -> None:
        """Ask for a successor. Raises StoreError."""
        self._store.call_for_successor()
        self.intake.record()
        while self.append():
            pass
        self._append(self.writer.note({"leaves": self.token}, keep_from=self._replica.oldest_offset))

    def hand_over(self, successor: str) -> bool:
        """Take nothing more in, and give the lease to a successor that is ready. Raises StoreError."""
        taken = self.intake.taken()
        self.intake.close()
        while self.append():
            pass
        if self.role is not Role.INGESTS or len(self.writer):
            return False
        note: dict[str, object] = {"successor": successor, "taken": taken}
        append = self.writer.note(note, keep_from=self._replica.oldest_offset, successor=successor)
        is_done = self._store.append(self.token, append, ttl_ms=LEASE_MS) is Appended.DONE
        self.role = Role.LEFT
        return is_done

    def leave(self) -> None:
        """Take no further part but to follow. Raises StoreError, having left all the same."""
        self.role = Role.LEFT
        self.intake.close()
        self._source.stop()
        self.is_link_up = False
        self.writer.drop()
        self._store.release(self.token)

    def _append(self, batch: Append) -> bool:
        result = self._store.append(self.token, batch, ttl_ms=LEASE_MS)
        if result is Appended.DONE:
            self.writer.done()
            return True
        self.keep_lease()  # it ran out, or is another's, or the stream is another one
        return False

    def _do_without(self) -> None:
        """Another worker holds the lease."""
        if self.role is Role.INGESTS:
            log.warning("another worker ingests now")
            self._step_back()
        elif self.role is Role.STANDS_BY and self._around.clock() > self._give_up_at:
            log.warning("the lease was not handed over")
            self._step_back()
        elif self.role is Role.FOLLOWS and self._is_asked:
            self._stand_by()
        elif self.role is Role.STANDS_BY and self.is_link_up:
            self._store.ready(self.token, ttl_ms=CLAIM_MS)

    def _stand_by(self) -> None:
        self._is_asked = False
        if self.follower.head is None or not self._store.claim(self.token, ttl_ms=CLAIM_MS):
            return
        self.role = Role.STANDS_BY
        self._give_up_at = self._around.clock() + CLAIM_MS / 1000
        self.intake.hold()
        self._source.start()

    def _step_back(self) -> None:
        self.role = Role.FOLLOWS
        self.intake.close()
        self._source.stop()
        self.is_link_up = False
        self.writer.drop()

    def _is_mine_soon(self, head: Head | None) -> bool:
        """Tell whether the lease was handed to us, by a note that we have still to read."""
        return (
            self.role is Role.STANDS_BY
            and head is not None
            and head.holder == self.token
            and self._around.clock() < self._give_up_at
        )

    def _begin(self, head: Head | None) -> None:
        """Begin an epoch: what came before has a gap."""
        if self.role is Role.STANDS_BY:  # what is held back may be what the other took in: only it could have told
            self._step_back()
        here = self.follower.head
        known = list(self._replica.entries())
        if head is None or (here is not None and here.is_after(head)):
            self._seed(known)
        begun = self._store.begin(
            self.token,
            epoch=self._around.new_epoch(),
            floor=max(self.writer.offset, 0 if here is None else here.offset),
            body=encode(Batch(self.token, (), {"begins": self.token})),
        )
        if begun is None:
            return
        told = [entry for entry in known if isinstance(entry, Told)]
        there = [stand.offset for stand in (here, head) if stand is not None and stand.epoch == self.writer.epoch]
        self.writer.begin(begun.epoch, begun.offset, applied_offset=max(there, default=0), findings=told)
        log.info("ingests from here on", epoch=begun.epoch, offset=begun.offset)
        if self.role is Role.INGESTS:
            self._put_link()
        else:
            self._ingest(None)
            self._source.start()

    def _seed(self, entries: list[Entry]) -> None:
        """Put what this worker knows into a store that does not know it, or no longer."""
        packed = [(entry, encode_entry(entry)) for entry in writable(entries)]
        told = {field_of(entry): value for entry, value in packed if isinstance(entry, Told)}
        state = {field_of(entry): value for entry, value in packed if not isinstance(entry, Told)}
        self._store.seed(self.token, state=state, findings=told)

    def _noted(self, note: dict[str, Any]) -> None:
        """Take a note of the stream. Does not switch greenlets, so nothing comes in between."""
        if note.get("successor") == self.token and self.role is Role.STANDS_BY:
            head = self.follower.head
            assert head is not None
            told = [entry for entry in self._replica.entries() if isinstance(entry, Told)]
            self.writer.begin(head.epoch, head.offset, applied_offset=head.offset, findings=told)
            self.writer.has_hole = self.intake.has_hole
            log.info("was handed the lease", epoch=head.epoch, offset=head.offset)
            self._ingest(note["taken"])
        elif note.get("leaves", self.token) != self.token:
            self._is_asked = self.role is Role.FOLLOWS

    def _ingest(self, taken_by_other: dict[str, list[str]] | None) -> None:
        self.role = Role.INGESTS
        if taken_by_other is None or self.is_link_up is not self._replica.is_link_up:
            self._put_link()
        self._around.on_ingest(self.is_link_up)
        self.intake.open(taken_by_other)

    def _put_link(self) -> None:
        self.put(LinkChange(self.is_link_up, self._around.wall_clock()))
