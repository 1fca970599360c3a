"""The simulated robot as a model: motion, orders, actions, battery, instant actions. No MQTT, no clock."""

import math
import random
from collections.abc import Callable, Iterator

import pytest
from fleet_simulator.instant_actions import MAX_INSTANT_ACTIONS, obey
from fleet_simulator.robot_types import ROBOT_TYPES
from fleet_simulator.robot_warnings import WarningKind
from fleet_simulator.route_graph import NodeKind, build_hall
from fleet_simulator.simulated_robot import SimulatedRobot
from fleet_simulator.transport_order import Action, ActionStatus

STEP_S = 0.1
HALL = build_hall(1)
SUPPORTED = frozenset({"startPause", "stopPause", "cancelOrder", "stateRequest", "clearInstantActions"})


def robot(seed: int = 1, *, charge: float = 80.0) -> SimulatedRobot:
    """Return a robot on a crossing, with the charge given."""
    made = SimulatedRobot(
        ROBOT_TYPES[seed % len(ROBOT_TYPES)], HALL, start=HALL.nodes["H1-S1"], chance=random.Random(seed)
    )
    made.battery.charge_percent = charge
    return made


def steps(simulated: SimulatedRobot, seconds: float) -> Iterator[float]:
    """Let the robot live, and give the time after each step."""
    for number in range(round(seconds / STEP_S)):
        simulated.step(STEP_S)
        yield number * STEP_S


def live_until(simulated: SimulatedRobot, is_reached: Callable[[], bool], *, within_s: float = 600.0) -> None:
    """Let the robot live until something holds."""
    if not any(is_reached() for _ in steps(simulated, within_s)):
        pytest.fail(f"not reached within {within_s} simulated seconds")


def order_to(simulated: SimulatedRobot, action_type: str, **parameters: str) -> Action:
    """Send the robot an instant action and return it."""
    action = Action(f"{action_type}-{len(simulated.instant_actions)}", action_type)
    obey(simulated, action, supported=SUPPORTED, **parameters)
    return action


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_moves_as_fast_as_it_says(seed: int) -> None:
    """From step to step the position changes by the reported speed, and the heading by the reported turn rate."""
    simulated = robot(seed)
    motion = simulated.motion
    x, y, theta = motion.x, motion.y, motion.theta

    for _ in steps(simulated, 120.0):
        moved = math.hypot(motion.x - x, motion.y - y)
        turned = abs(math.remainder(motion.theta - theta, math.tau))
        assert moved == pytest.approx(motion.speed * STEP_S, abs=0.02)
        assert turned == pytest.approx(abs(motion.turn_rate) * STEP_S, abs=0.002)
        assert motion.speed == 0.0 or motion.turn_rate == 0.0
        assert -math.pi <= motion.theta <= math.pi
        x, y, theta = motion.x, motion.y, motion.theta


@pytest.mark.parametrize("seed", [1, 2])
def test_accelerates_and_brakes_within_its_limits(seed: int) -> None:
    """The speed never jumps: what is left over when it stops on the spot is below 0.2 m/s."""
    simulated = robot(seed)
    limit = simulated.robot_type.acceleration * STEP_S
    speed = 0.0

    for _ in steps(simulated, 120.0):
        change = simulated.motion.speed - speed
        assert change <= limit + 1e-9
        assert change >= -limit * 1.3 or (simulated.motion.speed < 0.2 and speed < 0.3)
        assert simulated.motion.speed <= simulated.robot_type.max_speed
        speed = simulated.motion.speed


def test_stays_on_its_edges() -> None:
    """The robot is always on the straight line between the ends of its edge, at the distance it reports."""
    simulated = robot()

    for _ in steps(simulated, 120.0):
        motion = simulated.motion
        last = simulated.last_node
        assert math.hypot(motion.x - last.x, motion.y - last.y) == pytest.approx(motion.travelled, abs=1e-6)


