"""A message that is judged by what changed in it is judged, and remembered, as if every rule had been asked."""

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.doctor.streams import POSITION, Patient, action, route, stamp
from vda5050.doctor import Doctor, Finding, Observation
from vda5050.message_reader import MessageReader
from vda5050.stencil import CHANGING
from vda5050.topics import parse_topic


class _Twice(Patient):
    """A robot with two doctors: one asks every rule about every message, the other judges by what changed."""

    def __init__(self) -> None:
        super().__init__()
        self.quick = Doctor()
        self.passed = 0
        self._reader = MessageReader()

    def send(self, topic: str, document: dict[str, Any], *, is_retained: bool = False) -> list[Finding]:
        """Have both judge a message, and compare what they say and know."""
        address = parse_topic(f"uagv/v2/{self.robot}/{topic}")
        message = self._reader.read(topic, address, orjson.dumps(document))
        told = super().send(topic, message.document, is_retained=is_retained)
        if message.changes is not None and not is_retained and self.quick.observe_again(
            self.robot, topic, message.stencil, message.changes, at=self.now, wall=self.wall
        ):  # fmt: skip
            self.passed += 1
            told_quickly = []
        else:
            told_quickly = self.quick.observe(
                Observation(
                    self.robot,
                    topic,
                    message.document,
                    self.version,
                    is_retained,
                    self.now,
                    self.wall,
                    self.offset,
                    message.is_valid,
                    message.stencil,
                )
            )
        assert [finding.to_dict() for finding in told_quickly] == [finding.to_dict() for finding in told]
        self.compare()
        return told

    def tick(self) -> None:
        """Have both look at the clock."""
        super().tick()
        self.quick.tick(self.now, self.wall)
        self.compare()

    def set_link(self, *, is_up: bool) -> None:
        """Lose the broker, or have it back."""
        for doctor in (self.doctor, self.quick):
            doctor.set_link(is_up=is_up, at=self.now)

    def skip_numbers(self, topic: str, count: int) -> None:
        """Count on without sending; -1 repeats a number."""
        self._header_ids[topic] = max(0, self._header_ids.get(topic, 0) + count)

    def compare(self) -> None:
        """Compare all that both know."""
        slow, quick = ([finding.to_dict() for finding in doctor.findings()] for doctor in (self.doctor, self.quick))
        assert quick == slow
        assert self.quick._patient(self.robot).record == self.doctor._patient(self.robot).record  # noqa: SLF001


MEMBERS: list[dict[str, Any]] = [
    {},
    {"driving": True},
    {"driving": True, "paused": True},
    {"orderId": "o1", "orderUpdateId": 1, "nodeStates": route("n1"), "driving": True},
    {"orderId": "o1", "orderUpdateId": 0},
    {"nodeStates": route("n1")},
    {"newBaseRequest": True},
    {"actionStates": [action("RUNNING")]},
    {"actionStates": [action("FINISHED")]},
    {"operatingMode": "FLYING"},
    {"serialNumber": "another"},
    {"errors": [{"errorType": "orderError", "errorLevel": "WARNING"}]},
]
"""What a state may say, besides what changes."""

CHANGES: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"agvPosition": POSITION | {"x": 7.5}},
    {"agvPosition": POSITION | {"theta": 3.0}},
    {"agvPosition": POSITION | {"theta": 3.2}},
    {"batteryState": {"batteryCharge": 120.0, "charging": False}},
    {"batteryState": {"batteryCharge": -1.5, "charging": False}},
    {"distanceSinceLastNode": 1.5},
    {"velocity": {"vx": 0.1}},
    {"timestamp": "2020-11-23T10:00:00.00Z"},
    {"headerId": 3},
    {"headerId": 2**32 - 1},
]
STEPS = st.one_of(
    st.tuples(
        st.just("state"),
        st.integers(1, 4),
        st.sampled_from(MEMBERS),
        st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3),
        st.booleans(),
    ),
    st.tuples(st.just("visualization"), st.integers(1, 4), st.sampled_from(CHANGES)),
    st.tuples(st.just("wait"), st.sampled_from([0.2, 3, 12, 40])),
    st.tuples(st.just("connection"), st.sampled_from(["ONLINE", "OFFLINE", "CONNECTIONBROKEN"]), st.booleans()),
    st.tuples(st.just("order"), st.sampled_from(["o1", "o2"])),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("link")),
    st.tuples(st.just("skip"), st.sampled_from(["state", "visualization"]), st.sampled_from([-1, 1, 5])),
)


