"""What the simulator scripts share: command line options, making robots, running workers, speaking to people.

Takes argparse arguments, gives `RobotReporter`s and, from `run_workers()`, an exit code. Threads start only there.
"""

from __future__ import annotations

import argparse
import random
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fleet_simulator.argument_types import seconds
from fleet_simulator.broker_options import add_broker_arguments
from fleet_simulator.console import say, tell
from fleet_simulator.dialects import DIALECTS, Layout
from fleet_simulator.mqtt_session import BrokerError
from fleet_simulator.robot_reporter import Identity, RobotReporter
from fleet_simulator.robot_types import type_for
from fleet_simulator.robot_worker import RobotWorker, utc_now
from fleet_simulator.route_graph import RouteGraph
from fleet_simulator.simulated_robot import SimulatedRobot
from fleet_simulator.stop_signal import StopSignal
from fleet_simulator.traffic import Traffic


def add_simulator_arguments(parser: argparse.ArgumentParser, *, version_default: str | None, version_help: str) -> None:
    """Add the options about robots, and those about the broker."""
    group = parser.add_argument_group("simulation")
    group.add_argument(
        "--frequency",
        type=seconds(shortest=0.01, longest=3600.0),
        default=1.0,
        metavar="SECONDS",
        help="seconds between two states, and between two visualizations; a state comes on every event and every 29 s "
        "besides (default: %(default)s)",
    )
    group.add_argument("--vda-version", choices=list(DIALECTS), default=version_default, help=version_help)
    group.add_argument(
        "--layout",
        type=Layout,
        choices=list(Layout),
        default=Layout.STANDARD,
        metavar="{standard,flat}",
        help="topics as in the standard, uagv/v2/<manufacturer>/<serial>/<topic> (uagv/v1 for 1.1, vda5050/v3 for "
        "3.0), or flat, /vda5050/<manufacturer>/<serial>/<topic> (default: standard)",
    )
    group.add_argument(
        "--seed", type=int, metavar="NUMBER", help="makes the robots' lives repeatable (default: different each time)"
    )
    group.add_argument(
        "--duration",
        type=seconds(shortest=0.0),
        metavar="SECONDS",
        help="end after so long (default: run until Ctrl-C)",
    )
    add_broker_arguments(parser)


def some_seed(arguments: argparse.Namespace) -> int:
    """Return the seed given, or a new one."""
    return secrets.randbits(32) if arguments.seed is None else int(arguments.seed)


def make_reporter(
    identity: Identity,
    graph: RouteGraph,
    traffic: Traffic,
    *,
    place: int,
    seed: int,
    interval_s: float,
    phase_s: float = 0.0,
) -> RobotReporter:
    """Make a robot that starts on node number `place` of its hall; its seed is made of `seed` and its name."""
    chance = random.Random(f"{seed}/{identity.name}")
    nodes = list(graph.nodes.values())
    start = nodes[place % len(nodes)]
    robot = SimulatedRobot(type_for(identity.manufacturer), graph, start=start, chance=chance, traffic=traffic)
    return RobotReporter(robot, identity, interval_s=interval_s, now=utc_now, phase_s=phase_s)


def run_workers(workers: Sequence[RobotWorker], stop: StopSignal, *, duration_s: float | None, summary: str) -> int:
    """Run each worker in a thread of its own until the signal or the end of the time; return the exit code.

    The first worker connects before anything starts: a broker that cannot be used ends the program with a message.
    Whatever goes wrong in a thread ends the program rather than that thread in silence.
    """
    try:
        workers[0].open(stop)
    except BrokerError as error:
        tell(str(error))
        return 1
    begin = time.monotonic()
    with ThreadPoolExecutor(max_workers=len(workers)) as threads:
        runs = [threads.submit(worker.run, stop) for worker in workers]
        for run in runs:
            run.add_done_callback(lambda _run: stop.set())
        say(f"{summary}; Ctrl-C ends")
        stop.wait(duration_s)
        stop.set()
    for run in runs:
        run.result()
    sent = sum(worker.messages_sent for worker in workers)
    say(f"ended after {time.monotonic() - begin:.0f} s: {sent} messages sent, robots OFFLINE")
    return 0
