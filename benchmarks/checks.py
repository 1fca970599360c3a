"""The promised figures: which runs they need, how each is computed, and what it must be.

Takes the JSON lines of all runs (`Figures`), gives a value to each `Check`. A check without a required value is shown
for comparison only. Rates are medians over the repeats; what must not happen (gaps, resets) is summed over all, and
`delivered` is that of the worst repeat.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from measuring import median_of


class Figures:
    """All lines of all repeats, by the name of the run."""

    def __init__(self) -> None:
        self._lines: dict[str, list[Mapping[str, object]]] = defaultdict(list)

    def add(self, run: str, line: Mapping[str, object]) -> None:
        """Keep what one run printed."""
        self._lines[run].append(line)

    def median(self, run: str, figure: str) -> float | None:
        """Return the median over the repeats, None where there is none."""
        return median_of(self._lines[run], figure)

    def total(self, run: str, *figures: str) -> float | None:
        """Sum figures over all repeats; one that a run does not have counts 0."""
        lines = self._lines[run]
        return sum(_number(line.get(figure)) for line in lines for figure in figures) if lines else None

    def least(self, run: str, figure: str) -> float | None:
        """Return the smallest over the repeats."""
        return min((_number(line.get(figure)) for line in self._lines[run]), default=None)

    def ratio(self, figure: str, *, of: str, to: str) -> float | None:
        """Divide two runs' medians."""
        upper, lower = self.median(of, figure), self.median(to, figure)
        return None if upper is None or not lower else upper / lower

    def wire_per_event(self, run: str) -> float | None:
        """Return bytes on the wire for each event."""
        megabytes, events = self.median(run, "wire_MBps"), self.median(run, "ev_per_s")
        return None if megabytes is None or not events else megabytes * 1e6 / events


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """One figure: `row` groups for --only; met where the value is `at_least`, or `at_most`, so much."""

    row: str
    what: str
    value: Callable[[Figures], float | None]
    at_least: float | None = None
    at_most: float | None = None
    digits: int = 1

    @property
    def required(self) -> str:
        """Write the bound."""
        if self.at_least is not None:
            return f">= {self.at_least:,g}"
        return "" if self.at_most is None else f"<= {self.at_most:,g}"

    def measured(self, figures: Figures) -> str:
        """Write the value, or that there is none."""
        value = self.value(figures)
        return "not measured" if value is None else f"{value:,.{self.digits}f}"

    def verdict(self, figures: Figures) -> str:
        """PASS or FAIL; nothing for what is only shown or was not measured."""
        value = self.value(figures)
        if value is None or (self.at_least is None and self.at_most is None):
            return ""
        is_low = self.at_least is not None and value < self.at_least
        is_high = self.at_most is not None and value > self.at_most
        return "FAIL" if is_low or is_high else "PASS"


def _median(run: str, figure: str, factor: float = 1.0) -> Callable[[Figures], float | None]:
    def value(figures: Figures) -> float | None:
        median = figures.median(run, figure)
        return None if median is None else median * factor

    return value


def _ratio(figure: str, of: str, to: str) -> Callable[[Figures], float | None]:
    return lambda figures: figures.ratio(figure, of=of, to=to)


def _wire_saving(figures: Figures) -> float | None:
    plain, compressed = figures.wire_per_event("plain"), figures.wire_per_event("gzip")
    return None if not plain or not compressed else plain / compressed


def _lossless(row: str, run: str) -> list[Check]:
    return [
        Check(row, f"{run}: delivered, worst repeat", lambda f: f.least(run, "delivered"), at_least=0.99, digits=3),
        Check(row, f"{run}: gaps, all repeats", lambda f: f.total(run, "gaps", "resets"), at_most=0, digits=0),
        Check(row, f"{run}: reorders, all repeats", lambda f: f.total(run, "reorders"), at_most=0, digits=0),
    ]


