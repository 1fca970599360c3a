"""The fleet's last messages: kept as sent, shown whole or filtered, stale when the truth is not known."""

import contextlib
import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import ROBOT, START_S, FakeClock, connection, state, visualization
from vda5050.entries import Update
from vda5050.errors import RejectedMessage
from vda5050.robot_selection import RobotSelection
from vda5050.robot_state import CONNECTION_STATES, RobotState
from vda5050.topics import parse_topic

STALE_AFTER_S = 45


class Fleet:
    """A `RobotState` with its clocks, and messages put in by hand."""

    def __init__(self, max_robots: int = 10, max_bytes: int = 1 << 30) -> None:
        self.clock = FakeClock(100.0)
        self.wall_clock = FakeClock()
        self.robots = RobotState(
            max_robots=max_robots, max_bytes=max_bytes, stale_after_s=STALE_AFTER_S, clock=self.clock
        )
        self.robots.set_link(is_up=True)

    def update(
        self, document: dict[str, Any] | bytes, *, topic: str = "state", robot: str = ROBOT, is_retained: bool = False
    ) -> bytes:
        """Let a message arrive, and give it as it is kept."""
        payload = document if isinstance(document, bytes) else orjson.dumps(document)
        address = parse_topic(f"uagv/v2/{robot}/{topic}")
        update = Update.of(address, payload, received_at=self.wall_clock(), is_retained=is_retained)
        self.robots.admit(address, len(update.payload))
        self.robots.update_from_mqtt(update)
        return update.payload

    def snapshot(self, robots: str | None = None, topics: set[str] | None = None) -> dict[str, Any]:
        """Read a snapshot."""
        selection = RobotSelection(pattern=None if robots is None else re.compile(robots))
        read: dict[str, Any] = orjson.loads(
            self.robots.get_snapshot(selection, None if topics is None else frozenset(topics))
        )
        return read

    def robot(self, robot: str = ROBOT) -> dict[str, Any]:
        """Read one robot."""
        entry = self.robots.get_robot(robot)
        assert entry is not None
        read: dict[str, Any] = orjson.loads(entry)
        return read


@pytest.fixture
def fleet() -> Fleet:
    """Give a fleet without robots, with a link that stands."""
    return Fleet()


def test_entry(fleet: Fleet) -> None:
    """A robot is shown with who it is, its last message of each topic, and which of them came last."""
    fleet.update(connection(), topic="connection")
    fleet.update(state(driving=True))

    entry = fleet.robot()
    assert entry.pop("view")["driving"] is True
    assert entry == {
        "manufacturer": "KUKA",
        "serial_number": "KR_1001",
        "connection_state": "ONLINE",
        "last_seen": "2023-11-14T22:13:20.000Z",
        "is_stale": False,
        "last_message_type": "state",
        "payload": state(driving=True),
        "messages": {"connection": connection(), "state": state(driving=True)},
    }


def test_newest_replaces(fleet: Fleet) -> None:
    """A later message of a topic replaces the earlier one, and of another robot nothing."""
    fleet.update(state(driving=True))
    fleet.update(state(driving=True), robot="ABB/1")
    fleet.update(state(driving=False))

    assert fleet.robot()["messages"] == {"state": state(driving=False)}
    assert fleet.robot("ABB/1")["payload"] == state(driving=True)


def test_kept_as_sent(fleet: Fleet) -> None:
    """A message is kept byte for byte, but for line breaks between its tokens, which become blanks."""
    compact = b'{"a":1.00,"b":"\\r\\n"}'
    spread = b'{\r\n "a":1.00,\n\r"b":"\\n"}'

    assert fleet.update(compact) == compact
    assert fleet.update(b'{"a":\r1}') == b'{"a": 1}'
    assert fleet.update(spread) == b'{   "a":1.00,  "b":"\\n"}'
    assert b"\n" not in fleet.robots.get_snapshot()


def test_snapshot_is_by_robot(fleet: Fleet) -> None:
    """A list of robots holds each under its key, as it is shown alone; a stream's snapshot is that without views."""
    fleet.update(state())
    fleet.update(state(), robot="ABB/1")

    robots = orjson.loads(fleet.robots.get_robots())
    assert robots == {ROBOT: fleet.robot(), "ABB/1": fleet.robot("ABB/1")}
    assert {key: entry for key, entry in robots.items() if entry.pop("view")} == fleet.snapshot()
    assert len(fleet.robots) == 2
    assert ROBOT in fleet.robots
    assert "ABB/2" not in fleet.robots


