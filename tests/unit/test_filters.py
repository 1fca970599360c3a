"""A query becomes a filter: equal requests equal filters, and nothing that a client writes is expensive."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.broadcast import EVERYTHING, Filter
from vda5050.broadcast.filters import MAX_FILTER_CHARS, MAX_INTERVAL_MS, MAX_WILDCARD_PATTERNS
from vda5050.errors import FilterError
from vda5050.robot_selection import RobotSelection
from vda5050.topics import TOPICS

FLEET = ["KUKA/KR_1001", "KUKA/KR_1002", "KUKA.X/1", "ABB/KUKA", "ABB/1", "a+b/(1)"]
names = st.text("ab/*.+[", max_size=6)


def matched(robots: str) -> list[str]:
    """Give the robots of the fleet that a `robots` parameter lets through."""
    pattern = Filter.parse(robots=robots).robot_pattern()
    return [robot for robot in FLEET if pattern is None or pattern.fullmatch(robot)]


def does_match(pattern: str, name: str) -> bool:
    """Match one pattern with `*`, character by character: what the regular expression must agree with."""
    reached = {0}
    for char in pattern:
        if char == "*":
            reached = set(range(min(reached, default=len(name) + 1), len(name) + 1))
        else:
            reached = {at + 1 for at in reached if name[at : at + 1] == char}
    return len(name) in reached


@pytest.mark.parametrize(
    ("robots", "expected"),
    [
        ("KUKA/*", ["KUKA/KR_1001", "KUKA/KR_1002"]),
        ("KUKA/KR_1001", ["KUKA/KR_1001"]),
        ("KUKA/KR", []),
        ("KUKA*", ["KUKA/KR_1001", "KUKA/KR_1002", "KUKA.X/1"]),
        ("*/1, KUKA/*2", ["KUKA/KR_1002", "KUKA.X/1", "ABB/1"]),
        ("a+b/(*)", ["a+b/(1)"]),
        ("KUKA.KR_1001", []),
        ("*", FLEET),
        ("*/*", FLEET),
        ("ABB/1,*", FLEET),
        ("", FLEET),
        (" , ", FLEET),
    ],
)
def test_robots(robots: str, expected: list[str]) -> None:
    """`*` stands for any characters, nothing else is special, a comma separates, and nothing asked means all."""
    assert matched(robots) == expected


@given(patterns=st.lists(names, min_size=1, max_size=3), name=names)
def test_robots_of_any_kind(patterns: list[str], name: str) -> None:
    """Any patterns match what a matcher written out finds."""
    pattern = Filter.parse(robots=",".join(patterns)).robot_pattern()
    expected = not any(patterns) or "*/*" in patterns or any(does_match(part, name) for part in patterns if part)

    assert (pattern is None or pattern.fullmatch(name) is not None) == expected


def test_names_with_line_breaks() -> None:
    """`*` stands for a line break too, which a robot's name may hold."""
    pattern = Filter.parse(robots="KUKA/*1").robot_pattern()

    assert pattern is not None
    assert pattern.fullmatch("KUKA/\n1")
    assert not pattern.fullmatch("KUKA/1\n")


@pytest.mark.parametrize(("robots", "name"), [("*" * 18 + "x", "KUKA/KR_1001"), ("*0" * 10 + "x", "0" * 30)])
def test_no_pattern_is_expensive(robots: str, name: str) -> None:
    """A pattern made to be slow costs no more than another, so that one client's query cannot stop the gateway.

    With a matcher that goes back, these two take about a second, and each further star several times that: `robots` has
    room for a thousand.
    """
    pattern = Filter.parse(robots=robots).robot_pattern()
    assert pattern is not None

    started_at = time.process_time()
    assert not pattern.fullmatch(name)
    assert time.process_time() - started_at < 0.05


def test_types() -> None:
    """`types` names topics; nothing asked means all."""
    assert Filter.parse(types="state, connection").topics == frozenset({"state", "connection"})
    assert Filter.parse(types=" ,").topics is None
    assert Filter.parse(types=",".join(TOPICS)).topics == TOPICS


@pytest.mark.parametrize(
    ("interval", "seconds"), [("", 0.0), ("0", 0.0), ("500", 0.5), ("60000", 60.0), ("0250", 0.25)]
)
def test_interval(interval: str, seconds: float) -> None:
    """`interval` is in milliseconds; without one every update is wanted."""
    assert Filter.parse(interval=interval).interval_s == seconds


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("robots", "x" * (MAX_FILTER_CHARS + 1)),
        ("robots", ",".join(f"A/{number}*" for number in range(MAX_WILDCARD_PATTERNS + 1))),
        ("types", "state,speed"),
        ("types", "State"),
        ("types", "*"),
        ("interval", "fast"),
        ("interval", "-1"),
        ("interval", "1.5"),
        ("interval", " 5"),
        ("interval", "\u0665"),
        ("interval", str(MAX_INTERVAL_MS + 1)),
        ("interval", "1" * 5_000),
    ],
)
def test_refused(parameter: str, value: str) -> None:
    """A parameter that cannot be used is refused by its name, in few words."""
    with pytest.raises(FilterError) as raised:
        Filter.parse(**{parameter: value})

    assert raised.value.parameter == parameter
    assert len(raised.value.problem) < 500


@pytest.mark.parametrize("parameter", ["types", "interval"])
def test_refused_for_one_robot(parameter: str) -> None:
    """The parameters beside one robot are checked as the others are."""
    with pytest.raises(FilterError) as raised:
        Filter.one_robot("KUKA/1", **{parameter: "x"})

    assert raised.value.parameter == parameter


def test_equal_requests_are_equal() -> None:
    """Requests that mean the same share a filter, however they are written."""
    ways = [
        {"robots": "ABB/1,KUKA/*", "types": "state,order", "interval": "500"},
        {"robots": " KUKA/* ,ABB/1,,KUKA/*", "types": "order, state", "interval": "0500"},
    ]

    robots = [f"A/{number}" for number in range(100)]

    assert len({Filter.parse(**way) for way in ways}) == 1
    assert Filter.parse(robots=",".join(robots)) == Filter.parse(robots=",".join(reversed(robots)))
    assert Filter.parse(robots="*") == Filter.parse(interval="0") == EVERYTHING
    assert Filter.parse(robots="KUKA/KR_1001") == Filter.one_robot("KUKA/KR_1001")


def test_different_requests_differ() -> None:
    """Requests that mean something else share nothing."""
    ways = [{}, {"robots": "A/1"}, {"robots": "A/*"}, {"types": "state"}, {"interval": "500"}, {"interval": "501"}]

    assert len({Filter.parse(**way) for way in ways}) == len(ways)


@pytest.mark.parametrize("robot", ["a.b/(c)", "A/*", "A/1,B/2", "a\n/b "])
def test_one_robot(robot: str) -> None:
    """One robot is asked for by its exact name, in which nothing is special."""
    wanted = Filter.one_robot(robot, types="state", interval="100")
    pattern = wanted.robot_pattern()

    assert wanted.selection() == RobotSelection(one=robot)
    assert pattern is not None
    assert pattern.fullmatch(robot)
    assert not any(pattern.fullmatch(other) for other in ["aXb/(c)", "A/12", "A/1", "B/2"])


def test_pattern_is_valid() -> None:
    """The longest `robots` that is allowed compiles."""
    assert isinstance(Filter.parse(robots="[" * MAX_FILTER_CHARS).robot_pattern(), re.Pattern)
