#!/usr/bin/env python3
"""Shows VDA 5050 messages as they arrive at an MQTT broker: a line each, a block each, or JSON for other programs.

Subscribes, reads each message as far as possible (`arrivals`), and prints it (`message_lines`); anything that is not
a VDA 5050 message is shown as what it is. Counts go to standard error at the end, so that pipes stay clean.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TextIO

from fleet_simulator.argument_types import seconds, topic_filter, whole_number
from fleet_simulator.arrivals import UNKNOWN_ROBOT, Arrival, read_arrival, safe_text
from fleet_simulator.broker_options import add_broker_arguments, broker_options
from fleet_simulator.console import put, tell
from fleet_simulator.message_lines import block, json_line, line, render
from fleet_simulator.mqtt_message import Message
from fleet_simulator.mqtt_session import BrokerError, MqttSession
from fleet_simulator.stop_signal import StopSignal

_FILTERS = ("uagv/#", "vda5050/#", "/vda5050/#")
_MOST_NAMES = 10_000
_EPILOG = """examples:
  python process_vda5050_messages.py --robot 'KUKA/*' --topic state --topic connection
  python process_vda5050_messages.py --json --duration 60 | jq .payload.orderId
"""


class Viewer:
    """Prints what passes the filters, and counts; an `Endpoint` of the session."""

    def __init__(self, arguments: argparse.Namespace, stop: StopSignal, *, colours: bool) -> None:
        self._arguments = arguments
        self._stop = stop
        self._colours = colours
        self.shown = 0
        self.kinds: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.robots: set[str] = set()
        self.is_output_closed = False

    def subscriptions(self) -> Sequence[str]:
        """Return the filters asked for."""
        return self._arguments.subscribe or _FILTERS

    def last_will(self) -> Message | None:
        """Return none: a viewer is no robot."""
        return None

    def greeting(self) -> Sequence[Message]:
        """Return nothing: a viewer only listens."""
        return ()

    def connection_lost(self) -> None:
        """Go on: what was shown stays shown."""

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Show a message, if it passes the filters."""
        arrival = read_arrival(topic, payload, is_retained=is_retained, received=datetime.now(UTC))
        if self._stop.is_set or not self._is_wanted(arrival):
            return
        self._count(arrival)
        self.is_output_closed = not put(self._text(arrival))
        if self.is_output_closed or self.shown == self._arguments.count:
            self._stop.set()

    def summary(self, seconds_passed: float) -> str:
        """Return the counts in a line."""
        kinds = ", ".join(f"{safe_text(kind) or 'no topic'} {count}" for kind, count in self.kinds.most_common(12))
        problems = ", ".join(f"{problem} {count}" for problem, count in self.problems.most_common())
        text = f"{_counted(self.shown, 'message')} from {_counted(len(self.robots), 'robot')} in {seconds_passed:.1f} s"
        return text + (f": {kinds}" if kinds else "") + (f"; unreadable: {problems}" if problems else "")

    def _is_wanted(self, arrival: Arrival) -> bool:
        robots, kinds = self._arguments.robot, self._arguments.topic
        if robots and not any(fnmatchcase(arrival.robot, pattern) for pattern in robots):
            return False
        return not kinds or arrival.kind in kinds

    def _count(self, arrival: Arrival) -> None:
        self.shown += 1
        if arrival.kind in self.kinds or len(self.kinds) < _MOST_NAMES:
            self.kinds[arrival.kind] += 1
        if arrival.problem is not None:
            self.problems[arrival.problem] += 1
        if arrival.robot != UNKNOWN_ROBOT and len(self.robots) < _MOST_NAMES:
            self.robots.add(arrival.robot)

    def _text(self, arrival: Arrival) -> str:
        if self._arguments.json:
            return json_line(arrival)
        head = render(line(arrival), colours=self._colours)
        if not self._arguments.full:
            return head
        return "\n".join([head, f"    {safe_text(arrival.topic)}", *block(arrival)])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    broker = broker_options(parser, arguments, environment=os.environ)
    stop = StopSignal()
    stop.install()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    viewer = Viewer(arguments, stop, colours=_wants_colours(sys.stdout, os.environ))
    begin = time.monotonic()
    try:
        session = MqttSession(broker, viewer, say=tell)
        session.open(stop)
        tell(f"connected to {broker.address}, showing {', '.join(viewer.subscriptions())}; Ctrl-C ends")
        session.serve(begin + arguments.duration, stop)
        session.close()
    except BrokerError as error:
        tell(str(error))
        return 1
    if viewer.is_output_closed:
        return 0
    tell(viewer.summary(time.monotonic() - begin))
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _wants_colours(output: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether the output is a terminal that shows colours and nobody asked for none (no-color.org)."""
    return output.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Shows VDA 5050 messages as they arrive at an MQTT broker.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--full", action="store_true", help="the whole message as a block (default: a line each)")
    form.add_argument("--json", action="store_true", help="a JSON object a line: topic, robot, type, received, payload")
    parser.add_argument(
        "--robot",
        action="append",
        metavar="PATTERN",
        help="only robots like this, manufacturer/serial with * and ?; repeatable (default: all)",
    )
    parser.add_argument(
        "--topic", action="append", metavar="NAME", help="only this kind, as state; repeatable (default: all)"
    )
    parser.add_argument(
        "--subscribe",
        action="append",
        type=topic_filter,
        metavar="FILTER",
        help=f"MQTT topic filter; repeatable (default: {' '.join(_FILTERS)})",
    )
    parser.add_argument(
        "--count",
        type=whole_number(least=1, most=10**9),
        metavar="N",
        help="end after N messages shown (default: never)",
    )
    parser.add_argument(
        "--duration",
        type=seconds(shortest=0.0),
        default=math.inf,
        metavar="SECONDS",
        help="end after so long (default: never)",
    )
    add_broker_arguments(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
