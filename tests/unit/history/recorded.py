"""What tests of history are made of: records, a database in a folder, a writer that has written."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import zstandard

from tests.unit.builders import ROBOT, START_S, FakeClock, state
from vda5050.database import Database
from vda5050.history import Reader, Stored, Stretch
from vda5050.history.store import Store
from vda5050.history.stretch import MICROSECONDS
from vda5050.history.writer import Writer
from vda5050.metrics import Metrics
from vda5050.sinks import Record
from vda5050.topics import parse_topic

START_US = int(START_S) * MICROSECONDS


def record(
    offset: int = 1,
    document: Any = None,
    *,
    robot: str = ROBOT,
    topic: str = "state",
    at_s: float | None = None,
    is_retained: bool = False,
    epoch: str = "e1",
) -> Record:
    """Give a record received `at_s` seconds after START_S, or as many as its offset says."""
    payload = document if isinstance(document, bytes) else orjson.dumps(document or state(headerId=offset))
    address = parse_topic(f"uagv/v2/{robot}/{topic}")
    return Record(address, payload, START_S + (offset if at_s is None else at_s), is_retained, epoch, offset)


def without_checksum(payload: bytes) -> bytes:
    """Compress a payload as it was done before there were checksums."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        3, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=1, write_dict_id=0, write_checksum=0
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(payload)


class Archive:
    """A database in a folder, with a store to write to it and a reader."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder}/history.db")
        self.lane = self.database.lane(threads=1)
        self.reader = Reader(self.lane)
        self.store = Store()

    def write(self, *records: Record) -> int:
        """Store records in one transaction; returns how many were new."""
        ids = self.store.number(records)
        stored = self.lane.write(lambda connection: self.store.write(connection, records, ids))
        self.store.note_kept()
        return stored

    def all(self, **stretch: Any) -> list[Stored]:
        """Read all there is, of a stretch."""
        return self.reader.page(Stretch(**stretch), limit=100_000).messages

    def offsets(self, **stretch: Any) -> list[int]:
        """Read the offsets of all there is, of a stretch."""
        return [stored.record.offset for stored in self.all(**stretch)]

    def close(self) -> None:
        """Close the database."""
        self.lane.close()


@contextmanager
def archive(folder: Path) -> Iterator[Archive]:
    """Open an archive for the time of a `with` block."""
    found = Archive(folder)
    try:
        yield found
    finally:
        found.close()


class Desk:
    """A writer on a fake wall clock, and its metrics. Its other clock is `ahead_s` seconds ahead of the true one."""

    def __init__(self, database: Database, *, owner: str = "me", max_standby_bytes: int = 50_000_000) -> None:
        self.ahead_s = 0.0
        self.rounds = 0
        self.metrics = Metrics()
        self.wall_clock = FakeClock()
        self.writer = Writer(
            database,
            self.metrics,
            owner=owner,
            max_standby_bytes=max_standby_bytes,
            tend=self._tend,
            clock=lambda: time.monotonic() + self.ahead_s,
            wall_clock=self.wall_clock,
        )

    def _tend(self, _do: object) -> None:
        self.rounds += 1

    def put(self, records: Iterable[Record]) -> None:
        """Let messages arrive."""
        for one in records:
            self.writer.put(one)

    def stored(self) -> float:
        """Tell how many messages were stored."""
        return stored(self.metrics)

    def lost(self, reason: str) -> float:
        """Tell how many messages were lost."""
        return lost(self.metrics, reason)


def stored(metrics: Metrics) -> float:
    """Tell how many messages were stored."""
    return metrics.registry.get_sample_value("vda5050_history_stored_total") or 0.0


def lost(metrics: Metrics, reason: str) -> float:
    """Tell how many messages were lost."""
    return metrics.registry.get_sample_value("vda5050_history_lost_total", {"reason": reason}) or 0.0
