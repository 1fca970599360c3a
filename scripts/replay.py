#!/usr/bin/env python3
"""Plays recorded messages back into an MQTT broker, at their pace or faster.

The source is a gateway (its history, over HTTP), a file that it exported, or what `mosquitto_sub -v` printed. Needs
Python and paho-mqtt only. The parts: `replaying.recordings` reads, `replaying.schedule` says when each is due.
"""

from __future__ import annotations

import argparse
import http.client
import math
import os
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fleet_simulator.argument_types import seconds
from fleet_simulator.broker_options import add_broker_arguments, broker_options
from fleet_simulator.console import say, tell
from fleet_simulator.mqtt_message import Message
from fleet_simulator.mqtt_session import BrokerError, MqttSession
from fleet_simulator.stop_signal import StopSignal
from replaying.recordings import Recorded, Recording
from replaying.schedule import Schedule

_EPILOG = """examples:
  python replay.py http://127.0.0.1:8000 --from -1h --to -30m --speed 10
  python replay.py day.ndjson --speed 60 --prefix replay/
  mosquitto_sub -v -t 'uagv/#' > robots.log;  python replay.py robots.log

With --prefix the messages go to topics of their own (replay/uagv/v2/...), beside live robots and apart from them; a
gateway reads them with VDA5050_MQTT_TOPICS=replay/#. Ctrl-C ends.
"""
_KEPT_BY_BROKER = ("connection", "factsheet")
_KEY_VARIABLE = "VDA5050_API_KEY"
_HTTP_TIMEOUT_S = 60.0
_PIECE_BYTES = 65_536


class Player:
    """What the session is told about: a player only publishes."""

    def subscriptions(self) -> Sequence[str]:
        """Return none."""
        return ()

    def last_will(self) -> None:
        """Return none: robots are only quoted."""

    def greeting(self) -> Iterable[Message]:
        """Return nothing."""
        return ()

    def connection_lost(self) -> None:
        """Go on: what is due meanwhile is lost, as it would be live."""

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Ignore it."""


def play(session: MqttSession, recorded: Iterable[Recorded], arguments: argparse.Namespace, stop: StopSignal) -> int:
    """Publish each message when it is due; return how many went out."""
    schedule = Schedule(speed=arguments.speed, longest_gap_s=arguments.longest_gap)
    began, published = None, 0
    for one in recorded:
        if stop.is_set:
            break
        due_s = schedule.due_s(one.at)
        began = time.monotonic() if began is None else began
        if began + due_s > time.monotonic() or not session.is_ready:
            session.serve(began + due_s, stop)
        published += session.publish([_message(one, arguments)])
    return published


def _message(one: Recorded, arguments: argparse.Namespace) -> Message:
    is_retained = arguments.retain and one.topic.rpartition("/")[2] in _KEPT_BY_BROKER
    return Message(f"{arguments.prefix}{one.topic}", one.payload, qos=0, is_retained=is_retained)


@contextmanager
def lines_of(arguments: argparse.Namespace, stop: StopSignal) -> Iterator[Iterable[bytes]]:
    """Open the source. Raises OSError (also for an answer that is an error), HTTPException for one that is cut."""
    source: str = arguments.source
    if source == "-":
        yield sys.stdin.buffer
    elif source.startswith(("http://", "https://")):
        with tempfile.TemporaryFile() as file:
            say(f"fetching what {source} remembers")
            _fetch(arguments, file, stop)
            file.seek(0)
            yield file
    else:
        with Path(source).open("rb") as file:
            yield file


def _fetch(arguments: argparse.Namespace, file: IO[bytes], stop: StopSignal) -> None:
    """Copy a gateway's export, all of it before the first message is played.

    Read as slowly as it is played, it is cut by the gateway in the first long silence; and `readline` takes an answer
    that was cut for a whole one, where `read` does not.
    """
    wanted = {"from": arguments.start, "to": arguments.end, "robots": arguments.robots, "types": arguments.types}
    query = urllib.parse.urlencode({name: text for name, text in wanted.items() if text})
    url = f"{arguments.source.rstrip('/')}/history/export?{query}"
    request = urllib.request.Request(url)  # noqa: S310 - http or https
    if key := os.environ.get(_KEY_VARIABLE):
        request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=_HTTP_TIMEOUT_S) as answer:  # noqa: S310
        while not stop.is_set and (piece := answer.read(_PIECE_BYTES)):
            file.write(piece)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    broker = broker_options(parser, arguments, environment=os.environ)
    stop = StopSignal()
    stop.install()
    try:
        with lines_of(arguments, stop) as lines:
            session = MqttSession(broker, Player(), say=tell)
            session.open(stop)
            say(f"playing {arguments.source} to {broker.address}, {arguments.speed:g} times as fast; Ctrl-C ends")
            begin, recording = time.monotonic(), Recording(lines)
            published = play(session, recording, arguments, stop)
            session.close()
    except urllib.error.HTTPError as error:
        tell(f"{arguments.source}: {error.code} {error.read(2_000).decode(errors='replace')}")
        return 1
    except (BrokerError, OSError) as error:
        tell(f"{error}")
        return 1
    except http.client.HTTPException as error:
        tell(f"{arguments.source}: the export was cut short ({error!r}); nothing was played")
        return 1
    skipped = f", {recording.skipped} lines were none" if recording.skipped else ""
    say(f"ended after {time.monotonic() - begin:.1f} s: {published} messages published{skipped}")
    return 0


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 0.01 on is wanted")
    return speed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Plays recorded VDA 5050 messages back into an MQTT broker.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", help="a gateway's address (http://host:8000), a recording, or - for standard input")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="times as fast as it was (default: 1)")
    parser.add_argument(
        "--longest-gap",
        type=seconds(shortest=0.0),
        default=math.inf,
        metavar="SECONDS",
        help="shorten silences to so much, before --speed (default: keep them)",
    )
    parser.add_argument(
        "--prefix", default="", metavar="TEXT", help="put before each topic, as replay/ (default: none)"
    )
    parser.add_argument(
        "--retain", action="store_true", help="let the broker keep connection and factsheet, as the standard asks"
    )
    group = parser.add_argument_group(f"from a gateway (its key from the environment: {_KEY_VARIABLE})")
    group.add_argument("--from", dest="start", default="-1h", metavar="TIME", help="ISO 8601 or -1h (default: -1h)")
    group.add_argument("--to", dest="end", default="", metavar="TIME", help="ISO 8601 or -5m (default: now)")
    group.add_argument("--robots", default="", metavar="NAMES", help="KUKA/*,ABB/1 (default: all)")
    group.add_argument("--types", default="", metavar="TOPICS", help="state,order (default: all)")
    add_broker_arguments(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