def test_empty_snapshot(fleet: Fleet) -> None:
    """A snapshot of nobody is an empty object."""
    assert fleet.robots.get_snapshot() == b"{}"


def test_unknown_robot(fleet: Fleet) -> None:
    """A robot that was never heard is unknown."""
    assert fleet.robots.get_robot(ROBOT) is None


@pytest.mark.parametrize("name", ['q"uote', "<script>", "a%2Fb", "new\nline", "é"])
def test_strange_names(fleet: Fleet, name: str) -> None:
    """A robot is shown under its name, whatever characters it has, and breaks no line."""
    fleet.update(state(), robot=f"{name}/{name}")

    assert fleet.snapshot()[f"{name}/{name}"]["manufacturer"] == name
    assert b"\n" not in fleet.robots.get_snapshot()


def test_snapshot_of_some_robots(fleet: Fleet) -> None:
    """A pattern keeps the robots whose whole key it matches."""
    for robot in ("KUKA/1", "KUKA/11", "ABB/1"):
        fleet.update(state(), robot=robot)

    assert list(fleet.snapshot(robots="KUKA/1")) == ["KUKA/1"]


@pytest.mark.parametrize(("robot", "expected"), [("KUKA/1", ["KUKA/1"]), ("KUKA/.", []), ("KUKA/2", [])])
def test_snapshot_of_one_robot(fleet: Fleet, robot: str, expected: list[str]) -> None:
    """One robot is asked for by its key, in which nothing is special."""
    fleet.update(state(), robot="KUKA/1")
    fleet.update(state(), robot="ABB/1")

    assert list(orjson.loads(fleet.robots.get_snapshot(RobotSelection(one=robot)))) == expected


def test_snapshot_of_some_topics(fleet: Fleet) -> None:
    """Topics keep messages of these topics; a robot with none of them is left out."""
    fleet.update(state())
    fleet.update(connection(), topic="connection")
    fleet.update(state(), robot="ABB/1")

    snapshot = fleet.snapshot(topics={"connection"})
    assert {robot: entry["messages"] for robot, entry in snapshot.items()} == {ROBOT: {"connection": connection()}}


def test_last_message_of_some_topics(fleet: Fleet) -> None:
    """Where the last message of all is filtered out, `payload` is the last of those that are left."""
    for document, topic in (
        (state(), "state"),
        (visualization(), "visualization"),
        (state(driving=True), "state"),
        (connection(), "connection"),
    ):
        fleet.update(document, topic=topic)
        fleet.wall_clock.advance(1)

    entry = fleet.snapshot(topics={"state", "visualization"})[ROBOT]
    assert (entry["last_message_type"], entry["payload"]) == ("state", state(driving=True))


@pytest.mark.parametrize("jump_s", [0.0, -3_600.0])
def test_last_message_when_the_clock_is_set_back(fleet: Fleet, jump_s: float) -> None:
    """Which message came last does not depend on the time of day, which may stand still or be set back."""
    fleet.update(visualization(), topic="visualization")
    fleet.wall_clock.advance(jump_s)
    fleet.update(state(driving=True), topic="state")
    fleet.wall_clock.advance(jump_s)
    fleet.update(connection(), topic="connection")

    entry = fleet.snapshot(topics={"state", "visualization"})[ROBOT]
    assert (entry["last_message_type"], entry["payload"]) == ("state", state(driving=True))


def test_too_many_robots() -> None:
    """A robot too many is rejected; those that are known go on."""
    fleet = Fleet(max_robots=1)
    fleet.update(state())

    with pytest.raises(RejectedMessage) as raised:
        fleet.update(state(), robot="ABB/1")
    fleet.update(state(driving=True))
    assert raised.value.reason == "robots"
    assert list(fleet.snapshot()) == [ROBOT]
    assert fleet.robot()["payload"]["driving"] is True


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("ONLINE", "ONLINE"),
        ("connectionbroken", "CONNECTIONBROKEN"),
        ("CONNECTION_BROKEN", "CONNECTION_BROKEN"),
        ("ASLEEP", "ASLEEP"),
        (2, None),
        (None, None),
    ],
)
def test_connection_state(fleet: Fleet, said: object, shown: str | None) -> None:
    """A connection message sets the state: in upper case, kept where it is unknown, null where it is no text."""
    fleet.update(connection(connectionState="OFFLINE"), topic="connection")
    fleet.update(connection(connectionState=said), topic="connection")

    assert fleet.robot()["connection_state"] == shown


