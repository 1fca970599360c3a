"""What was numbered, all clients taken together: a client that was told everything lacks none of it.

The headerIds of robots show a gap too, but where the broker was away they have gaps of their own. What the gateway has
numbered does not: between two resets a client of all robots has been told every number that any such client was told.
Findings are numbered as well and told to those only who ask for them, so numbers may be left out by all, not by one.
"""

import bisect
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Run:
    """A client's way from a snapshot on, over all resumes: it was told `offsets`, of the numbering `epoch`."""

    epoch: str
    begin: int
    offsets: "array[int]" = field(default_factory=lambda: array("q"))


class Trail:
    """All runs of one client."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def begin(self, event_id: str | None) -> None:
        """Note a snapshot."""
        epoch, _, offset = (event_id or "-0").rpartition("-")
        self.runs.append(Run(epoch, int(offset)))

    def go_on(self, event_id: str | None) -> None:
        """Note an update or a status."""
        epoch, _, offset = (event_id or "").rpartition("-")
        if self.runs and epoch == self.runs[-1].epoch:
            self.runs[-1].offsets.append(int(offset))


def missing(trails: Iterable[Trail]) -> list[str]:
    """Name what one client was told and another one with the same filter, between two events of its own, was not."""
    runs = [run for trail in trails for run in trail.runs]
    numbers: dict[str, set[int]] = {}
    for run in runs:
        numbers.setdefault(run.epoch, set()).update(run.offsets)
    ordered = {epoch: sorted(offsets) for epoch, offsets in numbers.items()}
    found = []
    for run in runs:
        if run.offsets:
            known = ordered[run.epoch]
            due = known[bisect.bisect_right(known, run.begin) : bisect.bisect_right(known, run.offsets[-1])]
            if due != run.offsets.tolist():
                lacking = sorted(set(due) - set(run.offsets))
                found.append(f"{run.epoch}-{run.begin}: {len(lacking)} of {len(due)} missing, {lacking[:3]} first")
    return found
