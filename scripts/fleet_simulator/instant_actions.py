"""What a simulated robot does with instant actions, by VDA 5050's rules ("instantActions", "Order cancellation").

Takes one action at a time, already read from JSON, and changes the robot; gives its end or its course as an action
state in `robot.instant_actions`. Up to 2.1 ended ones go when a new order is accepted; in 3.0 they stay until
`clearInstantActions`. At most `MAX_INSTANT_ACTIONS` are kept, the oldest go first. Pure.
"""

from __future__ import annotations

from fleet_simulator.robot_warnings import WarningKind
from fleet_simulator.simulated_robot import SimulatedRobot
from fleet_simulator.transport_order import Action

MAX_INSTANT_ACTIONS = 50
COMMON_ACTIONS = frozenset({"startPause", "stopPause", "cancelOrder", "stateRequest"})


def obey(robot: SimulatedRobot, action: Action, *, supported: frozenset[str], order_id: str | None = None) -> None:
    """Start or do the action, and keep its state; one with a known actionId is ignored.

    `order_id` is cancelOrder's parameter of 3.0: with another order's id the action fails.
    """
    if any(known.action_id == action.action_id for known in robot.instant_actions):
        return
    robot.instant_actions.append(action)
    if action.action_type not in supported:
        action.fail(f"{action.action_type} is not supported")
        robot.warnings.report(WarningKind.INVALID_INSTANT_ACTION, ("actionId", action.action_id))
    else:
        robot.warnings.clear(WarningKind.INVALID_INSTANT_ACTION)
        _do(robot, action, order_id=order_id)
    _forget_oldest(robot)


def _do(robot: SimulatedRobot, action: Action, *, order_id: str | None) -> None:
    match action.action_type:
        case "startPause":
            robot.request_pause(action)
        case "stopPause":
            robot.resume()
            action.finish()
        case "cancelOrder":
            _cancel_order(robot, action, order_id=order_id)
        case "clearInstantActions":
            robot.instant_actions = [known for known in robot.instant_actions if not known.is_ended]
            action.finish()
        case _:
            action.finish()


def _cancel_order(robot: SimulatedRobot, action: Action, *, order_id: str | None) -> None:
    if robot.is_cancelling or not robot.has_active_order or order_id not in (None, robot.order.order_id):
        action.fail("no order to cancel")
        robot.warnings.report(WarningKind.NO_ORDER_TO_CANCEL, ("actionId", action.action_id))
        return
    robot.request_cancel(action)


def _forget_oldest(robot: SimulatedRobot) -> None:
    while len(robot.instant_actions) > MAX_INSTANT_ACTIONS:
        ended = next((known for known in robot.instant_actions if known.is_ended), robot.instant_actions[0])
        robot.instant_actions.remove(ended)
