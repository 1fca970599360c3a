"""Measure everything that benchmarks/README.md shows, the peers in the same run, and compare with what is required.

    python benchmarks/run.py                       three repeats of all rows, about 15 minutes
    python benchmarks/run.py --quick               one short repeat: does it all work, are the figures about right
    python benchmarks/run.py --only gzip,light     some rows (--help lists them)
    python benchmarks/run.py --load OTHER.py       with another load generator that has the same options

Needs mosquitto; nginx with nchan and a network for pip only for the peers: one that cannot be had is left out and said.
Nothing else should run on the machine. Each JSON line goes to --output as it comes. Ends with 1 where a figure fails.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import ingest
import rest
from checks import CHECKS, Check, Figures, table
from measuring import raise_descriptor_limit
from processes import LoadError
from runs import RUNS, Run, Runner, RunnerError
from systems import NotInstalledError, StartError

ROWS = tuple(dict.fromkeys(check.row for check in CHECKS))


class Session:
    """One call of this program: runs what is wanted, keeps and writes each line."""

    def __init__(self, options: argparse.Namespace, output: TextIO | None) -> None:
        self.figures = Figures()
        self._options = options
        self._output = output
        self._skipped: set[str] = set()

    def repeat(self, runner: Runner, number: int) -> None:
        """Do every wanted run once; one that cannot be done is left out from then on."""
        for run in RUNS:
            if run.name not in self._skipped and run.rows & self._options.only:
                self._try(run, runner, number)
        seconds = 4.0 if self._options.quick else 8.0
        if "ingest" in self._options.only:
            for name, rate in (("ingest", 8000.0), ("flat-out", float("inf"))):
                for suffix, line in zip(("", "-paho"), ingest.run(rate=rate, seconds=seconds), strict=True):
                    self.add(name + suffix, line, number)
        if "rest" in self._options.only:
            rest_s = 5.0 if self._options.quick else 15.0
            self.add("rest", rest.measure(clients=1000, seconds=rest_s, is_gzip=False), number)

    def add(self, name: str, line: Mapping[str, object], number: int) -> None:
        """Keep a line, show it and write it."""
        self.figures.add(name, line)
        text = json.dumps({"run": name, "repeat": number, **line})
        print(text, flush=True)
        if self._output is not None:
            self._output.write(text + "\n")
            self._output.flush()

    def _try(self, run: Run, runner: Runner, number: int) -> None:
        try:
            line = runner.line(run)
        except (NotInstalledError, RunnerError, StartError, LoadError) as error:
            print(f"left out: {run.name}: {error}", flush=True)
            self._skipped.add(run.name)
        else:
            self.add(run.name, line, number)


def machine() -> dict[str, object]:
    """Describe where this is measured, and how busy it was before."""
    cpu_info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in cpu_info if line.startswith("model name")), "unknown")
    load = [round(value, 2) for value in os.getloadavg()]
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version(), "load_average": load}


def wanted_checks(rows: set[str]) -> tuple[Check, ...]:
    """Give the checks of some rows."""
    return tuple(check for check in CHECKS if check.row in rows)


def failed(figures: Figures, checks: tuple[Check, ...]) -> Iterator[str]:
    """Name what fails."""
    return (check.what for check in checks if check.verdict(figures) == "FAIL")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one repeat, a few seconds a run")
    parser.add_argument("--only", type=_rows, default=set(ROWS), metavar="ROW[,ROW]", help=", ".join(ROWS))
    parser.add_argument("--repeat", type=int, default=0, help="medians of so many (default: 3, with --quick 1)")
    parser.add_argument("--load", type=Path, default=Path(__file__).with_name("load.py"), help="the load generator")
    parser.add_argument("--output", type=Path, help="file that gets the JSON lines")
    return parser.parse_args()


def _rows(text: str) -> set[str]:
    rows = set(text.split(","))
    if unknown := rows - set(ROWS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(ROWS)}")
    return rows


def main() -> int:
    """Measure, print the table."""
    options = parse_options()
    raise_descriptor_limit()
    with ExitStack() as stack:
        output = stack.enter_context(options.output.open("w")) if options.output else None
        session = Session(options, output)
        session.add("machine", machine(), 0)
        runner = stack.enter_context(Runner(options.load, is_quick=options.quick))
        for number in range(1, (options.repeat or (1 if options.quick else 3)) + 1):
            session.repeat(runner, number)
    checks = wanted_checks(options.only)
    print("\n".join(["", *table(session.figures, checks)]))
    return 1 if any(failed(session.figures, checks)) else 0


if __name__ == "__main__":
    sys.exit(main())
