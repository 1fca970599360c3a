"""What keeps a worker from its part is said in `problem`, and so in /ready, until it has gone."""

import pytest

from tests.unit.builders import Chain
from vda5050.backplane import Backplane, backplane
from vda5050.backplane.store import StoreError
from vda5050.doctor import Doctor
from vda5050.redis_url import RedisUrl
from vda5050.replica import Replica


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> Backplane:
    """Give a backplane whose worker has joined the others."""
    monkeypatch.setattr(backplane, "FAULT_S", 0)
    monkeypatch.setattr(backplane, "RETRY_S", 0)
    chain = Chain()
    made = Backplane(
        RedisUrl.parse("redis://localhost"),
        Replica(chain.robots, chain.broadcaster, Doctor(), wall_clock=chain.wall_clock),
        chain.metrics,
        new_epoch=lambda: "e",
        on_ingest=lambda _is_up: None,
    )
    made._away = None  # noqa: SLF001 - what following does
    return made


def attempt(one: Backplane, part: str, *, error: Exception | None = None) -> None:
    """Go through one round of a greenlet."""
    with one._tried_again(part):  # noqa: SLF001 - the greenlets themselves are tested live
        if error is not None:
            raise error


def test_fault_of_ours_shows(joined: Backplane, caplog: pytest.LogCaptureFixture) -> None:
    """A greenlet that fails again and again is a problem until it goes through, however well the others do."""
    for _ in range(3):
        attempt(joined, "append", error=ZeroDivisionError())
        attempt(joined, "follow")
    said = joined.problem
    attempt(joined, "append")

    assert said == "internal error: ZeroDivisionError"
    assert joined.problem is None
    assert len(caplog.records) == 1


def test_redis_away_shows(joined: Backplane) -> None:
    """While Redis is away that is the problem, whatever else is wrong."""
    attempt(joined, "append", error=ZeroDivisionError())
    attempt(joined, "follow", error=StoreError("gone"))

    assert joined.problem == "gone"
