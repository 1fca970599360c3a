"""A robot that drives orders through a hall, with actions, loads, battery and warnings. No MQTT, no clock.

Takes `step(seconds)` and instant actions, gives its present state in plain attributes; `event_key()` changes whenever
the standard asks for a state message (VDA 5050, "state": sent on relevant events). Everything random comes from the
`random.Random` it is given, so the same seed and the same steps give the same life, as far as other robots of the hall
leave the way free. A step must be short (0.1 s): it is the resolution of every event.
"""

from __future__ import annotations

import random
from collections.abc import Hashable
from dataclasses import dataclass

from fleet_simulator.order_dispatch import OrderDispatch
from fleet_simulator.robot_battery import Battery
from fleet_simulator.robot_motion import Motion
from fleet_simulator.robot_types import RobotType
from fleet_simulator.robot_warnings import WarningKind, Warnings
from fleet_simulator.route_graph import Node, NodeKind, RouteGraph
from fleet_simulator.traffic import PATIENCE_S, Traffic
from fleet_simulator.transport_order import Action, ActionStatus, TransportOrder

_ACTION_SECONDS = {"pick": 4.0, "drop": 3.0, "startCharging": 1.5, "stopCharging": 1.0}
_INITIALIZING_SECONDS = 0.8
_OBSTACLE_SPEED = 0.4
_LOADED_SPEED_FACTOR = 0.85
_ASK_AGAIN_S = 1.0
_CLEAR_OF_NODE_M = 2.5


@dataclass(frozen=True, slots=True)
class Load:
    """What the robot carries."""

    load_id: str
    load_type: str
    weight_kg: float


