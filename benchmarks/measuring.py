"""The figures of a process, from /proc, and quantiles: what "CPU second", "resident memory" and "p99" mean here.

Takes process ids, gives user + system CPU seconds and resident kB of a process with all its descendants. A CPU second
of the kernel on behalf of the process (its system calls) is in it, the broker's and the load generator's are not.
Linux only (proc(5): stat, statm, task/*/children).
"""

import os
import resource
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


def process_tree(pid: int) -> list[int]:
    """List a process and all its descendants that live now."""
    found = [pid]
    for parent in found:  # grows while it is read
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:  # it ended meanwhile
            continue
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Sum the CPU seconds these processes have used since they started; an ended one counts 0."""
    ticks = 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            continue
        after_name = stat.rpartition(")")[2].split()  # the name may hold spaces; utime and stime are fields 14 and 15
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / _TICKS_PER_S


def resident_kb(pids: Iterable[int]) -> int:
    """Sum the resident memory of these processes; pages that two share count twice."""
    pages = 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * _PAGE_KB


class CpuWatch:
    """CPU seconds of a process tree from this object's making on."""

    def __init__(self, pid: int) -> None:
        self._pids = process_tree(pid)
        self._used = cpu_seconds(self._pids)
        self._since = time.monotonic()

    def read(self) -> tuple[float, float]:
        """Return CPU seconds used and seconds passed."""
        return cpu_seconds(self._pids) - self._used, time.monotonic() - self._since


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that `share` of all do not exceed, None of nothing. `values` must be sorted."""
    if not values:
        return None
    return values[min(len(values) - 1, int(len(values) * share))]


def milliseconds(ns: float | None) -> float | None:
    """Turn nanoseconds into what the JSON lines show."""
    return None if ns is None else round(ns / 1e6, 1)


def median_of(runs: Sequence[Mapping[str, object]], name: str) -> float | None:
    """Return the median of a figure over several runs, None where no run has it."""
    values = [value for run in runs if isinstance(value := run.get(name), int | float)]
    return statistics.median(values) if values else None


def raise_descriptor_limit() -> int:
    """Allow this process and its children as many descriptors as the system lets it; returns how many."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
