#!/usr/bin/env python3
"""Puts recordings into the gateway's history: what `mosquitto_sub -v` printed, JSON lines, or exports of a gateway.

Each message gets the time at which it was received where the recording says so (`mosquitto_sub -F %j`,
`process_vda5050_messages.py --json`, `/history/export`), else the time that it names itself. What no robot can have
sent, what is no JSON, what has no time at all and what has one that is still to come (history is in the order of time)
is counted and left out. The same recording may be imported again, also when it has grown: what is there already is
recognised. A gateway may run meanwhile.

Needs the gateway's packages (`.venv/bin/python` after `make run`).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conformance_check.recordings import Message, Recording, seconds_of
from sqlalchemy.exc import SQLAlchemyError

from vda5050.database import Database
from vda5050.entries import Update
from vda5050.errors import RejectedMessage, Vda5050Error
from vda5050.history.store import Store, numbered
from vda5050.payloads import parse_payload
from vda5050.sinks import Record
from vda5050.topics import format_topic

BATCH = 1_000
_EPOCH = "import"
_WRITE_TIMEOUT_S = 120.0
_DEFAULT_URL = "sqlite:///var/vda5050.db"


class Import:
    """One recording's records; iterate once, then `left_out` tells what was not one, by why."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Record]:
        with self._path.open("rb") as file:
            recording = Recording(file)
            for message in recording:
                record = self._record(message)
                if record is not None:
                    yield record
            if recording.noise:
                self.left_out["no message"] += recording.noise

    def _record(self, message: Message) -> Record | None:
        try:
            document, _ = parse_payload(message.payload)
        except RejectedMessage as rejected:
            self.left_out[rejected.reason] += 1
            return None
        at = message.wall if message.wall is not None else seconds_of(document.get("timestamp"))
        if at is None or at < 0:
            self.left_out["no time"] += 1
            return None
        if at > time.time():
            self.left_out["a time that is still to come"] += 1
            return None
        update = Update.of(message.address, message.payload, received_at=at, is_retained=message.is_retained)
        return Record(message.address, update.payload, at, message.is_retained, _EPOCH, _offset(message))


def _offset(message: Message) -> int:
    """Give what tells a message from any other of the same moment: not its place, for a recording may have grown."""
    said = hashlib.blake2b(f"{format_topic(message.address)} ".encode() + message.payload, digest_size=8).digest()
    return int.from_bytes(said, "big") >> 1  # the database's numbers have a sign


class Importer:
    """A way into a database's history."""

    def __init__(self, database: Database) -> None:
        self._lane = database.lane(threads=1)
        self._store = Store()
        self._lane.write(self._store.load)

    def add(self, records: Iterator[Record]) -> tuple[int, int]:
        """Store records; gives how many were read, and how many of them were new. Raises DatabaseUnavailable."""
        read, new, last = 0, 0, 0
        while batch := list(islice(records, BATCH)):
            ids = numbered(batch, after=last)
            read, last = read + len(batch), ids[-1]
            new += self._write(batch, ids)
        return read, new

    def _write(self, batch: Sequence[Record], ids: Sequence[int]) -> int:
        store, lane = self._store, self._lane
        added = lane.write(lambda connection: store.write(connection, batch, ids), timeout_s=_WRITE_TIMEOUT_S)
        store.note_kept()
        if store.is_trial_due and (found := store.candidates()):
            store.use(lane.write(lambda connection: store.keep(connection, found, time.time())))
        return added


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+", type=Path, metavar="FILE", help="recordings")
    parser.add_argument(
        "--database",
        default=os.environ.get("VDA5050_DATABASE_URL", _DEFAULT_URL),
        metavar="URL",
        help=f"as VDA5050_DATABASE_URL, which is also the default (else {_DEFAULT_URL})",
    )
    arguments = parser.parse_args(argv)
    try:
        importer = Importer(Database(arguments.database))
        for path in arguments.recordings:
            recording = Import(path)
            read, new = importer.add(iter(recording))
            left_out = "".join(f", {count} left out: {why}" for why, count in recording.left_out.most_common())
            print(f"{path}: {new} messages imported, {read - new} were there{left_out}")
    except (OSError, ValueError, Vda5050Error, SQLAlchemyError) as error:
        print(f"import_history.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
