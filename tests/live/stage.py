"""A gateway under load, on which something is to go wrong: robots, and clients of every kind that check each number.

with scene(service, broker, Promise()) as stage:
    ...  # run into the fault, come out of it
    stage.settle()
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.live import ledger
from tests.live.robot_fleet import RobotFleet
from tests.live.sequence_checker import Crowd, Promise, commuter, sleeper, sse, visitor, websocket
from tests.services import Gateway, Service, wait_until

READERS = 9


@dataclass(frozen=True, slots=True)
class Scene:
    """A gateway with robots and clients of every wire."""

    gateway: Gateway
    fleet: RobotFleet
    crowd: Crowd

    def settle(self) -> None:
        """Let each robot be heard again and everybody read on to the newest state; nothing may have been wrong."""
        sent = self.fleet.sent
        wait_until(lambda: self.fleet.sent > sent + 3 * len(self.fleet.last_header_ids), what="robots speak again")
        self.fleet.stop()
        self.crowd.settle(self.fleet.last_header_ids, deadline_s=40)
        assert self.crowd.violations() == []
        assert ledger.missing(witness.trail for witness in self.crowd.witnesses) == []

    def assert_nobody_was_reset(self) -> None:
        """Check that no stream ended and none began again, those of who stood still apart."""
        assert self.crowd.hang_ups == 0
        assert [w.name for w in self.crowd.witnesses if w.resets and "sleeper" not in w.name] == []


@contextmanager
def scene(service: Gateway, broker: Service, promise: Promise) -> Iterator[Scene]:
    """Let robots publish and clients come, stay, go, resume and stand still."""
    with RobotFleet(broker.port, robots=30, rate_hz=5, filler_bytes=300) as fleet, Crowd() as crowd:
        wait_until(lambda: fleet.sent > 100, what="the gateway knows the robots")
        port = service.port
        wires = {"plain": sse(port), "gzip": sse(port, is_gzip=True), "ws": websocket(port)}
        for number, (wire, connect) in enumerate(wires.items()):
            dice = random.Random(number)
            for reader in range(READERS // 3):
                crowd.add(f"{wire} reader {reader}", connect, promise=promise)
            crowd.add(f"{wire} commuter", connect, commuter(dice), promise=promise)
            crowd.add(f"{wire} visitor", connect, visitor(dice), promise=promise)
            crowd.add(f"{wire} sleeper", connect, sleeper(dice, stall_s=2), promise=promise)
        wait_until(lambda: all(w.updates for w in crowd.witnesses), what="everybody reads", deadline_s=30)
        yield Scene(service, fleet, crowd)