class SimulatedRobot:
    """One robot in one hall, from its start on a node. `order` is the present or, when done, the previous order.

    Robots of one hall share its `traffic`.
    """

    def __init__(
        self,
        robot_type: RobotType,
        graph: RouteGraph,
        *,
        start: Node,
        chance: random.Random,
        traffic: Traffic | None = None,
    ) -> None:
        self.robot_type = robot_type
        self._chance = chance
        self._dispatch = OrderDispatch(graph, chance)
        self.motion = Motion(robot_type, node=start, theta=graph.edges_from[start.node_id][0].heading)
        self.battery = Battery(chance.uniform(35.0, 95.0))
        self.warnings = Warnings(chance)
        self.order = TransportOrder(order_id="", start=start, edges=[], released=1)
        self._traffic = traffic or Traffic()
        self._traffic.seize(self, self.order.stops)
        self.loads: tuple[Load, ...] = ()
        self.instant_actions: list[Action] = []
        self.is_paused = False
        self.elapsed_s = 0.0
        self._own_speed = robot_type.max_speed * chance.uniform(0.85, 1.0)
        self._rest_s = chance.uniform(0.2, 1.5)
        self._release_in_s: float | None = None
        self._waited_s = 0.0
        self._held = (self.order, 0, 0)
        self._action_s = 0.0
        self._pausing: list[Action] = []
        self._cancel: Action | None = None

    @property
    def last_node(self) -> Node:
        """The node reached last, or the one it stands on."""
        return self.order.last_stop.node

    @property
    def is_driving(self) -> bool:
        """Whether the robot drives or turns."""
        return self.motion.is_moving

    @property
    def has_active_order(self) -> bool:
        """Whether an order is being worked on."""
        return not self.order.is_done

    @property
    def is_cancelling(self) -> bool:
        """Whether an order is being given up."""
        return self._cancel is not None

    def event_key(self) -> Hashable:
        """Return a value that differs from the one before if and only if something happened that must be told."""
        return (
            self.order.order_id,
            self.order.update_id,
            self.order.passed,
            self.order.released,
            len(self.order.stops),
            self.is_driving,
            self.is_paused,
            self.order.needs_base,
            self.battery.is_charging,
            self.loads,
            tuple(self.warnings.active),
            tuple([action.status for action in self.order.actions]),
            tuple([(action.action_id, action.status) for action in self.instant_actions]),
        )

    def step(self, seconds: float) -> None:
        """Live for a moment."""
        self.elapsed_s += seconds
        self._do_actions(seconds)
        self._take_orders(seconds)
        self.motion.step(seconds, self.order, speed_limit=self._speed_limit())
        self.battery.step(seconds, driven_m=self.motion.speed * seconds)
        self.warnings.step(seconds, is_driving=self.is_driving, last_node_id=self.last_node.node_id)
        self._watch_battery()
        self._end_pause_and_cancel()
        self._leave_nodes()

    def request_pause(self, action: Action) -> None:
        """Brake and stay until `resume()`; the action ends when the robot stands."""
        action.status = ActionStatus.RUNNING
        self._pausing.append(action)

    def resume(self) -> None:
        """Go on after a pause; one that is still being entered has failed."""
        for action in self._pausing:
            action.fail("overridden by stopPause")
        self._pausing.clear()
        self.is_paused = False

    def request_cancel(self, action: Action) -> None:
        """Give the order up at the next node where the robot can stand; the action ends when it does."""
        action.status = ActionStatus.RUNNING
        self._cancel = action
        stop_index = self.order.passed
        if self.motion.edge is not None:
            stop_index += 1
            way = self.motion.edge.length - self.motion.travelled
            while way < self.motion.braking_distance and stop_index + 1 < self.order.released:
                way += self.order.edges[stop_index].length
                stop_index += 1
        self.order.cut_after(stop_index)

    def _speed_limit(self) -> float:
        if self.is_paused or self._pausing:
            return 0.0
        if self.warnings.has(WarningKind.OBSTACLE):
            return _OBSTACLE_SPEED
        return self._own_speed * (_LOADED_SPEED_FACTOR if self.loads else 1.0)

    def _take_orders(self, seconds: float) -> None:
        if self.has_active_order:
            self._rest_s = 1.5
            self._extend_base(seconds)
        elif not self.is_paused and not (self.battery.is_charging and not self.battery.has_enough):
            self._rest_s -= seconds
            if self._rest_s <= 0.0:
                self._accept_order()

    def _accept_order(self) -> None:
        self.warnings.clear(WarningKind.NO_ORDER_TO_CANCEL)
        self._release_in_s, self._action_s = None, 0.0
        taken = self._traffic.wanted_by_others(self)
        order = self._dispatch.charging(self.last_node, taken=taken) if self.battery.wants_charge else None
        if order is None:
            order = self._dispatch.transport(
                self.last_node, is_loaded=bool(self.loads), is_charging=self.battery.is_charging, taken=taken
            )
        self._traffic.book(self, order.stops)
        order.released = 1 + self._traffic.take(self, order.stops[1:], wanted=order.released - 1)
        self.order = order

    def _extend_base(self, seconds: float) -> None:
        if not self.order.needs_base:
            self._release_in_s = None
            return
        if self._release_in_s is None:
            self._release_in_s = self._dispatch.release_delay_s()
        self._release_in_s -= seconds
        if self._release_in_s <= 0.0:
            self._release_stops()

    def _release_stops(self) -> None:
        """Extend the base by the nodes that are free, or ask again in a moment."""
        ahead = self.order.stops[self.order.released :]
        count = self._traffic.take(self, ahead, wanted=self._dispatch.stops_to_release())
        is_crossing = ahead[0].node.kind is NodeKind.CROSSING
        if count == 0 and self._waited_s > PATIENCE_S * (1 if is_crossing else 6):
            count = min(2, len(ahead))
            self._traffic.seize(self, ahead[:count])
        if count > 0:
            self._release_in_s, self._waited_s = None, 0.0
            self.order.extend_base(count)
        else:
            self._release_in_s = _ASK_AGAIN_S
            self._waited_s += _ASK_AGAIN_S

    def _leave_nodes(self) -> None:
        """Give nodes back that the robot has left, and those of an order that was given up."""
        is_clear = self.motion.edge is not None and self.motion.travelled > _CLEAR_OF_NODE_M
        held = (self.order, self.order.passed + is_clear, self.order.released)
        if held != self._held:
            self._held = held
            self._traffic.keep(self, self.order.stops[held[1] : held[2]])

    def _do_actions(self, seconds: float) -> None:
        action = self.order.last_stop.next_action()
        if action is None or self.motion.edge is not None:
            return
        self._action_s += seconds
        if action.status is ActionStatus.WAITING:
            action.status, self._action_s = ActionStatus.INITIALIZING, 0.0
        elif action.status is ActionStatus.INITIALIZING and self._action_s >= _INITIALIZING_SECONDS:
            action.status, self._action_s = ActionStatus.RUNNING, 0.0
        elif action.status is ActionStatus.RUNNING and self._action_s >= _ACTION_SECONDS[action.action_type]:
            action.finish(self._take_effect(action.action_type))

    def _take_effect(self, action_type: str) -> str:
        """Do what a finished action does, and return its result in words."""
        if action_type == "pick":
            load_id = f"{self.robot_type.load_type}-{self._chance.randrange(100000, 1000000)}"
            weight = round(self.robot_type.max_load_kg * self._chance.uniform(0.1, 0.9), 1)
            self.loads = (Load(load_id, self.robot_type.load_type, weight),)
            return f"picked {load_id}"
        if action_type == "drop":
            dropped = ", ".join(load.load_id for load in self.loads)
            self.loads = ()
            return f"dropped {dropped}"
        self.battery.is_charging = action_type == "startCharging"
        return "charging" if self.battery.is_charging else "charged"

    def _watch_battery(self) -> None:
        if self.battery.is_low != self.warnings.has(WarningKind.BATTERY_LOW):
            if self.battery.is_low:
                self.warnings.report(WarningKind.BATTERY_LOW)
            else:
                self.warnings.clear(WarningKind.BATTERY_LOW)

    def _end_pause_and_cancel(self) -> None:
        if self.is_driving:
            return
        if self._pausing:
            self.is_paused = True
            for action in self._pausing:
                action.finish()
            self._pausing.clear()
        if self._cancel is not None and self.motion.edge is None:
            self._cancel.finish()
            self._cancel = None
            self._rest_s = 10.0
