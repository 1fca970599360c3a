"""What the doctor remembers of a robot: enough to judge the next message, and no more.

Only live messages are remembered; a retained one says nothing about now, except on `connection`, whose words hold until
others come. Bounded: MAX_REMEMBERED_ACTIONS actions, MAX_CANCELS cancelOrders, one order.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from vda5050.topics import FROM_ROBOT
from vda5050.validation import Version

MAX_REMEMBERED_ACTIONS = 1_000
MAX_CANCELS = 100
MAX_CANCEL_ID_CHARS = 200
"""A cancelOrder with a longer id is not waited for."""

STATE_AT_LATEST_S = 30.0
"""A state is due at the latest so long after the one before (2.1.0, 6.10; 3.0.0, 6.6)."""
GRACE_S = 3.0
"""For the network, and for a sender that is just busy."""

SILENT = frozenset({"OFFLINE", "CONNECTIONBROKEN", "CONNECTION_BROKEN", "HIBERNATING"})
"""Connection states in which no state is due."""


class Observation(msgspec.Struct):
    """One accepted message as the doctor sees it; nobody else changes it.

    `at` is monotonic seconds, `wall` epoch seconds, both of receiving it; `offset` its place in the stream. `is_valid`:
    it is known to fit the schemas. `kind` (its stencil) is what all messages share that differ from this one in
    CHANGING members only; None where that is not known. The others are the doctor's own note of what several rules ask
    for (see `header_rules.read_header`, `action_rules.read_actions`).
    """

    robot: str
    topic: str
    document: dict[str, Any]
    version: Version
    is_retained: bool
    at: float
    wall: float
    offset: int
    is_valid: bool = False
    kind: object = None
    header_id: int | None = None
    header_step: int = 1
    skew_s: float | None = None
    action_lists: tuple[Any, ...] = ()
    has_new_actions: bool = False


@dataclass(slots=True)
class SentOrder:
    """The newest order or order update seen on a robot's order topic, and what the robot made of it so far.

    `base_ends`: where an update may begin, as (nodeId, sequenceId). More than one while it is open which of the updates
    sent the robot took.
    """

    document: dict[str, Any]
    order_id: str
    update_id: int
    at: float
    base_ends: tuple[tuple[Any, Any], ...]
    is_accepted: bool = False
    is_rejected: bool = False


@dataclass(slots=True)
class ActionTrack:
    """An action as the robot last reported it, and since when."""

    status: str
    since: float
    action_type: str = ""


@dataclass(slots=True)
class RobotRecord:
    """One robot's memory; times are monotonic seconds.

    `heard_at` is the robot's newest live message, `state_at` its newest live state; `order_id` to `has_route` are
    what that state said. `online_since` is when it came online, or first spoke where only a retained ONLINE is known.
    `cancels`: since when the cancelOrders of these action ids are waited for; `is_paused` is up to date while there are
    some. `..._since`: since when something that is wrong only if it lasts has been seen without a break.
    """

    robot: str
    header_ids: dict[str, int] = field(default_factory=dict)
    connection: str | None = None
    connection_at: float = 0.0
    is_connection_retained: bool = False
    online_since: float | None = None
    heard_at: float | None = None
    state_at: float | None = None
    state_interval_s: float = STATE_AT_LATEST_S
    order_id: str | None = None
    update_id: int | None = None
    last_node: tuple[Any, Any] | None = None
    is_driving: bool = False
    has_route: bool = False
    sent_order: SentOrder | None = None
    actions: dict[str, ActionTrack] = field(default_factory=dict)
    action_lists: tuple[Any, ...] = ()
    cancels: dict[str, float] = field(default_factory=dict)
    is_paused: bool = False
    new_base_since: float | None = None
    paused_driving_since: float | None = None
    skewed_since: float | None = None
    talking_since: float | None = None

    def forget_numbering(self) -> None:
        """Let the robot number anew from here; its master control does not."""
        self.header_ids = {topic: number for topic, number in self.header_ids.items() if topic not in FROM_ROBOT}

    def begin_anew(self) -> None:
        """Forget what was said before a break: the robot may have been restarted, and messages were lost."""
        self.forget_numbering()
        self.online_since = self.heard_at = self.state_at = None
        self.skewed_since = self.talking_since = None
        self.forget_order()

    def forget_order(self) -> None:
        """Forget what the robot did, and what its master told it to do."""
        self.order_id = self.update_id = self.last_node = None
        self.is_driving = self.has_route = self.is_paused = False
        self.sent_order = None
        self.actions, self.action_lists, self.cancels = {}, (), {}
        self.new_base_since = self.paused_driving_since = None


def text(document: dict[str, Any], name: str) -> str | None:
    """Read a string member, None where it is another type or missing."""
    value = document.get(name)
    return value if isinstance(value, str) else None


def integer(document: dict[str, Any], name: str) -> int | None:
    """Read an integer member (a float without fraction counts), None where it is another type or missing."""
    value = document.get(name)
    if type(value) is int:
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def number(document: dict[str, Any], name: str) -> float | None:
    """Read a number member, None where it is another type or missing."""
    value = document.get(name)
    return value if type(value) is float or type(value) is int else None  # a bool is an int, but not its type


def objects(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Read the objects of an array member; whatever else stands there is left out."""
    value = document.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
