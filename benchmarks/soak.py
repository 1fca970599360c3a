"""Ten minutes of everything: 300 clients that come, go, stall and resume, 100 robots, a broker restart a minute.

    python -m benchmarks.soak                      ten minutes, from the project's folder
    python -m benchmarks.soak --minutes 1 --clients 60

Nothing may be lost without a reset, and the worker's memory has to be flat: what is checked, and how, tells
tests/live/soak.py, whose short form is a test. What the history learns its dictionaries from is fed to it before: that
takes some megabytes for a moment after 300, 3,000, 30,000 and 300,000 messages. Prints a line a minute and a JSON line
at the end; ends with 1 where something was lost or memory grew by more than 5 % from the third tenth of the time to the
last.
"""

import argparse
import json
import sys

from tests.live import soak

GROWTH = 1.05
WARM_UP = 30_100
"""Messages: the history's third dictionary was tried, the fourth is not due in these ten minutes."""


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--robots", type=int, default=100)
    parser.add_argument("--hz", type=float, default=1.0, help="states a second of each robot")
    return parser.parse_args()


def main() -> int:
    """Run it, print what was seen."""
    options = parse_options()
    plan = soak.Plan(
        seconds=options.minutes * 60,
        clients=options.clients,
        robots=options.robots,
        rate_hz=options.hz,
        warm_up=WARM_UP,
    )
    outcome = soak.run(plan, say=lambda text: print(text, flush=True))
    early, late = outcome.memory_between(0.2, 0.3), outcome.memory_between(0.9, 1.0)
    figures = {
        "clients": options.clients,
        "robots": options.robots,
        "minutes": options.minutes,
        "violations": len(outcome.violations),
        "missing": len(outcome.missing),
        "memory_mb": [round(outcome.memory_between(n / 10, (n + 1) / 10) / 1e6, 1) for n in range(10)],
        **outcome.counts,
    }
    print(json.dumps(figures), flush=True)
    for broken in [*outcome.violations, *outcome.missing][:20]:
        print(broken)
    return 1 if outcome.violations or outcome.missing or late > GROWTH * early else 0


if __name__ == "__main__":
    sys.exit(main())
