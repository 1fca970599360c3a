#!/usr/bin/env python3
"""Simulates a fleet of VDA 5050 robots: three by default, hundreds with --robots.

Up to `_MOST_THREADS` robots have a thread and an MQTT connection each, so each has its last will. Larger fleets share:
`_ROBOTS_PER_CONNECTION` robots a thread and connection, because threads add nothing while Python runs one at a time,
and a hundred robots at 1 Hz keep a connection's send buffer short. See `robot_streamer` for what one robot does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fleet_simulator.argument_types import whole_number
from fleet_simulator.broker_options import broker_options
from fleet_simulator.console import say
from fleet_simulator.dialects import DIALECTS
from fleet_simulator.layout_file import lif_text
from fleet_simulator.mqtt_session import BrokerError
from fleet_simulator.robot_reporter import Identity, RobotReporter
from fleet_simulator.robot_worker import RobotWorker, utc_now
from fleet_simulator.route_graph import ROBOTS_PER_HALL, RouteGraph, build_hall
from fleet_simulator.simulator_options import add_simulator_arguments, make_reporter, run_workers, some_seed
from fleet_simulator.stop_signal import StopSignal
from fleet_simulator.traffic import Traffic

# manufacturer, prefix of the serial numbers, first number, version of the standard
_MAKES = (("KUKA", "KR", 1001, "2.1.0"), ("ABB", "FT", 2001, "2.0.0"), ("Jungheinrich", "EKS", 3001, "3.0.0"))
_MOST_ROBOTS = 10000
_MOST_THREADS = 50
_ROBOTS_PER_CONNECTION = 100

_EPILOG = f"""examples:
  python multi_robot_demo.py
  python multi_robot_demo.py --robots 500 --frequency 1 --host broker.example
  python multi_robot_demo.py --robots 500 --write-layout halls.lif.json

Up to {_MOST_THREADS} robots have a thread and an MQTT connection each.
In a larger fleet {_ROBOTS_PER_CONNECTION} robots share one of each, as more threads would only take turns. MQTT knows
one last will per connection, so robots that share have none: when this program is killed
rather than stopped, they stay ONLINE at the broker. Ctrl-C publishes OFFLINE for every robot.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    broker = broker_options(parser, arguments, environment=os.environ)
    if arguments.write_layout is not None:
        arguments.write_layout.write_text(lif_text(_halls(arguments.robots), utc_now()))
        return 0
    stop = StopSignal()
    stop.install()
    reporters = _reporters(arguments)
    size = 1 if len(reporters) <= _MOST_THREADS else _ROBOTS_PER_CONNECTION
    groups = [reporters[first : first + size] for first in range(0, len(reporters), size)]
    try:
        workers = [RobotWorker(group, broker, say=say) for group in groups]
    except BrokerError as error:
        parser.error(str(error))
    connections = f"{len(workers)} connections" if len(workers) > 1 else "1 connection"
    summary = f"{len(reporters)} robots, {connections}, every {arguments.frequency:g} s"
    return run_workers(workers, stop, duration_s=arguments.duration, summary=summary)


def _reporters(arguments: argparse.Namespace) -> list[RobotReporter]:
    """Make the robots: makes in turn, four to a hall, spread over the interval."""
    seed = some_seed(arguments)
    halls = _halls(arguments.robots)
    traffic = [Traffic() for _ in halls]
    reporters = []
    for index in range(arguments.robots):
        manufacturer, prefix, first, version = _MAKES[index % len(_MAKES)]
        identity = Identity(
            manufacturer=manufacturer,
            serial=f"{prefix}_{first + index // len(_MAKES)}",
            dialect=DIALECTS[arguments.vda_version or version],
            layout=arguments.layout,
        )
        hall, place = divmod(index, ROBOTS_PER_HALL)
        phase_s = arguments.frequency * index / arguments.robots
        reporters.append(
            make_reporter(
                identity,
                halls[hall],
                traffic[hall],
                place=place,
                seed=seed,
                interval_s=arguments.frequency,
                phase_s=phase_s,
            )
        )
    return reporters


def _halls(robots: int) -> list[RouteGraph]:
    return [build_hall(number + 1) for number in range((robots - 1) // ROBOTS_PER_HALL + 1)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Simulates a fleet of VDA 5050 robots on an MQTT broker.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--robots",
        type=whole_number(least=1, most=_MOST_ROBOTS),
        default=3,
        metavar="N",
        help="how many (default: %(default)s)",
    )
    parser.add_argument(
        "--write-layout",
        type=Path,
        metavar="FILE",
        help="write the halls that so many robots drive in as a layout (LIF), and end",
    )
    versions = ", ".join(f"{manufacturer} {version}" for manufacturer, _, _, version in _MAKES)
    add_simulator_arguments(
        parser, version_default=None, version_help=f"version of the standard for all robots (default: {versions})"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