def test_same_seed_same_life() -> None:
    """Two robots with the same seed do the same, another seed does something else."""
    lives = []
    for seed in (5, 5, 6):
        simulated = robot(seed)
        lives.append([(simulated.event_key(), simulated.motion.x) for _ in steps(simulated, 60.0)])

    assert lives[0] == lives[1]
    assert lives[0] != lives[2]


def test_order_shrinks_as_it_is_driven() -> None:
    """Stops only pass one by one, the base only grows, and an update id comes with each growth."""
    simulated = robot()
    live_until(simulated, lambda: simulated.has_active_order)
    order = simulated.order
    passed, released, updates = order.passed, order.released, order.update_id

    while simulated.order is order and simulated.has_active_order:
        simulated.step(STEP_S)
        assert order.passed in (passed, passed + 1)
        assert (order.released > released) == (order.update_id == updates + 1)
        assert order.passed < order.released <= len(order.stops)
        passed, released, updates = order.passed, order.released, order.update_id

    assert updates > 0
    assert order.passed == len(order.stops) - 1
    assert not simulated.is_driving


def test_action_states_take_the_legal_way() -> None:
    """Each order action goes from WAITING over INITIALIZING and RUNNING to FINISHED, one state a step."""
    legal = ["WAITING", "INITIALIZING", "RUNNING", "FINISHED"]
    simulated = robot()
    seen: dict[str, list[str]] = {}

    for _ in steps(simulated, 240.0):
        for action in simulated.order.actions:
            history = seen.setdefault(action.action_id, [])
            if history[-1:] != [action.status.value]:
                history.append(action.status.value)

    assert legal in seen.values()
    assert all(history == legal[: len(history)] for history in seen.values())


def test_stands_while_it_acts() -> None:
    """Pick and drop happen on their station, standing, and change the load when they finish."""
    simulated = robot()

    live_until(simulated, lambda: simulated.order.last_stop.next_action() is not None)
    assert simulated.last_node in HALL.nodes_of(NodeKind.PICK)
    assert not simulated.is_driving
    live_until(simulated, lambda: bool(simulated.loads), within_s=6.0)
    assert simulated.order.actions[0].status is ActionStatus.FINISHED
    live_until(simulated, lambda: not simulated.loads)
    assert simulated.last_node in HALL.nodes_of(NodeKind.DROP)


def test_goes_charging_when_low_and_leaves_when_full() -> None:
    """A robot low on charge drives to a charger, stays until 92 %, and stops charging before it leaves."""
    simulated = robot(charge=21.5)

    simulated.step(STEP_S)
    assert simulated.warnings.has(WarningKind.BATTERY_LOW)
    live_until(simulated, lambda: simulated.battery.is_charging)
    assert simulated.last_node.kind is NodeKind.CHARGER
    assert not simulated.warnings.has(WarningKind.BATTERY_LOW)
    live_until(simulated, lambda: simulated.is_driving)
    assert simulated.battery.charge_percent > 90.0
    assert not simulated.battery.is_charging


def test_warns_now_and_then() -> None:
    """A chance warning comes, slows the robot down if it is an obstacle, and goes again."""
    simulated = robot(2)

    live_until(simulated, lambda: simulated.warnings.has(WarningKind.OBSTACLE))
    list(steps(simulated, 3.0))
    assert simulated.motion.speed <= 0.4
    live_until(simulated, lambda: not simulated.warnings.active, within_s=15.0)


def test_pause_brakes_holds_and_resumes() -> None:
    """StartPause runs until the robot stands and is paused; stopPause lets the same order go on."""
    simulated = robot()
    live_until(simulated, lambda: simulated.motion.speed > 1.0)
    order_id = simulated.order.order_id

    pause = order_to(simulated, "startPause")
    assert not pause.is_ended
    live_until(simulated, lambda: simulated.is_paused, within_s=5.0)
    assert pause.status is ActionStatus.FINISHED
    place = (simulated.motion.x, simulated.motion.y)
    list(steps(simulated, 30.0))
    assert (simulated.motion.x, simulated.motion.y) == place
    assert order_to(simulated, "stopPause").status is ActionStatus.FINISHED
    live_until(simulated, lambda: simulated.is_driving, within_s=1.0)
    assert simulated.order.order_id == order_id


