"""What the doctor's tests are made of: one robot, its master control and a doctor, on clocks that pass when told to.

`Patient` sends valid messages of VDA 5050 2.1.0 unless a test overrides members; headerIds and times follow by
themselves. `breaks` and `keeps` say which rule a test is about, so that no rule is left without both kinds.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeVar

from vda5050.doctor import Doctor, Finding, Observation
from vda5050.validation import Version

ROBOT = "KUKA/KR_1001"
START_S = 1_700_000_000.0
POSITION: dict[str, Any] = {"x": 1.5, "y": 2.5, "theta": 0.5, "mapId": "hall", "positionInitialized": True}
ORDER: dict[str, Any] = {"orderId": "o1", "orderUpdateId": 0}

_Test = TypeVar("_Test", bound=Callable[..., None])

BREAKS: dict[str, str] = {}
KEEPS: dict[str, str] = {}


def breaks(rule: str) -> Callable[[_Test], _Test]:
    """Mark a test whose stream just breaks a rule."""

    def mark(test: _Test) -> _Test:
        BREAKS[rule] = test.__name__
        return test

    return mark


def keeps(rule: str) -> Callable[[_Test], _Test]:
    """Mark a test whose stream just does not break a rule."""

    def mark(test: _Test) -> _Test:
        KEEPS[rule] = test.__name__
        return test

    return mark


class Patient:
    """A robot and its master on one side, the doctor on the other; nothing of them is real."""

    def __init__(self, version: Version = Version.V2_1, *, robot: str = ROBOT) -> None:
        self.doctor = Doctor()
        self.version = version
        self.robot = robot
        self.now = 1_000.0
        self.offset = 0
        self.told: list[Finding] = []
        self._header_ids: dict[str, int] = {}

    @property
    def wall(self) -> float:
        """The time of day, which passes as `now` does."""
        return START_S + self.now

    @property
    def rules(self) -> set[str]:
        """The rules that something was found by."""
        return {finding.rule for finding in self.doctor.findings(self.robot)}

    def finding(self, rule: str) -> Finding:
        """Give the one finding of a rule."""
        (found,) = [finding for finding in self.doctor.findings(self.robot) if finding.rule == rule]
        return found

    def sleep(self, seconds: float) -> None:
        """Let time pass without anybody looking."""
        self.now += seconds

    def wait(self, seconds: float, *, rest: float = 0.0) -> None:
        """Let whole seconds pass, with a tick after each, then `rest` of one."""
        for _ in range(int(seconds)):
            self.sleep(1)
            self.tick()
        if rest:
            self.sleep(rest)
            self.tick()

    def tick(self) -> None:
        """Have the doctor look at the clock."""
        self.told += self.doctor.tick(self.now, self.wall)

    def send(self, topic: str, document: dict[str, Any], *, is_retained: bool = False) -> list[Finding]:
        """Let a message arrive as it stands; gives what was told of it."""
        self.offset += 1
        told = self.doctor.observe(
            Observation(self.robot, topic, document, self.version, is_retained, self.now, self.wall, self.offset)
        )
        self.told += told
        return told

    def state(self, *, is_retained: bool = False, **override: Any) -> list[Finding]:
        """Send a state; by default that of a robot that has nothing to do."""
        idle = {
            "orderId": "",
            "orderUpdateId": 0,
            "lastNodeId": "n0",
            "lastNodeSequenceId": 0,
            "nodeStates": [],
            "edgeStates": [],
            "driving": False,
            "actionStates": [],
            "batteryState": {"batteryCharge": 80.0, "charging": False},
            "operatingMode": "AUTOMATIC",
            "errors": [],
            "safetyState": {"eStop": "NONE", "fieldViolation": False},
        }
        return self.send("state", self._header("state") | idle | override, is_retained=is_retained)

    def visualization(self, **override: Any) -> list[Finding]:
        """Send a visualization."""
        return self.send("visualization", self._header("visualization") | {"agvPosition": POSITION} | override)

    def connection(self, state: str, *, is_retained: bool = False, **override: Any) -> list[Finding]:
        """Send a connection message."""
        document = self._header("connection") | {"connectionState": state} | override
        return self.send("connection", document, is_retained=is_retained)

    def factsheet(self, interval: float | None, *, is_retained: bool = False) -> None:
        """Send what the doctor reads of a factsheet; the rest is missing, which is another rule's matter."""
        timing = {} if interval is None else {"defaultStateInterval": interval}
        document = self._header("factsheet") | {"protocolLimits": {"timing": timing}}
        self.send("factsheet", document, is_retained=is_retained)

    def order(self, nodes: str = "n0 n1", /, *, first: int = 0, base: int = 99, **override: Any) -> list[Finding]:
        """Send an order along `nodes`, of which the first `base` are released; `first` is the first sequenceId."""
        document = self._header("order") | ORDER | path(nodes, first=first, base=base) | override
        return self.send("order", document)

    def instant_action(self, action_type: str, action_id: str = "i1") -> list[Finding]:
        """Send one instant action."""
        action = {"actionType": action_type, "actionId": action_id, "blockingType": "NONE"}
        return self.send("instantActions", self._header("instantActions") | {"actions": [action]})

    def _header(self, topic: str) -> dict[str, Any]:
        self._header_ids[topic] = self._header_ids.get(topic, 0) + 1
        manufacturer, _, serial_number = self.robot.partition("/")
        return {
            "headerId": self._header_ids[topic],
            "timestamp": stamp(self.wall),
            "version": "2.1.0",
            "manufacturer": manufacturer,
            "serialNumber": serial_number,
        }


def stamp(wall: float) -> str:
    """Write a time as the specification wants it."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def path(nodes: str, *, first: int = 0, base: int = 99) -> dict[str, Any]:
    """Build an order's nodes and edges."""
    names = nodes.split()
    return {
        "nodes": [
            {"nodeId": name, "sequenceId": first + 2 * place, "released": place < base, "actions": []}
            for place, name in enumerate(names)
        ],
        "edges": [
            {
                "edgeId": f"{start}-{end}",
                "sequenceId": first + 2 * place + 1,
                "released": place + 1 < base,
                "startNodeId": start,
                "endNodeId": end,
                "actions": [],
            }
            for place, (start, end) in enumerate(pairwise(names))
        ],
    }


def action(status: str, action_id: str = "a1", action_type: str = "pick") -> dict[str, Any]:
    """Build an action state."""
    return {"actionId": action_id, "actionType": action_type, "actionStatus": status, "resultDescription": ""}


def route(*nodes: str) -> list[dict[str, Any]]:
    """Build node states."""
    return [{"nodeId": name, "sequenceId": 2 * place, "released": True} for place, name in enumerate(nodes, start=1)]
