"""A message that is judged by what changed in it is judged, and remembered, as if every rule had been asked."""

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.doctor.streams import POSITION, Patient, action, route, stamp
from vda5050.doctor import Doctor, Finding, Observation
from vda5050.doctor.records import RobotRecord
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
        if message.changes is not None and not is_retained and self.quick.observe_changes(
            self.robot, topic, kind=message.stencil, changes=message.changes, at=self.now, wall=self.wall
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
        assert self.known_to(self.quick) == self.known_to(self.doctor)

    def known_to(self, doctor: Doctor) -> tuple[list[dict[str, Any]], RobotRecord]:
        """Give what a doctor has against the robot, and what it remembers of it."""
        findings = [finding.to_dict() for finding in doctor.findings()]
        return findings, doctor._patient(self.robot).record  # noqa: SLF001


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

    assert robot.known_to(robot.quick) == robot.known_to(robot.doctor)


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


def calm_robot(*, states: int = 8) -> _Twice:
    """Give a robot that has said the same for a while."""
    robot = _Twice()
    for _ in range(states):
        robot.sleep(0.2)
        robot.state()
    assert robot.passed == states - 2
    return robot


@pytest.mark.parametrize(
    "event",
    [
        lambda robot: robot.connection("OFFLINE"),
        lambda robot: robot.connection("ONLINE", is_retained=True),
        lambda robot: robot.order(),
        lambda robot: robot.instant_action("cancelOrder"),
        lambda robot: robot.set_link(is_up=True),
        lambda robot: robot.state(orderId="another"),
        lambda robot: robot.state(orderId="another", is_retained=True),
        lambda robot: robot.state(timestamp=stamp(robot.wall - 60)),
        lambda robot: robot.skip_numbers("state", 1),
    ],
)
def test_what_ends_the_calm(event: Any) -> None:
    """After it the next state is judged in full."""
    robot = calm_robot()
    before = robot.passed
    event(robot)
    robot.state()

    assert robot.passed == before


def test_another_order_is_remembered_each_time() -> None:
    """Of a robot that was calm for long, whose new state gets a stencil at once."""
    robot = calm_robot()
    for order_id in ("o1", "o2", "o1"):
        for _ in range(6):
            robot.sleep(0.2)
            robot.state(orderId=order_id)
        assert robot.known_to(robot.quick)[1].order_id == order_id


def test_a_retained_state_makes_nobody_calm() -> None:
    """Nothing is remembered of it, so the live one of its kind that follows is judged in full."""
    robot = calm_robot()
    for _ in range(3):
        robot.sleep(0.2)
        robot.state(orderId="o9", is_retained=True)
    robot.skip_numbers("state", -3)
    robot.sleep(0.2)
    robot.state(orderId="o9")

    assert robot.known_to(robot.quick)[1].order_id == "o9"


def test_a_wrong_clock_of_the_other_topic_is_seen() -> None:
    """A visualization whose time is wrong, and then a state whose time is right: the clock is right."""
    robot = calm_robot()
    for _ in range(3):
        robot.visualization()
    robot.visualization(timestamp=stamp(robot.wall - 60))
    assert robot.known_to(robot.quick)[1].skewed_since is not None
    robot.sleep(0.05)
    robot.state()

    assert robot.known_to(robot.quick)[1].skewed_since is None


@pytest.mark.parametrize("name", ["timestamp", "headerId"])
def test_visualizations_without_a_header(name: str) -> None:
    """Until 2.1 they need none (6.13): each is judged in full."""
    robot = _Twice()
    for _ in range(6):
        robot.sleep(0.2)
        document = robot._header("visualization") | {"agvPosition": POSITION}  # noqa: SLF001
        del document[name]
        robot.send("visualization", document)

    assert robot.passed == 0


def test_a_charge_that_cannot_be() -> None:
    """No schema until 2.1 limits it, so it is a calm robot's own rule that finds it."""
    robot = calm_robot()
    robot.state(batteryState={"batteryCharge": 120.0, "charging": False})

    assert robot.finding("impossible_value").count == 1


def test_who_talks_on_after_its_end() -> None:
    """What it says is calm, but for that it says it."""
    robot = calm_robot()
    robot.connection("OFFLINE")
    for _ in range(30):
        robot.sleep(0.2)
        robot.state()

    assert robot.finding("offline_but_talking").count > 10


def test_a_robot_that_only_the_reader_knows() -> None:
    """Its messages were refused until now, as there were too many robots: the first is judged in full."""
    robot = calm_robot()

    assert not robot.quick.observe_changes(
        "KUKA/another", "state", kind=object(), changes={"headerId": 1}, at=robot.now, wall=robot.wall
    )


class _Read(dict[str, Any]):
    """A message that notes which of its members are looked at."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Give a member."""
        self.names.add(name)
        return super().get(name, default)


@pytest.mark.parametrize("topic", ["state", "visualization"])
def test_rules_read_no_other_member_that_changes(topic: str) -> None:
    """A rule that does would not be asked about a calm message: `calm.take` has to ask for it, this test to say so."""
    names: set[str] = set()
    robot = Patient()
    for step in range(4):
        document = _Read(
            robot._header(topic)  # noqa: SLF001
            | {"agvPosition": POSITION, "batteryState": {}, "errors": [{}], "actionStates": [action("RUNNING")]}
            | {"orderId": "o1", "nodeStates": route("n1"), "driving": True, "paused": step > 1}
        )
        robot.sleep(20)
        robot.doctor.observe(
            Observation(robot.robot, topic, document, robot.version, False, robot.now, robot.wall, 1, is_valid=True)
        )
        names |= document.names

    read_of_3_0 = {"mobileRobotPosition", "powerSupply"}
    assert names & CHANGING == {"headerId", "timestamp", "agvPosition", "batteryState"} | read_of_3_0
