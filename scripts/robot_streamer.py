#!/usr/bin/env python3
"""Simulates one VDA 5050 robot: connects to an MQTT broker, drives around, and publishes what the standard asks for.

Publishes retained ONLINE with the last will set, a retained factsheet (from 2.0 on), the state on every event and
once an interval, the visualization once an interval, and OFFLINE at the end; obeys a few instant actions. Needs Python
and paho-mqtt only. The parts: `simulated_robot` lives, `robot_reporter` says what and when, `robot_worker` runs it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from fleet_simulator.argument_types import manufacturer, serial_number
from fleet_simulator.broker_options import broker_options
from fleet_simulator.console import say
from fleet_simulator.dialects import DIALECTS
from fleet_simulator.mqtt_session import BrokerError
from fleet_simulator.robot_reporter import Identity
from fleet_simulator.robot_worker import RobotWorker
from fleet_simulator.route_graph import build_hall
from fleet_simulator.simulator_options import (
    add_simulator_arguments,
    make_reporter,
    run_workers,
    some_seed,
)
from fleet_simulator.stop_signal import StopSignal
from fleet_simulator.traffic import Traffic

_EXAMPLE = """example:
  python robot_streamer.py --host broker.example --manufacturer KUKA --serial KR_1001 --frequency 0.5

instant actions obeyed: startPause stopPause cancelOrder stateRequest, factsheetRequest (from 2.0 on),
clearInstantActions (3.0). Ctrl-C publishes OFFLINE and ends; a killed robot is reported by its last will.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    broker = broker_options(parser, arguments, environment=os.environ)
    identity = Identity(
        manufacturer=arguments.manufacturer,
        serial=arguments.serial,
        dialect=DIALECTS[arguments.vda_version],
        layout=arguments.layout,
    )
    seed = some_seed(arguments)
    reporter = make_reporter(identity, build_hall(1), Traffic(), place=seed, seed=seed, interval_s=arguments.frequency)
    stop = StopSignal()
    stop.install()
    try:
        worker = RobotWorker([reporter], broker, say=say)
    except BrokerError as error:
        parser.error(str(error))
    summary = f"1 robot, every {arguments.frequency:g} s"
    return run_workers([worker], stop, duration_s=arguments.duration, summary=summary)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Simulates one VDA 5050 robot on an MQTT broker.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--manufacturer", type=manufacturer, default="KUKA", help="its make (default: %(default)s)")
    parser.add_argument("--serial", type=serial_number, default="KR_1001", help="serial number (default: %(default)s)")
    add_simulator_arguments(
        parser, version_default="2.1.0", version_help="version of the standard it speaks (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
