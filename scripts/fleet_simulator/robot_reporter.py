"""What a simulated robot says on MQTT, and when: the messages, their order and their header ids. No socket.

Takes steps, instant actions as they arrive, and the time as a callable; gives `Message`s ready to be published.
`advance()` lets the robot live one step; `due()` gives what is to be sent after it: a state on every event and once an
interval, at the latest after `LONGEST_STATE_INTERVAL_S`, and a visualization once an interval. Intervals count in
steps, not by the clock, so the same seed gives the same messages; `phase_s` is when the first begins. Header ids count
per topic and per sent message.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleet_simulator import vda5050_messages
from fleet_simulator.dialects import Dialect, Layout
from fleet_simulator.factsheets import factsheet
from fleet_simulator.instant_actions import COMMON_ACTIONS, obey
from fleet_simulator.mqtt_message import Message
from fleet_simulator.simulated_robot import SimulatedRobot
from fleet_simulator.transport_order import Action

LONGEST_STATE_INTERVAL_S = 29.0  # the standard says 30; a second for the network
LONGEST_STEP_S = 0.1
_HEADER_IDS = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the robot is, and how it speaks."""

    manufacturer: str
    serial: str
    dialect: Dialect
    layout: Layout

    @property
    def name(self) -> str:
        """The robot's name for people: manufacturer/serial."""
        return f"{self.manufacturer}/{self.serial}"

    def topic(self, name: str) -> str:
        """Return the MQTT topic of one kind of message of this robot."""
        return self.dialect.topic(self.layout, self.manufacturer, self.serial, name)


class HeaderIds:
    """Counts the messages sent per topic, from `first` on, as uint32: after 2**32 - 1 comes 0."""

    def __init__(self, *, first: int = 0) -> None:
        self._first = first
        self._next: dict[str, int] = {}

    def peek(self, topic: str, *, ahead: int = 0) -> int:
        """Return the id of the topic's next message, or of one further ahead (or, negative, back)."""
        return (self._next.get(topic, self._first) + ahead) % _HEADER_IDS

    def take(self, topic: str) -> int:
        """Return the id of the topic's next message, and count it as sent."""
        header_id = self.peek(topic)
        self._next[topic] = self.peek(topic, ahead=1)
        return header_id