def test_other_topics_set_no_connection_state(fleet: Fleet) -> None:
    """Only the connection topic tells of the connection."""
    fleet.update(state(connectionState="OFFLINE"))

    assert fleet.robot()["connection_state"] is None


def test_counts(fleet: Fleet) -> None:
    """Robots are counted by connection state; what the standard does not know, or nobody said, is UNKNOWN."""
    said = {"A/1": "ONLINE", "A/2": "ONLINE", "A/3": "HIBERNATING", "A/4": "ASLEEP"}
    for robot, word in said.items():
        fleet.update(connection(connectionState=word), topic="connection", robot=robot)
    fleet.update(state(), robot="A/5")

    counted = fleet.robots.count_by_connection_state()
    assert {state: number for state, number in counted.items() if number} == {
        "ONLINE": 2,
        "HIBERNATING": 1,
        "UNKNOWN": 2,
    }
    assert counted.keys() == CONNECTION_STATES | {"UNKNOWN"}


def test_last_seen_is_the_time_of_day(fleet: Fleet) -> None:
    """`last_seen` is the gateway's time of the last message, to the millisecond."""
    fleet.update(state())
    fleet.wall_clock.advance(61.0625)
    fleet.update(visualization(), topic="visualization")

    assert fleet.robot()["last_seen"] == "2023-11-14T22:14:21.062Z"
    assert fleet.wall_clock() == START_S + 61.0625


def test_retained_is_no_sign_of_life(fleet: Fleet) -> None:
    """A retained message is shown, but its age is unknown: the robot was not seen, and is stale."""
    fleet.update(connection(), topic="connection", is_retained=True)

    robot = fleet.robot()
    assert robot["messages"] == {"connection": connection()}
    assert (robot["connection_state"], robot["last_seen"], robot["is_stale"]) == ("ONLINE", None, True)


@pytest.mark.parametrize(
    ("topic", "document"),
    [
        ("order", {"orderId": "o1"}),
        ("instantActions", {"actions": []}),
        ("zoneSet", {"zoneSet": {}}),
        ("responses", {"responses": []}),
        ("connection", connection(connectionState="CONNECTIONBROKEN")),
        ("connection", connection(connectionState="connection_broken")),
    ],
)
def test_what_others_say_is_no_sign_of_life(fleet: Fleet, topic: str, document: dict[str, Any]) -> None:
    """What a robot's master control sends, or the broker for it (a will), makes no dead robot look alive."""
    fleet.update(state())
    before = fleet.robot()["last_seen"]
    fleet.clock.advance(STALE_AFTER_S + 1)
    fleet.wall_clock.advance(STALE_AFTER_S + 1)
    fleet.update(document, topic=topic)

    robot = fleet.robot()
    assert (robot["last_seen"], robot["is_stale"], robot["last_message_type"]) == (before, True, topic)
    fleet.robots.restart(list(fleet.robots.updates()), link_since=START_S, now=fleet.wall_clock())
    assert (fleet.robot()["last_seen"], fleet.robot()["is_stale"]) == (before, True)


@pytest.mark.parametrize("topic", ["state", "visualization", "factsheet", "connection"])
def test_every_topic_of_a_robot_is_a_sign_of_life(fleet: Fleet, topic: str) -> None:
    """A robot was heard when it sent anything live, an OFFLINE too."""
    fleet.update({"connectionState": "OFFLINE"}, topic=topic)

    assert (fleet.robot()["last_seen"], fleet.robot()["is_stale"]) == ("2023-11-14T22:13:20.000Z", False)


def test_retained_does_not_age_a_robot(fleet: Fleet) -> None:
    """A retained message that comes after a live one takes nothing from it."""
    fleet.update(state())
    fleet.update(connection(), topic="connection", is_retained=True)

    assert fleet.robot()["is_stale"] is False
    assert fleet.robot()["last_seen"] is not None


