"""A hall full of simulated robots: they keep their distance, nobody waits for ever, and work gets done."""

import math
import random

from fleet_simulator.robot_types import ROBOT_TYPES
from fleet_simulator.route_graph import ROBOTS_PER_HALL, build_hall
from fleet_simulator.simulated_robot import SimulatedRobot
from fleet_simulator.traffic import PATIENCE_S, Traffic
from fleet_simulator.transport_order import Stop

STEP_S = 0.1
HALL = build_hall(1)
ROBOT_M = 1.0  # nearer than that, one is in the other


def crew(seed: int) -> list[SimulatedRobot]:
    """Put as many robots into the hall as the demo does."""
    traffic = Traffic()
    starts = list(HALL.nodes.values())[:ROBOTS_PER_HALL]
    return [
        SimulatedRobot(
            ROBOT_TYPES[number % 3], HALL, start=start, chance=random.Random(f"{seed}/{number}"), traffic=traffic
        )
        for number, start in enumerate(starts)
    ]


def test_robots_do_not_drive_through_each_other() -> None:
    """In ten minutes hardly ever is one robot inside another, and each has done several orders."""
    robots = crew(1)
    orders: list[set[str]] = [set() for _ in robots]
    seconds, overlaps = 600, 0

    for step in range(round(seconds / STEP_S)):
        for robot, seen in zip(robots, orders, strict=True):
            robot.step(STEP_S)
            seen.add(robot.order.order_id)
        if step % 10 == 0:
            overlaps += sum(
                math.hypot(one.motion.x - other.motion.x, one.motion.y - other.motion.y) < ROBOT_M
                for index, one in enumerate(robots)
                for other in robots[:index]
            )

    assert overlaps <= seconds * 0.05
    assert min(len(seen) for seen in orders) >= 3


def stops(*names: str) -> list[Stop]:
    """Give stops on nodes of the hall."""
    return [Stop(HALL.nodes[f"H1-{name}"], 2 * index) for index, name in enumerate(names)]


def test_a_node_is_held_by_one() -> None:
    """What one robot holds no other gets, until it is given back."""
    traffic = Traffic()

    assert traffic.take("a", stops("S1", "S2", "S3"), wanted=2) == 2
    assert traffic.take("b", stops("S4", "S3", "S2", "S1"), wanted=4) == 2
    traffic.keep("a", stops("S1"))
    assert traffic.take("b", stops("S2"), wanted=1) == 1
    assert traffic.wanted_by_others("b") == {"H1-S1"}


def test_nobody_blocks_the_way_out_of_a_station() -> None:
    """The crossing before an occupied station is not taken by who wants in; before a free one both are taken."""
    traffic = Traffic()
    traffic.seize("inside", stops("P1"))

    assert traffic.take("b", stops("S1", "S2", "P1"), wanted=2) == 1
    traffic.keep("inside", [])
    assert traffic.take("b", stops("S2", "P1"), wanted=1) == 2


def test_a_robot_that_has_waited_long_goes_on() -> None:
    """A way that is never given back does not stop a robot for ever."""
    robot = crew(2)[0]
    robot._traffic.seize("a wreck", stops("S2", "S3", "S4", "M1", "N1", "N2", "N3", "N4", "M2"))  # noqa: SLF001

    for _ in range(round((PATIENCE_S + 20) / STEP_S)):
        robot.step(STEP_S)

    assert robot.order.passed > 0 or robot.motion.edge is not None