class RobotReporter:
    """One robot and its voice."""

    def __init__(
        self,
        robot: SimulatedRobot,
        identity: Identity,
        *,
        interval_s: float,
        now: Callable[[], datetime],
        phase_s: float = 0.0,
    ) -> None:
        self.robot = robot
        self.identity = identity
        self.interval_s = interval_s
        self.phase_s = phase_s
        self._now = now
        steps = max(math.ceil(interval_s / LONGEST_STEP_S - 1e-9), 1)
        self.step_s = interval_s / steps
        self._visualization_steps = steps
        self._state_steps = min(steps, int(LONGEST_STATE_INTERVAL_S / self.step_s))
        self._steps = 0
        self._header_ids = HeaderIds()
        self._told_event: object = None
        self._told_order_id = robot.order.order_id

    def advance(self) -> None:
        """Let the robot live one step of `step_s` seconds."""
        self.robot.step(self.step_s)
        self._steps += 1
        if self.robot.order.order_id != self._told_order_id:
            self._told_order_id = self.robot.order.order_id
            self._forget_instant_actions()

    def due(self) -> list[Message]:
        """Return what is to be sent now; call it after each `advance()` while connected."""
        messages = []
        event = self.robot.event_key()
        if event != self._told_event or self._steps % self._state_steps == 0:
            self._told_event = event
            messages.append(self.state())
        if self._steps % self._visualization_steps == 0:
            messages.append(self._visualization())
        return messages

    def greeting(self) -> list[Message]:
        """Return what a robot says when its connection is up: retained ONLINE and factsheet, and its state."""
        self._told_event = self.robot.event_key()
        facts = [self._factsheet()] if self.identity.dialect.has_factsheet else []
        return [self._connection("ONLINE"), *facts, self.state()]

    def farewell(self) -> list[Message]:
        """Return what a robot says before it disconnects."""
        return [self._connection("OFFLINE")]

    def last_will(self) -> Message:
        """Return what the broker shall say when the robot vanishes; call it before each connect.

        Its header id is the one after the coming ONLINE. A graceful OFFLINE uses the same one, as the will is then
        never sent: so the ids seen on the topic have neither gap nor step back.
        """
        header_id = self._header_ids.peek("connection", ahead=1)
        return self._connection_message(self.identity.dialect.connection_broken, header_id)

    def connection_lost(self) -> None:
        """Count the last will as sent."""
        self._header_ids.take("connection")

    def state(self) -> Message:
        """Return a state message of now."""
        return self._message("state", vda5050_messages.state(self.robot, self.identity.dialect))

    def instant_actions(self, payload: bytes) -> list[Message]:
        """Obey an instantActions message; return what is to be sent at once. One that cannot be read is ignored."""
        answers = []
        for action_type, action_id, order_id in _actions_in(payload, self.identity.dialect):
            dialect = self.identity.dialect
            supported = COMMON_ACTIONS | dialect.extra_instant_actions
            obey(self.robot, Action(action_id, action_type), supported=supported, order_id=order_id)
            if action_type == "factsheetRequest" and dialect.has_factsheet:
                answers.append(self._factsheet())
            if action_type == "stateRequest":
                self._told_event = None
        event = self.robot.event_key()
        if event != self._told_event:
            self._told_event = event
            answers.append(self.state())
        return answers

    def _forget_instant_actions(self) -> None:
        """Drop ended instant actions with a new order, as the standard says up to 2.1."""
        if self.identity.dialect.instant_states_key is None:
            self.robot.instant_actions = [action for action in self.robot.instant_actions if not action.is_ended]

    def _visualization(self) -> Message:
        state_header_id = self._header_ids.peek("state", ahead=-1)
        body = vda5050_messages.visualization(self.robot, self.identity.dialect, state_header_id=state_header_id)
        return self._message("visualization", body)

    def _factsheet(self) -> Message:
        body = factsheet(
            self.robot.robot_type,
            self.identity.dialect,
            state_interval_s=self._state_steps * self.step_s,
            visualization_interval_s=self.interval_s,
        )
        return self._message("factsheet", body, is_retained=True)

    def _connection(self, connection_state: str) -> Message:
        return self._connection_message(connection_state, self._header_ids.take("connection"))

    def _connection_message(self, connection_state: str, header_id: int) -> Message:
        body = {"connectionState": connection_state}
        return self._message("connection", body, header_id=header_id, qos=1, is_retained=True)

    def _message(
        self, topic: str, body: dict[str, Any], *, header_id: int | None = None, qos: int = 0, is_retained: bool = False
    ) -> Message:
        identity = self.identity
        head = vda5050_messages.header(
            identity.dialect,
            manufacturer=identity.manufacturer,
            serial=identity.serial,
            header_id=self._header_ids.take(topic) if header_id is None else header_id,
            now=self._now(),
        )
        return Message(identity.topic(topic), vda5050_messages.to_json({**head, **body}), qos, is_retained)


def _actions_in(payload: bytes, dialect: Dialect) -> list[tuple[str, str, str | None]]:
    """Return (actionType, actionId, orderId parameter) of each readable action; 1.1 also says actionName."""
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        return []
    actions = message.get(dialect.instant_actions_key) if isinstance(message, dict) else None
    found = []
    for action in actions if isinstance(actions, list) else []:
        if not isinstance(action, dict):
            continue
        action_type, action_id = action.get("actionType", action.get("actionName")), action.get("actionId")
        if isinstance(action_type, str) and isinstance(action_id, str):
            found.append((action_type, action_id, _order_id_in(action)))
    return found


def _order_id_in(action: dict[str, Any]) -> str | None:
    parameters = action.get("actionParameters")
    for parameter in parameters if isinstance(parameters, list) else []:
        if isinstance(parameter, dict) and parameter.get("key") == "orderId":
            return str(parameter.get("value"))
    return None
