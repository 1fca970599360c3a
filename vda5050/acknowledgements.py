"""Who has seen which alert: acknowledged by one person, seen by all.

An alert is worked out by whoever shows it (the page: js/alerts/rules.js), from what the stream tells, so all know it
by the same name. Kept in memory, at most MOST of them and each for MAX_AGE_S: a shift later an alert that still stands
wants a person again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

MOST = 5_000
MAX_AGE_S = 12 * 3_600.0


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`alert` names it among those of its robot; `by` is the name of the key; `at` epoch seconds, None: withdrawn."""

    robot: str
    alert: str
    by: str
    at: float | None

    def to_dict(self) -> dict[str, object]:
        """Write it as the stream and the API show it."""
        at = None if self.at is None else datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds")
        return {"robot": self.robot, "alert": self.alert, "by": self.by, "at": at and at.replace("+00:00", "Z")}


class Acknowledgements:
    """All there are, oldest first."""

    def __init__(self, *, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self._kept: dict[tuple[str, str], Acknowledgement] = {}

    def put(self, robot: str, alert: str, by: str) -> Acknowledgement:
        """Acknowledge an alert; the newest counts."""
        self._kept.pop((robot, alert), None)
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        made = self._kept[robot, alert] = Acknowledgement(robot, alert, by, self._wall_clock())
        return made

    def withdraw(self, robot: str, alert: str, by: str) -> Acknowledgement | None:
        """Take one back: it was a mistake, or the alert has ended. None where there is none."""
        if self._kept.pop((robot, alert), None) is None:
            return None
        return Acknowledgement(robot, alert, by, None)

    def current(self) -> list[Acknowledgement]:
        """List those that count."""
        oldest = self._wall_clock() - MAX_AGE_S
        self._kept = {key: kept for key, kept in self._kept.items() if kept.at is not None and kept.at >= oldest}
        return list(self._kept.values())
