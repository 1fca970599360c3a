"""Findings: what a rule said of a robot, counted instead of repeated."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson

MAX_FINDINGS_A_ROBOT = 200
MAX_SAMPLE_BYTES = 4_096
MAX_SUMMARIZED = 3


class Severity(Enum):
    """How bad it is. `info`: odd, tolerated; `warning`: sooner or later trouble; `error`: against the standard."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(slots=True)
class Finding:
    """What one rule found about one robot, at one place of one topic.

    `count` is the number of messages it was found in; of what is found as time passes, the number of times it began.
    `first_seen` and `last_seen` are epoch seconds. `offset` is that of the newest message it was found in (0 where no
    message is at fault, as with silence), `sample` that message's JSON, None where `sample_of` finds it too much.
    `contradicts` is schema, text or both where that was told apart. `tellings`: how often the doctor has told it.
    """

    rule: str
    severity: Severity
    robot: str
    topic: str
    place: str
    message: str
    clause: str
    contradicts: str | None
    count: int
    first_seen: float
    last_seen: float
    offset: int
    sample: bytes | None
    told_at: float = float("-inf")
    tellings: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Write the shape of `GET /conformance`."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "robot": self.robot,
            "topic": self.topic,
            "place": self.place,
            "message": self.message,
            "clause": self.clause,
            "contradicts": self.contradicts,
            "count": self.count,
            "first_seen": _iso_time(self.first_seen),
            "last_seen": _iso_time(self.last_seen),
            "offset": self.offset,
            "sample": None if self.sample is None else orjson.loads(self.sample),
        }


def finding_from_dict(told: dict[str, Any]) -> Finding:
    """Read what `Finding.to_dict` wrote, as another worker told it."""
    facts = dict(told)
    facts["severity"] = Severity(facts["severity"])
    facts["first_seen"] = datetime.fromisoformat(facts["first_seen"]).timestamp()
    facts["last_seen"] = datetime.fromisoformat(facts["last_seen"]).timestamp()
    facts["sample"] = None if facts["sample"] is None else orjson.dumps(facts["sample"])
    return Finding(**facts)


class Ledger:
    """One robot's findings, by rule, topic and place; the one not seen for longest is forgotten first."""

    def __init__(self) -> None:
        self._findings: OrderedDict[tuple[str, str, str], Finding] = OrderedDict()

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings.values())

    def get(self, rule: str, topic: str, place: str) -> Finding | None:
        """Give the finding that stands, None where there is none."""
        return self._findings.get((rule, topic, place))

    def keep(self, finding: Finding) -> None:
        """Make `finding` the one seen last, also if it had been forgotten."""
        self._findings[finding.rule, finding.topic, finding.place] = finding
        self._findings.move_to_end((finding.rule, finding.topic, finding.place))
        if len(self._findings) > MAX_FINDINGS_A_ROBOT:
            self._findings.popitem(last=False)


def sample_of(document: dict[str, Any]) -> bytes | None:
    """Write a message down as a sample unless it is large, or too deep to stand inside of an answer or an event."""
    try:
        written = orjson.dumps([[[[[[[[document]]]]]]]])[8:-8]  # answers put three levels around it, orjson has 254
    except TypeError:
        return None
    return written if len(written) <= MAX_SAMPLE_BYTES else None


def summarize(findings: Iterable[Finding]) -> str:
    """Say for a person what was found: how much of it, and the worst of it first."""
    ranked = sorted(findings, key=lambda finding: (_RANKS[finding.severity], -finding.count))
    if not ranked:
        return "Nothing was found."
    numbers = [(severity, sum(finding.severity is severity for finding in ranked)) for severity in _RANKS]
    counted = ", ".join(f"{number} {_NOUNS[severity][number > 1]}" for severity, number in numbers if number)
    told = "; ".join(
        f"{finding.topic}: {finding.message} ({_times(finding.count)})" for finding in ranked[:MAX_SUMMARIZED]
    )
    rest = f"; and {len(ranked) - MAX_SUMMARIZED} more" if len(ranked) > MAX_SUMMARIZED else ""
    return f"{counted}. {told}{rest}."


_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_NOUNS = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFO: ("remark", "remarks"),
}


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _iso_time(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