def test_cancel_ends_the_order_at_a_node() -> None:
    """CancelOrder fails the actions, empties the order on the next node, keeps the order's id, and then is FINISHED."""
    simulated = robot()
    live_until(simulated, lambda: simulated.motion.speed > 1.0)
    order = simulated.order
    waiting = list(order.actions)

    cancel = order_to(simulated, "cancelOrder")
    assert not cancel.is_ended
    assert all(action.status is ActionStatus.FAILED for action in waiting)
    live_until(simulated, lambda: cancel.is_ended, within_s=30.0)
    assert cancel.status is ActionStatus.FINISHED
    assert simulated.order is order
    assert order.actions == waiting
    assert not order.has_horizon
    assert simulated.motion.edge is None
    assert not simulated.is_driving
    live_until(simulated, lambda: simulated.order is not order, within_s=15.0)


@pytest.mark.parametrize("parameters", [{}, {"order_id": "another"}])
def test_cancel_without_such_an_order_fails(parameters: dict[str, str]) -> None:
    """CancelOrder without an order, or with another order's id, fails and is reported until a new order comes."""
    simulated = robot()
    if parameters:
        live_until(simulated, lambda: simulated.has_active_order)

    cancel = order_to(simulated, "cancelOrder", **parameters)

    assert cancel.status is ActionStatus.FAILED
    assert simulated.warnings.active[0].kind is WarningKind.NO_ORDER_TO_CANCEL
    assert simulated.warnings.active[0].references == (("actionId", cancel.action_id),)
    order = simulated.order
    live_until(simulated, lambda: simulated.order is not order)
    assert not simulated.warnings.has(WarningKind.NO_ORDER_TO_CANCEL)


def test_unknown_instant_action_fails() -> None:
    """An action the robot does not know fails with a warning, which goes with the next one it accepts."""
    simulated = robot()

    assert order_to(simulated, "selfDestruct").status is ActionStatus.FAILED
    assert simulated.warnings.has(WarningKind.INVALID_INSTANT_ACTION)
    order_to(simulated, "stateRequest")
    assert not simulated.warnings.has(WarningKind.INVALID_INSTANT_ACTION)


def test_instant_actions_are_bounded_and_unique() -> None:
    """A known actionId is ignored; of too many states the oldest ended go; clearInstantActions leaves only itself."""
    simulated = robot()

    for number in range(3 * MAX_INSTANT_ACTIONS):
        obey(simulated, Action(f"a{number // 2}", "stateRequest"), supported=SUPPORTED)
    assert len(simulated.instant_actions) == MAX_INSTANT_ACTIONS
    assert len({action.action_id for action in simulated.instant_actions}) == MAX_INSTANT_ACTIONS
    clear = order_to(simulated, "clearInstantActions")
    assert simulated.instant_actions == [clear]


def test_every_station_can_be_reached_from_every_node() -> None:
    """The hall has no dead end: a route exists between any two nodes, and its edges join."""
    nodes = list(HALL.nodes.values())

    for start in nodes:
        for goal in nodes:
            route = HALL.route(start, goal)
            assert [edge.start for edge in route] == [start, *(edge.end for edge in route)][: len(route)]
            assert start is goal or route[-1].end is goal


def test_halls_do_not_overlap() -> None:
    """Halls lie beside each other on one map, with node ids of their own."""
    places = {(node.x, node.y) for number in range(1, 30) for node in build_hall(number).nodes.values()}
    names = {name for number in range(1, 30) for name in build_hall(number).nodes}

    assert len(places) == len(names) == 29 * len(HALL.nodes)