def test_stale_after_a_while(fleet: Fleet) -> None:
    """A robot is stale when it was not heard for longer than allowed, and fresh when it is heard again."""
    fleet.update(state())
    seen = []

    for seconds in (STALE_AFTER_S, 0.5):
        fleet.clock.advance(seconds)
        seen.append(fleet.robot()["is_stale"])
    fleet.update(state())
    assert [*seen, fleet.robot()["is_stale"]] == [False, True, False]


def test_stale_without_the_broker(fleet: Fleet) -> None:
    """While the broker is gone every robot is stale; when it is back, until the robot is heard."""
    fleet.update(state())
    seen = []

    for is_up in (False, True):
        fleet.clock.advance(1)
        fleet.robots.set_link(is_up=is_up)
        seen.append(fleet.robot()["is_stale"])
    fleet.update(state())
    assert [*seen, fleet.robot()["is_stale"]] == [True, True, False]


def test_stale_before_the_first_link() -> None:
    """Before the broker was ever connected nothing is known to be fresh."""
    fleet = Fleet()
    fleet.robots.set_link(is_up=False)
    fleet.update(state())

    assert fleet.snapshot()[ROBOT]["is_stale"] is True


def test_staleness_does_not_depend_on_the_time_of_day(fleet: Fleet) -> None:
    """A clock that is set forward makes nobody stale."""
    fleet.update(state())
    fleet.wall_clock.advance(86_400)

    assert fleet.robot()["is_stale"] is False


def text(size: int) -> bytes:
    """Write a message of a size."""
    return b'{"x":"%b"}' % (b"x" * (size - 8))


def test_messages_are_bounded_in_bytes() -> None:
    """Whoever invents names and fills them is stopped at the limit, whatever the names and topics."""
    fleet = Fleet(max_robots=100, max_bytes=100_000)
    reasons = []
    for number in range(100):
        for topic in ("state", "factsheet", "order"):
            try:
                fleet.update(text(2_000), robot=f"Evil/{number}", topic=topic)
            except RejectedMessage as rejected:
                reasons.append(rejected.reason)

    assert len(reasons) > 200
    assert set(reasons) == {"memory"}
    assert fleet.robots.kept_bytes <= 100_000
    assert fleet.robots.kept_bytes == sum(
        len(orjson.dumps(message)) for robot in fleet.snapshot().values() for message in robot["messages"].values()
    )


def test_a_robots_share_cannot_be_taken() -> None:
    """When others have filled what is for whoever comes first, a robot is still taken in and may change its size."""
    fleet = Fleet(max_robots=100, max_bytes=100_000)
    for number in range(25):
        fleet.update(text(2_000), robot=f"Evil/{number}")
    with pytest.raises(RejectedMessage):
        fleet.update(text(2_000), robot="Evil/25")

    fleet.update(text(400), robot="Good/1")
    fleet.update(text(500), robot="Good/1")
    with pytest.raises(RejectedMessage):
        fleet.update(text(501), robot="Good/1")
    fleet.update(text(300), robot="Good/1")
    fleet.update(text(200), robot="Good/1", topic="connection")

    assert fleet.snapshot()["Good/1"]["messages"]["state"] == orjson.loads(text(300))


def test_a_smaller_message_always_fits() -> None:
    """What replaces a message that is no smaller is taken, however full it is: memory can only shrink by it."""
    fleet = Fleet(max_robots=1, max_bytes=4_000)
    fleet.update(text(2_000))
    fleet.update(text(2_000))
    fleet.update(text(1_999))

    assert fleet.robots.kept_bytes == 1_999


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["state", "order"]), st.integers(10, 900))))
def test_bytes_are_counted_exactly(messages: list[tuple[str, str, int]]) -> None:
    """Whatever comes in whatever order, what is kept is counted to the byte, and within the bound."""
    fleet = Fleet(max_robots=3, max_bytes=2_000)
    for robot, topic, size in messages:
        with contextlib.suppress(RejectedMessage):
            fleet.update(text(size), robot=f"Make/{robot}", topic=topic)

    kept = [len(orjson.dumps(m)) for robot in fleet.snapshot().values() for m in robot["messages"].values()]
    assert fleet.robots.kept_bytes == sum(kept) <= 2_000
