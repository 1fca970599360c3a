"""What every robot said last: one message per robot and topic.

Takes accepted messages from `replica`, gives snapshots to `broadcast` and `/robots`. A message is kept as the bytes the
robot sent; nothing is parsed again to show it. No method switches greenlets, so what a snapshot shows is one moment.

Bounded by `max_robots`, and by `max_bytes` of messages: whoever may publish can invent names, and give each messages as
large as one may be. Half of the bytes belong to the robots, an equal share each that nobody else can take; the other
half is for whoever comes first. What is too much is refused, and nothing that was there has to go for it.

Two clocks: an update's `received_at` (epoch seconds) for what people read, `clock` (monotonic seconds) for what is
decided. The robots' own timestamps are shown and never trusted (VDA5050#172: no rule synchronises them).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from vda5050.entries import Update
from vda5050.errors import RejectedMessage
from vda5050.robot_selection import ALL_ROBOTS, RobotSelection
from vda5050.robot_view import GatewayFacts, Reading, build_view
from vda5050.topics import FROM_ROBOT, Address

CONNECTION_STATES = frozenset({"ONLINE", "OFFLINE", "CONNECTIONBROKEN", "CONNECTION_BROKEN", "HIBERNATING"})
"""The words of `connectionState`, 1.1 to 3.0 (3.0 writes CONNECTION_BROKEN)."""

_SAID_BY_THE_BROKER = frozenset({"CONNECTIONBROKEN", "CONNECTION_BROKEN"})
"""A last will: the robot itself says nothing any more."""


@dataclass(slots=True)
class Robot:
    """What one robot said last.

    `messages` by topic, the newest last, of `kept_bytes` together. `last_heard` (monotonic) and `last_seen` (epoch
    seconds) are those of its own newest live message, None while there was none: what its master control sends, and
    the will that the broker keeps for it, come from a dead robot's topics as well.
    """

    manufacturer: str
    serial_number: str
    major_version: str | None = None
    messages: dict[str, Update] = field(default_factory=dict)
    connection_state: str | None = None
    last_heard: float | None = None
    last_seen: float | None = None
    kept_bytes: int = 0

    def size_of(self, topic: str) -> int:
        """Give the length of the message that is kept of a topic; 0 where none is."""
        kept = self.messages.get(topic)
        return 0 if kept is None else len(kept.payload)


class RobotState:
    """The fleet's last messages, by robot key `manufacturer/serial_number`."""

    def __init__(
        self,
        *,
        max_robots: int,
        max_bytes: int,
        stale_after_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.kept_bytes = 0
        """Of the messages that are kept."""
        self._robots: dict[str, Robot] = {}
        self._admitted: set[str] = set()
        self._max_robots = max_robots
        self._half_of_bytes = max_bytes // 2
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._link_since: float | None = None

    def __len__(self) -> int:
        return len(self._robots)

    def __contains__(self, robot: str) -> bool:
        return robot in self._robots

    def admit(self, address: Address, size: int) -> None:
        """Keep a place for a robot, and see whether a message of `size` bytes fits.

        Raises RejectedMessage("robots", ...) when the robot, and RejectedMessage("memory", ...) when the message would
        be too much. What is no larger than the message that it replaces always fits.
        """
        is_known = address.robot in self._admitted
        if is_known and self.kept_bytes + size <= self._half_of_bytes:
            return
        robot = self._robots.get(address.robot)
        grows_by = size - (0 if robot is None else robot.size_of(address.topic))
        if grows_by > 0 and self.kept_bytes + grows_by > self._half_of_bytes:
            share = self._half_of_bytes // self._max_robots
            if (0 if robot is None else robot.kept_bytes) + grows_by > share:
                raise RejectedMessage("memory", f"{self.kept_bytes} bytes are kept; this robot's share is {share}")
        if not is_known:
            if len(self._admitted) >= self._max_robots:
                raise RejectedMessage("robots", f"{self._max_robots} robots are known, which is the limit")
            self._admitted.add(address.robot)

    def update_from_mqtt(self, update: Update) -> None:
        """Keep a message of a robot that was admitted, here or by the worker that took it in."""
        self._keep(update, self._clock())

    def restore(self, update: Update) -> None:
        """Keep a message of before this process began: it is shown, and the robot stays stale until it is heard.

        Raises RejectedMessage as `admit` does.
        """
        self.admit(update.address, len(update.payload))
        self.update_from_mqtt(update)
        self._robots[update.address.robot].last_heard = None

    def set_link(self, *, is_up: bool) -> None:
        """Say whether the broker is connected. While it is not, every robot is stale; after it, until it is heard."""
        self._link_since = self._clock() if is_up else None

    @property
    def is_link_up(self) -> bool:
        """True while the broker is connected."""
        return self._link_since is not None

    def kept(self, robot: str, topic: str) -> Update | None:
        """Give the message of this robot and topic that is kept; None where none is."""
        known = self._robots.get(robot)
        return None if known is None else known.messages.get(topic)

    def updates(self) -> Iterator[Update]:
        """Give every message that is kept."""
        for robot in self._robots.values():
            yield from robot.messages.values()

    def restart(self, updates: Iterable[Update], *, link_since: float | None, now: float) -> None:
        """Forget everything and keep these messages, taken in by another worker.

        `link_since` and `now` are epoch seconds: how long ago a robot was heard, and whether that was since the broker
        was connected, is told from that worker's clock, and is as right as the two clocks agree.
        """
        self._robots.clear()
        self._admitted.clear()
        self.kept_bytes = 0
        at = self._clock() - now
        for update in sorted(updates, key=lambda update: update.received_at):
            self._keep(update, at + min(update.received_at, now))
        self._link_since = None if link_since is None else at + min(link_since, now)

    def get_snapshot(self, robots: RobotSelection = ALL_ROBOTS, topics: frozenset[str] | None = None) -> bytes:
        """Write the matching robots as a JSON object by robot key, in the shape of `GET /robots`.

        `topics` keeps messages of these topics only; a robot with none of them is left out.
        """
        now = self._clock()
        entries = (
            b"%b:%b" % (orjson.dumps(key), entry)
            for key, robot in self._selected(robots)
            if (entry := self._entry(robot, topics, now))
        )
        return b"{%b}" % b",".join(entries)

    def get_robots(self, robots: RobotSelection = ALL_ROBOTS, topics: frozenset[str] | None = None) -> bytes:
        """Write the matching robots as `get_snapshot` does, each with its `view` (see `robot_view`)."""
        now = self._clock()
        entries = (
            b"%b:%b" % (orjson.dumps(key), _with_view(entry, self._view(robot, now)))
            for key, robot in self._selected(robots)
            if (entry := self._entry(robot, topics, now))
        )
        return b"{%b}" % b",".join(entries)

    def get_robot(self, robot: str) -> bytes | None:
        """Write one robot in the shape of `GET /robots/<manufacturer>/<serial>`, or None where it is unknown."""
        known = self._robots.get(robot)
        if known is None:
            return None
        now = self._clock()
        return _with_view(self._entry(known, None, now), self._view(known, now))

    def get_views(self, robots: RobotSelection = ALL_ROBOTS) -> bytes:
        """Write the matching robots' views as a JSON object by robot key."""
        now = self._clock()
        entries = (
            b"%b:%b" % (orjson.dumps(key), orjson.dumps(self._view(robot, now)))
            for key, robot in self._selected(robots)
        )
        return b"{%b}" % b",".join(entries)

    def get_view(self, robot: str) -> bytes:
        """Write one robot's view. Raises KeyError where the robot is unknown."""
        return orjson.dumps(self._view(self._robots[robot], self._clock()))

    def _keep(self, update: Update, heard_at: float) -> None:
        """Keep a message; `heard_at`: when it came, by `clock`."""
        address = update.address
        robot = self._robots.get(address.robot)
        if robot is None:
            robot = self._robots[address.robot] = Robot(address.manufacturer, address.serial_number)
            self._admitted.add(address.robot)
        topic, messages = address.topic, robot.messages
        before = messages.pop(topic, None)  # so that it goes in last
        messages[topic] = update
        grows_by = len(update.payload) - (0 if before is None else len(before.payload))
        robot.kept_bytes += grows_by
        self.kept_bytes += grows_by
        if address.major_version is not None:
            robot.major_version = address.major_version
        is_own = topic in FROM_ROBOT
        if topic == "connection":
            robot.connection_state = _connection_state(orjson.loads(update.payload))
            is_own = robot.connection_state not in _SAID_BY_THE_BROKER
        if is_own and not update.is_retained:
            robot.last_seen, robot.last_heard = update.received_at, heard_at

    def _view(self, robot: Robot, now: float) -> dict[str, Any]:
        messages = {
            topic: Reading(orjson.loads(message.payload), message.received_at, message.is_retained)
            for topic, message in robot.messages.items()
        }
        facts = GatewayFacts(
            robot.manufacturer,
            robot.serial_number,
            robot.major_version,
            robot.connection_state,
            None if robot.last_seen is None else _iso_time(robot.last_seen),
            self._is_stale(robot, now),
        )
        return build_view(messages, facts)

    def count_by_connection_state(self) -> dict[str, int]:
        """Count the robots, states that none is in as 0; one that the standard does not know counts as UNKNOWN."""
        states = (robot.connection_state for robot in self._robots.values())
        counted = Counter(state if state in CONNECTION_STATES else "UNKNOWN" for state in states)
        return dict.fromkeys([*sorted(CONNECTION_STATES), "UNKNOWN"], 0) | counted

    def _selected(self, robots: RobotSelection) -> Iterator[tuple[str, Robot]]:
        if robots.one is not None:
            if (found := self._robots.get(robots.one)) is not None:
                yield robots.one, found
            return
        for key, robot in self._robots.items():
            if robots.has(key):
                yield key, robot

    def _entry(self, robot: Robot, topics: frozenset[str] | None, now: float) -> bytes:
        messages = robot.messages
        if topics is not None:
            messages = {topic: message for topic, message in messages.items() if topic in topics}
            if not messages:
                return b""
        last_topic = next(reversed(messages))
        facts = {
            "manufacturer": robot.manufacturer,
            "serial_number": robot.serial_number,
            "connection_state": robot.connection_state,
            "last_seen": None if robot.last_seen is None else _iso_time(robot.last_seen),
            "is_stale": self._is_stale(robot, now),
            "last_message_type": last_topic,
        }
        return b'%b,"payload":%b,"messages":{%b}}' % (
            orjson.dumps(facts)[:-1],
            messages[last_topic].payload,
            b",".join(_members(messages)),
        )

    def _is_stale(self, robot: Robot, now: float) -> bool:
        if self._link_since is None or robot.last_heard is None or robot.last_heard < self._link_since:
            return True
        return now - robot.last_heard > self._stale_after_s


def _with_view(entry: bytes, view: dict[str, Any]) -> bytes:
    return b'%b,"view":%b}' % (entry[:-1], orjson.dumps(view))


def _members(messages: dict[str, Update]) -> Iterator[bytes]:
    for topic, message in messages.items():
        yield b'"%b":%b' % (topic.encode(), message.payload)


def _connection_state(document: dict[str, Any]) -> str | None:
    state = document.get("connectionState")
    return state.upper() if isinstance(state, str) else None


def _iso_time(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
