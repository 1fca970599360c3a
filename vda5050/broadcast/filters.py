"""What a client asked for, as a value: equal requests give equal filters, and equal filters share all work."""

import re
from dataclasses import dataclass, replace

from vda5050.errors import FilterError
from vda5050.frames import FINDING
from vda5050.robot_selection import RobotSelection
from vda5050.topics import TOPICS

MAX_FILTER_CHARS = 2_000
MAX_WILDCARD_PATTERNS = 20
MAX_INTERVAL_MS = 60_000
_NO_ROBOT = "(?!)"
"""A pattern that matches nothing."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which frames a client wants.

    `robots` is the source of a regular expression over robot keys or None for all (`one` is the key where exactly one
    robot is meant), `topics` the VDA 5050 topics (and FINDING, which must be asked for) or None for all topics. With
    `interval_s` above 0 the client wants at most one batch in that many seconds, and of several states (or
    visualizations) of a robot in it the newest only. With `as_view` it gets the robots' views (see `robot_view`)
    instead of their messages.
    """

    robots: str | None = None
    topics: frozenset[str] | None = None
    interval_s: float = 0.0
    one: str | None = None
    as_view: bool = False

    @classmethod
    def parse(cls, *, robots: str = "", types: str = "", interval: str = "", view: str = "") -> "Filter":
        """Read the query parameters of `/stream`: `robots=KUKA/*,ABB/1 types=state,connection interval=500`.

        In `robots`, `*` stands for any characters and nothing else is special. `interval` is in milliseconds.

        Raises FilterError.
        """
        if len(robots) > MAX_FILTER_CHARS:
            raise FilterError("robots", f"longer than {MAX_FILTER_CHARS} characters")
        patterns = sorted({part.strip() for part in robots.split(",") if part.strip()})
        topics = frozenset(part.strip() for part in types.split(",") if part.strip())
        if unknown := sorted(topics - TOPICS - {FINDING}):
            known = ", ".join(sorted(TOPICS | {FINDING}))
            raise FilterError("types", f"unknown: {', '.join(unknown)[:200]}; known are {known}")
        if view not in ("", "0", "1"):
            raise FilterError("view", "must be 0 or 1")
        if sum("*" in pattern for pattern in patterns) > MAX_WILDCARD_PATTERNS:
            raise FilterError("robots", f"more than {MAX_WILDCARD_PATTERNS} names with *")
        source = "|".join(map(_glob_to_regex, patterns))
        everything = not patterns or "*" in patterns or "*/*" in patterns
        one = patterns[0] if len(patterns) == 1 and "*" not in patterns[0] else None
        interval_s = _parse_interval_s(interval)
        return cls(None if everything else source, topics or None, interval_s, one, as_view=view == "1")

    @classmethod
    def one_robot(cls, robot: str, *, types: str = "", interval: str = "", view: str = "") -> "Filter":
        """Ask for one robot by its exact key. Raises FilterError for the rest as `parse` does."""
        rest = cls.parse(types=types, interval=interval, view=view)
        return cls(re.escape(robot), rest.topics, rest.interval_s, robot, rest.as_view)

    def within(self, allowed: str | None) -> "Filter":
        """Restrict to the robots that `allowed` matches (the source of a pattern for `fullmatch`), None for no limit.

        The restriction is part of the filter, so that clients with different ones share nothing.
        """
        if allowed is None:
            return self
        if self.one is not None:
            if re.fullmatch(allowed, self.one, re.DOTALL):
                return self
            return replace(self, robots=_NO_ROBOT, one=None)
        return replace(self, robots=allowed if self.robots is None else rf"(?=(?:{allowed})\Z)(?:{self.robots})")

    def selection(self) -> RobotSelection:
        """Give the robots that are meant."""
        return RobotSelection(self.one, None if self.one is not None else self.robot_pattern())

    def robot_pattern(self) -> re.Pattern[str] | None:
        """Compile `robots`, to be used with `fullmatch`; None matches all. Names may hold line breaks: DOTALL."""
        return None if self.robots is None else re.compile(self.robots, re.DOTALL)


EVERYTHING = Filter()


def _glob_to_regex(pattern: str) -> str:
    """Write `A*B*C` as a regular expression that takes the first B it finds and never tries another (`(?>...)`).

    That is enough where only the last piece is tied to the end, and keeps a pattern of many stars from taking for ever.
    """
    first, *middle = map(re.escape, pattern.split("*"))
    if not middle:
        return first
    last = middle.pop()
    return first + "".join(f"(?>.*?{piece})" for piece in middle if piece) + ".*" + last


def _parse_interval_s(text: str) -> float:
    if not text:
        return 0.0
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= MAX_INTERVAL_MS and len(text) <= 9):
        raise FilterError("interval", f"must be 0 to {MAX_INTERVAL_MS} milliseconds")
    return int(text) / 1000
