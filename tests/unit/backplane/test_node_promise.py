"""Whatever happens in whatever order: one id is one thing everywhere, and no client sees a gap or a duplicate untold.

hypothesis lets robots publish and workers do their steps in any order, lets answers get lost, workers crash, stand
still and leave, the lease run out, and Redis go away or come back empty. The model's replicas check after every entry
what a client would (see `model.ModelReplica`).
"""

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.backplane.model import Broker, Ledger, Server, Worker, number_of
from tests.unit.builders import FakeClock
from vda5050.backplane.node import CLAIM_MS, LEASE_MS
from vda5050.backplane.roles import Role
from vda5050.backplane.store import READY, StoreError

ROBOTS = ("ACME/1", "ACME/2")
workers = st.integers(0, 2)


class World(RuleBasedStateMachine):
    """Three workers, two robots, one Redis, one broker."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.server = Server(self.clock)
        self.broker = Broker()
        self.ledger = Ledger()
        self.numbers = dict.fromkeys(ROBOTS, 0)
        self.started = 0
        self.workers = [self._worker() for _ in range(3)]

    @rule(robot=st.sampled_from(ROBOTS), count=st.integers(1, 3))
    def publish(self, robot: str, count: int) -> None:
        """Let a robot send its next messages."""
        for _ in range(count):
            self.numbers[robot] += 1
            self.broker.publish(f"uagv/v2/{robot}/state", orjson.dumps({"n": self.numbers[robot]}))

    @rule(at=workers, count=st.integers(1, 4))
    def deliver(self, at: int, count: int) -> None:
        """Let the broker's messages arrive at a worker."""
        self.workers[at].subscriber.deliver(count)

    @rule(at=workers)
    def follow(self, at: int) -> None:
        """Let a worker read."""
        self._try(lambda: self.workers[at].node.follower.read(0))

    @rule(at=workers, loses_answer=st.booleans())
    def append(self, at: int, loses_answer: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Let a worker append, and perhaps not hear that it did."""
        worker = self.workers[at]
        worker.store.loses_answer = loses_answer
        self._try(worker.node.append)
        worker.store.loses_answer = False

    @rule(at=workers)
    def keep_lease(self, at: int) -> None:
        """Let a worker look for the lease."""
        self._try(self.workers[at].node.keep_lease)

    @rule(seconds=st.sampled_from([0.5, LEASE_MS / 1000 + 1, CLAIM_MS / 1000 + 1]))
    def let_time_pass(self, seconds: float) -> None:
        """Leases run out, those of workers that stand still too."""
        self.clock.advance(seconds)

    @rule(at=workers)
    def crash(self, at: int) -> None:
        """Let a worker die, and another start in its place."""
        self.workers[at].subscriber.stop()
        self.workers[at] = self._worker()

    @rule(at=workers)
    def lose_link_while_standing_by(self, at: int) -> None:
        """Let a successor lose messages; where the holder loses some, clients are told by `status`."""
        if self.workers[at].node.role is Role.STANDS_BY:
            self.workers[at].subscriber.lose_link()

    @rule(at=workers)
    def announce_leaving(self, at: int) -> None:
        """Tell a worker that ingests to stop."""
        worker = self.workers[at]
        if worker.node.role is Role.INGESTS:
            self._try(worker.node.announce_leaving)

    @rule(at=workers, loses_answer=st.booleans())
    def hand_over(self, at: int, loses_answer: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Let a worker that has announced it hand over to whoever is ready, or just leave; another starts."""
        worker = self.workers[at]
        if worker.node.role is not Role.INGESTS or not worker.node.intake.is_recording:
            return
        successor = self._try(worker.store.successor)
        if isinstance(successor, str) and successor.startswith(READY):
            worker.subscriber.deliver(1_000)  # up to the broker's answer
            worker.store.loses_answer = loses_answer
            self._try(lambda: worker.node.hand_over(successor.removeprefix(READY)))
            worker.store.loses_answer = False
        self._try(worker.node.leave)
        self.workers[at] = self._worker()

    @rule()
    def leave_in_order(self) -> None:
        """Let the worker that ingests hand over while nothing comes in between but messages."""
        ingesting = [worker for worker in self.workers if worker.node.role is Role.INGESTS]
        if not ingesting or self.server.is_away or self.server.get("lease") is None:
            return
        worker = ingesting[-1]
        self._try(worker.node.announce_leaving)
        for other in self.workers:
            if other is not worker:
                for step in (lambda o=other: o.node.follower.read(0), other.node.keep_lease, other.node.keep_lease):
                    self._try(step)
        self.publish(ROBOTS[0], 2)
        self.hand_over(self.workers.index(worker), loses_answer=False)

    @precondition(lambda self: not self.server.is_away)
    @rule(is_emptied=st.booleans())
    def lose_redis(self, is_emptied: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Redis goes away, perhaps with all it had."""
        self.server.is_away = True
        if is_emptied:
            self.server.lose_everything()

    @precondition(lambda self: self.server.is_away)
    @rule()
    def bring_redis_back(self) -> None:
        """Redis is back."""
        self.server.is_away = False

    @invariant()
    def one_appends(self) -> None:
        """Of all who think that they ingest, one at most can append."""
        lease = self.server.get("lease")
        head = self.server.head
        able = [
            worker
            for worker in self.workers
            if worker.node.role is Role.INGESTS and head is not None and lease == head.holder == worker.node.token
        ]
        assert len(able) <= 1

    def teardown(self) -> None:
        """In the end all is well: everybody shows what was published last, and every message is accounted for."""
        self.server.is_away = False
        self._settle()
        for robot in ROBOTS:
            self.publish(robot, 1)
        self._settle()

        assert sum(worker.node.role is Role.INGESTS for worker in self.workers) == 1
        for worker in self.workers:
            known = {robot: number_of(update) for robot, update in worker.replica.known.items()}
            assert known == self.numbers

    def _settle(self) -> None:
        for _ in range(8):
            self.clock.advance(LEASE_MS / 1000 - 1)
            for worker in self.workers:
                for step in (worker.node.keep_lease, lambda w=worker: w.subscriber.deliver(1_000)):
                    self._try(step)
                while self._try(worker.node.append):
                    pass
            for worker in self.workers:
                self._try(lambda w=worker: w.node.follower.read(0))
                self._try(lambda w=worker: w.node.follower.read(0))

    def _worker(self) -> Worker:
        self.started += 1
        return Worker(self.started, self.server, self.broker, self.ledger)

    @staticmethod
    def _try(step: object) -> object:
        assert callable(step)
        try:
            return step()
        except StoreError:
            return None


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=100, stateful_step_count=40)
