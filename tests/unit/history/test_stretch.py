"""Times are read as people write them, or refused with what was expected."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import START_S
from tests.unit.history.recorded import START_US
from vda5050.errors import FilterError
from vda5050.history import iso_time, parse_time


def read(text: str) -> int:
    """Read a time, START_S being now."""
    return parse_time("from", text, now=START_S)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-11-14T22:13:20Z", 0),
        ("2023-11-14T22:13:20.25Z", 0.25),
        ("2023-11-14T23:13:20+01:00", 0),
        ("2023-11-14T23:13:20 01:00", 0),
        ("20231114T221320Z", 0),
        ("now", 0),
        ("-90s", -90),
        ("-5m", -300),
        ("-2h", -7_200),
        (" -1d ", -86_400),
    ],
)
def test_read(text: str, seconds: float) -> None:
    """ISO 8601 with a zone, also where a query's + became a space; a time ago; now."""
    assert read(text) == START_US + seconds * 1_000_000


def test_before_the_beginning() -> None:
    """A time before 1970 is the beginning."""
    assert read("1066-10-14T09:00:00Z") == read("-999999999d") == 0


@pytest.mark.parametrize("text", ["", "yesterday", "5m", "-5 m", "2023-11-14T22:13:20", "1700000000", "-5y", "9" * 500])
def test_refused(text: str) -> None:
    """What is no time, or has no zone, is refused for its parameter."""
    with pytest.raises(FilterError) as refused:
        read(text)

    assert refused.value.parameter == "from"


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30)),  # noqa: DTZ001 - the zone is added
    st.integers(-720, 720),
)
def test_every_time_comes_back(naive: datetime, minutes: int) -> None:
    """Any time in any zone is read to the microsecond, and what is written is read back as the same."""
    time = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    at_us = read(time.isoformat())

    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    assert at_us == max(0, since // timedelta(microseconds=1))
    assert read(iso_time(at_us)) == at_us
