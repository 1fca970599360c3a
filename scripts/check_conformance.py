#!/usr/bin/env python3
"""Says what is wrong with what VDA 5050 robots send: on a running broker for some time, or in a recording.

The rules are the gateway's own (vda5050/doctor), so this tool, unlike the simulators, imports vda5050. It prints a
report for people, and writes JUnit XML and SARIF for machines. Exit code: 0 clean, 1 findings, 2 could not run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

sys.path.append(str(Path(__file__).resolve().parents[1]))

from conformance_check.examination import Examination, Outcome
from conformance_check.junit import junit_xml
from conformance_check.listening import BrokerError, Listener, TlsFiles, broker_of_url, listen
from conformance_check.recordings import Recording
from conformance_check.sarif import sarif_log
from conformance_check.text_report import text_report
from fleet_simulator.argument_types import seconds, topic_filter
from fleet_simulator.console import put, tell
from fleet_simulator.stop_signal import StopSignal

from vda5050.doctor import Severity
from vda5050.settings import Settings

_CLEAN, _FINDINGS, _COULD_NOT_RUN = 0, 1, 2
_PASSWORD = "VDA5050_MQTT_PASSWORD"  # noqa: S105 - a variable's name
_NEVER = "never"
_EPILOG = """\
recording:
  lines as mosquitto_sub -v prints them (topic payload), or JSON lines as process_vda5050_messages.py --json or
  mosquitto_sub -F %j print them; other lines are skipped and counted. Time is taken from when a message was received
  where the recording says so (JSON lines), else from each robot's own timestamps (its clock cannot be judged then),
  else no time passes; the report says which. Only a broker and JSON lines tell which messages were retained.

broker:
  what needs time needs a long enough run: a late state shows after 33 s at the earliest.

exit code:
  0  no finding of the --fail-on severity or worse
  1  there is one
  2  could not run: no broker, no file, no message

examples:
  python check_conformance.py --url mqtt://localhost --seconds 60
  mosquitto_sub -v -t 'uagv/#' > robots.log; python check_conformance.py robots.log --junit junit.xml
  python process_vda5050_messages.py --json --duration 60 | python check_conformance.py - --fail-on warning
"""


class _CannotRunError(Exception):
    """Nothing can be judged; the text says why."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if (arguments.recording is None) == (arguments.url is None):
        parser.error("either a recording or --url is needed")
    try:
        outcome = _run(arguments)
        _write_files(arguments, outcome)
    except _CannotRunError as reason:
        tell(str(reason))
        return _COULD_NOT_RUN
    fail_on = _severity(arguments.fail_on)
    return _FINDINGS if fail_on is not None and outcome.has(fail_on) else _CLEAN


def _run(arguments: argparse.Namespace) -> Outcome:
    """Judge, and print the report. Raises _CannotRunError."""
    examination = Examination()
    if arguments.url is not None:
        source, noise = _listen(arguments, examination)
    else:
        source, noise = _read(arguments, examination)
    outcome = examination.outcome()
    if not outcome.messages:
        raise _CannotRunError(f"{source}: no VDA 5050 message, nothing to judge ({noise} others)")
    place_of = "line" if arguments.url is None else "message"
    for line in text_report(outcome, source=source, place_of=place_of, noise=noise):
        if not put(line):
            break
    return outcome


def _read(arguments: argparse.Namespace, examination: Examination) -> tuple[str, int]:
    name = arguments.recording
    try:
        with _open(name) as lines:
            recording = Recording(lines)
            wanted = _is_wanted(arguments.robot)
            for message in recording:
                if wanted(message.address.robot):
                    examination.take(message)
    except OSError as error:
        raise _CannotRunError(f"{name}: {error.strerror}") from error
    return ("standard input" if name == "-" else name), recording.noise


def _open(name: str) -> BinaryIO:
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if name == "-" else Path(name).open("rb")


