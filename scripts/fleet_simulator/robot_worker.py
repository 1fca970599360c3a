"""Runs robots on one MQTT connection, in one thread: steps them when their time has come, publishes what they say.

Takes `RobotReporter`s and a stop signal, gives counts. Robots are spread over the interval, so that they do not
publish in lockstep. A robot that fell behind (the machine slept, the broker blocked) goes on from now instead of
catching up in a burst. While the broker is away or slow robots live on, silently.
A worker of one robot has that robot's last will. A connection has one will only, so a worker of several has none.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fleet_simulator.broker_options import BrokerOptions
from fleet_simulator.mqtt_message import Message
from fleet_simulator.mqtt_session import MqttSession
from fleet_simulator.robot_reporter import RobotReporter
from fleet_simulator.stop_signal import StopSignal

_SHORTEST_WAIT_S = 0.02
_LONGEST_LAG_S = 2.0


def utc_now() -> datetime:
    """Return the present time for message headers."""
    return datetime.now(UTC)


class RobotWorker:
    """One connection with its robots; an `Endpoint` of the session."""

    def __init__(
        self, reporters: Sequence[RobotReporter], options: BrokerOptions, *, say: Callable[[str], None]
    ) -> None:
        self.reporters = reporters
        self.messages_sent = 0
        self._by_topic = {reporter.identity.topic("instantActions"): reporter for reporter in reporters}
        self._answers: list[Message] = []
        self._say = say
        self._address = options.address
        self._has_greeted = False
        self._session = MqttSession(options, self, say=say)

    def open(self, stop: StopSignal) -> None:
        """Connect before `run()`, to learn at once whether that works. Raises BrokerError."""
        self._session.open(stop)

    def run(self, stop: StopSignal) -> None:
        """Let the robots live until the stop signal; then publish OFFLINE for each, and disconnect."""
        try:
            self._live(stop)
        finally:
            self._session.close(message for reporter in self.reporters for message in reporter.farewell())

    def subscriptions(self) -> Sequence[str]:
        """Return the instantActions topic of every robot."""
        return list(self._by_topic)

    def last_will(self) -> Message | None:
        """Return the will of the only robot."""
        return self.reporters[0].last_will() if len(self.reporters) == 1 else None

    def greeting(self) -> Sequence[Message]:
        """Return ONLINE, factsheet and state of every robot."""
        messages = [message for reporter in self.reporters for message in reporter.greeting()]
        self.messages_sent += len(messages)
        if not self._has_greeted:
            self._has_greeted = True
            self._introduce()
        return messages

    def connection_lost(self) -> None:
        """Let the robot with a will count it as sent."""
        if len(self.reporters) == 1:
            self.reporters[0].connection_lost()

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Obey instant actions; a retained one is old, and is not obeyed."""
        reporter = self._by_topic.get(topic)
        if reporter is not None and not is_retained:
            self._answers += reporter.instant_actions(payload)

    def _introduce(self) -> None:
        """Tell people who is there: a line for one robot, a line for many on one connection."""
        first, last = self.reporters[0].identity, self.reporters[-1].identity
        if len(self.reporters) == 1:
            self._say(f"{first.name} online at {self._address}, VDA 5050 {first.dialect.version}, {first.topic('#')}")
        else:
            self._say(f"{len(self.reporters)} robots online at {self._address}, {first.name} to {last.name}")

    def _live(self, stop: StopSignal) -> None:
        start = time.monotonic()
        # (moment of the next step, index): the index only breaks ties.
        agenda = [(start + reporter.phase_s, index) for index, reporter in enumerate(self.reporters)]
        heapq.heapify(agenda)
        shortest_wait_s = _SHORTEST_WAIT_S if len(self.reporters) > 1 else 0.0
        while not stop.is_set:
            self._session.serve(max(agenda[0][0], time.monotonic() + shortest_wait_s), stop)
            self._publish(self._answers)
            self._answers = []
            now = time.monotonic()
            while agenda[0][0] <= now and not stop.is_set:
                due, index = agenda[0]
                reporter = self.reporters[index]
                self._step(reporter)
                following = due + reporter.step_s
                heapq.heapreplace(agenda, (following if now - following < _LONGEST_LAG_S else now, index))

    def _step(self, reporter: RobotReporter) -> None:
        reporter.advance()
        if self._session.is_ready:
            self._publish(reporter.due())

    def _publish(self, messages: Sequence[Message]) -> None:
        if messages:
            self.messages_sent += self._session.publish(messages)
