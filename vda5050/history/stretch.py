"""What part of history is asked for, as a value: robots, topics, a stretch of time; and how times are written.

Times outside are ISO 8601 with a zone, or a time ago (`-90s`, `-5m`, `-2h`, `-1d`), or `now`; inside they are
microseconds since 1970, as the ids of messages are.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from vda5050.errors import FilterError
from vda5050.robot_selection import ALL_ROBOTS, RobotSelection

MICROSECONDS = 1_000_000
"""In a second."""
END_OF_TIME_US = 253_402_300_799 * MICROSECONDS
"""The last second that ISO 8601 has four digits for."""
_AGO = re.compile(r"-(\d{1,9})(s|m|h|d)")
_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Messages of these robots and topics with start_us <= id < end_us.

    `topics` None stands for all (see `broadcast.Filter`).
    """

    start_us: int = 0
    end_us: int = END_OF_TIME_US
    robots: RobotSelection = ALL_ROBOTS
    topics: frozenset[str] | None = None


def parse_time(parameter: str, text: str, *, now: float) -> int:
    """Read a time; `now` is epoch seconds. Raises FilterError for `parameter`."""
    text = text.strip()
    if text == "now":
        return int(now * MICROSECONDS)
    if ago := _AGO.fullmatch(text):
        return max(0, int((now - int(ago[1]) * _UNIT_S[ago[2]]) * MICROSECONDS))
    try:
        # In a query, a + that was not escaped has become a space.
        read = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", text[:64]))
        if read.tzinfo is None:
            raise FilterError(parameter, "the time has no zone: end it with Z, or with an offset such as +01:00")
        since = read.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise FilterError(
            parameter, "expected a time as 2026-11-23T10:00:00Z, or ago as -90s, -5m, -2h, -1d, or now"
        ) from error
    # timedelta's own parts are whole numbers: nothing is lost to a float.
    return max(0, (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds)


def iso_time(at_us: int) -> str:
    """Write a time to the microsecond, so that it reads back as the same."""
    seconds, rest = divmod(at_us, MICROSECONDS)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{rest:06d}Z"