def _storm(run: str) -> list[Check]:
    lost = "gaps", "reorders", "resets"
    return [
        Check("storm", f"{run}: fewest with a snapshot", lambda f: f.least(run, "with_snapshot"), 1000, digits=0),
        Check("storm", f"{run}: s until the last has its own", _median(run, "snapshot_max_s"), at_most=5, digits=2),
        Check("storm", f"{run}: lost by those before", lambda f: f.total(run, *lost), at_most=0, digits=0),
        Check("storm", f"{run}: p99 ms of those before", _median(run, "p99_ms"), at_most=1000, digits=0),
    ]


def _shown(row: str, *runs: str) -> list[Check]:
    return [Check(row, f"{run}: events per CPU s", _median(run, "ev_per_cpu_s"), digits=0) for run in runs]


PER_CPU = "ev_per_cpu_s"
CHECKS: tuple[Check, ...] = (
    *_shown("stream", "plain", "nchan", "mosquitto", "asyncio", "asyncio-limit"),
    Check("stream", "plain: times nchan", _ratio(PER_CPU, "plain", "nchan"), 4, digits=2),
    Check("stream", "plain: times mosquitto over WebSocket", _ratio(PER_CPU, "plain", "mosquitto"), 6, digits=2),
    Check("stream", "plain: times the asyncio peer", _ratio(PER_CPU, "plain", "asyncio"), 100, digits=0),
    *_lossless("stream", "plain"),
    *_shown("websocket", "websocket"),
    Check("websocket", "websocket: share of plain", _ratio(PER_CPU, "websocket", "plain"), 0.8, digits=2),
    *_lossless("websocket", "websocket"),
    Check("gzip", "gzip: events/s of 1,000,000 offered", _median("gzip", "ev_per_s"), 990_000, digits=0),
    Check("gzip", "gzip: events per CPU s", _median("gzip", PER_CPU), 1_500_000, digits=0),
    Check("gzip", "gzip: p99 ms", _median("gzip", "p99_ms"), at_most=250),
    Check("gzip", "gzip: plain wire / gzip wire", _wire_saving, 20),
    Check("gzip", "gzip: cores of the load generator", _median("gzip", "load_cores"), at_most=0.9, digits=2),
    *_lossless("gzip", "gzip"),
    Check("growth", "gzip: CPU with 1,000 / with 100 clients", _ratio("cpu_cores", "gzip", "gzip-100"), at_most=5),
    Check("light", "light: p50 ms", _median("light", "p50_ms"), at_most=6),
    Check("light", "light: p99 ms", _median("light", "p99_ms"), at_most=25),
    *(Check("light", f"{run}: p50 ms", _median(run, "p50_ms")) for run in ("light-nchan", "light-mosquitto")),
    Check("memory", "gzip: kB a client of 1,000", _median("gzip", "kb_per_client"), at_most=20),
    Check("memory", "many: kB a client of 10,000", _median("many", "kb_per_client"), at_most=20),
    *_lossless("memory", "many"),
    Check("memory", "many: p99 ms", _median("many", "p99_ms"), at_most=2000, digits=0),
    *_storm("storm-gzip"),
    *_storm("storm-plain"),
    Check("ingest", "8,000/s: messages per CPU s", _median("ingest", "per_cpu_s"), 30_000, digits=0),
    Check("ingest", "8,000/s: times bare paho", _ratio("per_cpu_s", "ingest", "ingest-paho"), 2.5, digits=2),
    Check("ingest", "flat out: messages per CPU s", _median("flat-out", "per_cpu_s"), digits=0),
    Check("ingest", "flat out: times bare paho", _ratio("per_cpu_s", "flat-out", "flat-out-paho"), digits=2),
    Check("rest", "rest: % of a core, 1,000 clients", _median("rest", "cpu_cores", 100), at_most=2, digits=2),
    Check("rest", "rest: s from gunicorn to its first answer", _median("rest", "started_in_s"), at_most=2, digits=2),
)


def table(figures: Figures, checks: tuple[Check, ...]) -> list[str]:
    """Write the checks as lines in columns."""
    rows: list[tuple[Any, ...]] = [
        (check.row, check.what, check.required, check.measured(figures), check.verdict(figures)) for check in checks
    ]
    return [
        f"{row:<10} {what:<42} {required:>12} {value:>14}  {verdict}" for row, what, required, value, verdict in rows
    ]