def play(robot: _Twice, step: tuple[Any, ...]) -> None:
    """Let one thing happen."""
    match step:
        case "wait", seconds:
            robot.wait(seconds // 1, rest=seconds % 1)
        case "connection", state, is_retained:
            robot.connection(state, is_retained=is_retained)
        case "order", order_id:
            robot.order(orderId=order_id, orderUpdateId=1)
        case ("cancel",):
            robot.instant_action("cancelOrder")
        case ("link",):
            robot.set_link(is_up=False)
            robot.set_link(is_up=True)
        case "skip", topic, count:
            robot.skip_numbers(topic, count)
        case _:
            talk(robot, step)


def talk(robot: _Twice, step: tuple[Any, ...]) -> None:
    """Let the robot say the same a few times."""
    match step:
        case "state", times, members, changes, is_retained:
            for number in range(times):
                robot.sleep(0.2)
                robot.state(is_retained=is_retained and number == 0, **members, **changes[number % len(changes)])
        case "visualization", times, changes:
            for _ in range(times):
                robot.sleep(0.05)
                robot.visualization(**{name: changes[name] for name in changes if name != "batteryState"})


@given(st.lists(STEPS, max_size=25))
@example([("visualization", 2, {}), ("connection", "ONLINE", True), ("visualization", 1, {})])
def test_both_ways_are_one(steps: list[tuple[Any, ...]]) -> None:
    """Promise: whatever happens, and in whatever order, judging by what changed finds and remembers the same."""
    robot = _Twice()
    for step in steps:
        play(robot, step)


def test_what_nothing_is_wrong_with_passes() -> None:
    """Of states and visualizations that say nothing new all pass but the first two of each."""
    robot = _Twice()
    robot.connection("ONLINE")
    for number in range(10):
        robot.sleep(0.2)
        robot.state(agvPosition=POSITION | {"x": number + 0.5}, velocity={"vx": 1.5})
        robot.visualization()

    assert robot.passed == 16


@pytest.mark.parametrize(
    "members",
    [{"driving": True, "paused": True}, {"operatingMode": "FLYING"}, {"nodeStates": route("n1")}],
)
def test_what_stands_against_a_robot_is_asked_for_every_time(members: dict[str, Any]) -> None:
    """A complaint counts each message, and one that comes with time has to be seen coming."""
    robot = _Twice()
    for _ in range(70):
        robot.sleep(0.2)
        robot.state(**members)

    assert robot.passed == 0
    assert robot.rules


@pytest.mark.parametrize(
    "event",
    [
        lambda robot: robot.connection("OFFLINE"),
        lambda robot: robot.order(),
        lambda robot: robot.instant_action("cancelOrder"),
        lambda robot: robot.set_link(is_up=True),
        lambda robot: robot.state(orderId="another"),
        lambda robot: robot.state(timestamp=stamp(robot.wall - 60)),
        lambda robot: robot.skip_numbers("state", 1),
    ],
)
def test_what_ends_the_calm(event: Any) -> None:
    """After it the next state is judged in full; the one after that passes again where all is well."""
    robot = _Twice()
    for _ in range(5):
        robot.sleep(0.2)
        robot.state()
    before = robot.passed
    event(robot)
    robot.state()

    assert robot.passed == before > 0


@pytest.mark.parametrize("name", sorted(CHANGING - {"headerId", "timestamp"}))
def test_members_that_change_are_no_matter_of_other_rules(name: str) -> None:
    """Whatever a state says in such a member, but numbers that cannot be, is complained of by the schema only."""
    robot = Patient()
    values: list[Any] = [[], {}, "", 0, True, None, {"x": 1}, [{"x": "y"}]]
    for value in values:
        robot.sleep(0.2)
        robot.state(**{name: value})

    assert robot.rules <= {"schema"}