def _listen(arguments: argparse.Namespace, examination: Examination) -> tuple[str, int]:
    files = TlsFiles(arguments.ca_file, arguments.cert_file, arguments.key_file)
    stop = StopSignal()
    stop.install()
    try:
        options = broker_of_url(arguments.url, user=arguments.user, password=_password(arguments), files=files)
        filters = arguments.subscribe or Settings().mqtt_topics
        listener = Listener(examination, filters, _is_wanted(arguments.robot))
        listen(options, listener, seconds=arguments.seconds, stop=stop, say=tell)
    except (BrokerError, ValueError) as error:
        raise _CannotRunError(f"--url: {str(error).partition(chr(10))[0]}") from error
    if listener.losses:
        tell(f"the connection was lost {listener.losses} times; what was sent meanwhile is not judged")
    return options.address, listener.noise


def _write_files(arguments: argparse.Namespace, outcome: Outcome) -> None:
    recording = None if arguments.recording in (None, "-") else Path(arguments.recording).as_posix()
    try:
        if arguments.junit:
            Path(arguments.junit).write_bytes(junit_xml(outcome, fail_on=_severity(arguments.fail_on)))
        if arguments.sarif:
            log = json.dumps(sarif_log(outcome, recording=recording), indent=2)
            Path(arguments.sarif).write_text(log, encoding="utf-8")
    except OSError as error:
        raise _CannotRunError(f"{error.filename}: {error.strerror}") from error


def _severity(name: str) -> Severity | None:
    return None if name == _NEVER else Severity(name)


def _is_wanted(patterns: Sequence[str] | None) -> Callable[[str], bool]:
    return lambda robot: not patterns or any(fnmatchcase(robot, pattern) for pattern in patterns)


def _password(arguments: argparse.Namespace) -> str | None:
    if arguments.password_file is None:
        return os.environ.get(_PASSWORD)
    try:
        return Path(arguments.password_file).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeError) as error:
        raise _CannotRunError(f"--password-file: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Says what is wrong with what VDA 5050 robots send.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recording", nargs="?", metavar="RECORDING", help="file to read, - for standard input")
    parser.add_argument(
        "--robot",
        action="append",
        metavar="PATTERN",
        help="only robots like this, manufacturer/serial with * and ?; repeatable (default: all)",
    )
    parser.add_argument(
        "--fail-on",
        choices=["error", "warning", "info", _NEVER],
        default="error",
        help="mildest severity that makes the exit code 1 and fails a JUnit case (default: %(default)s)",
    )
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML there (default: none)")
    parser.add_argument("--sarif", metavar="FILE", help="write SARIF 2.1.0 there (default: none)")
    _add_broker_arguments(parser)
    return parser


def _add_broker_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("broker (MQTT 3.1.1)")
    group.add_argument(
        "--url", help="the broker: mqtt://host:port or mqtts://host:port, user and password in it or beside"
    )
    group.add_argument(
        "--seconds",
        type=seconds(shortest=0.1, longest=1e7),
        default=30.0,
        help="how long to listen (default: %(default)g)",
    )
    group.add_argument(
        "--subscribe",
        action="append",
        type=topic_filter,
        metavar="FILTER",
        help=f"MQTT topic filter; repeatable (default: {' '.join(Settings().mqtt_topics)})",
    )
    group.add_argument("--user", help="user name, where it is not in the URL (default: none)")
    group.add_argument(
        "--password-file",
        metavar="FILE",
        help=f"file whose first line is the password (default: the environment variable {_PASSWORD}, if set)",
    )
    group.add_argument("--ca-file", metavar="FILE", help="PEM certificates to trust (default: the system's); means TLS")
    group.add_argument("--cert-file", metavar="FILE", help="PEM client certificate (default: none); means TLS")
    group.add_argument("--key-file", metavar="FILE", help="its PEM private key (default: in the certificate's file)")


if __name__ == "__main__":
    sys.exit(main())
