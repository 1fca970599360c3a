"""A batch of records -> rows, in one transaction: robots and epochs named, payloads compressed, ids given.

Takes records in order, in a native thread, with the connection of a write transaction. A slice of SLICE_ROWS is
compressed in one call a topic and written in one call (see `inserts`). Between slices it rests where it is given time
to: whoever streams on the same processors then waits for one slice, and not for a batch.

What a transaction that failed had put into the caches is taken out again with `forget`: the next one looks it up.
"""

import operator
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from gevent.monkey import get_original
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from vda5050.database import SQLITE
from vda5050.history.backlog import Recent
from vda5050.history.codec import Candidate, Codec, Decoder, Encoded, UndecodableMessage
from vda5050.history.inserts import Row, insert
from vda5050.history.stretch import MICROSECONDS
from vda5050.history.tables import DICTIONARIES, EPOCHS, MESSAGES, ROBOTS, TOPIC_CODES, TOPIC_NAMES
from vda5050.sinks import Record
from vda5050.topics import Address

SLICE_ROWS = 50
LONGEST_REST_S = 0.005
"""Between two slices. What it does for the streams: benchmarks/EARLIER.md."""
LOOKUP_IDS = 500
LATE_US = 10 * MICROSECONDS
"""A message received up to this much before the one stored last is put right after it; the clock may be slewed, or
have several readers. One received earlier than that came after the clock was set back, and gets its own time."""

_sleep = get_original("time", "sleep")
"""That of a native thread."""

Placed = tuple[int, Record]
"""A record with the id that it is to have."""


class Store:
    """What one writer remembers between its transactions: names that have a number, dictionaries, the last id."""

    def __init__(self) -> None:
        self._codec = Codec(random.Random())
        self._robots: dict[Address, int] = {}
        self._epochs: dict[str, int] = {}
        self._last_id = 0
        self._stored_id = 0
        self._written_id = 0
        self._is_sure = True
        self.rested_s = 0.0
        """For how long the last `write` rested."""

    def load(self, connection: Connection) -> None:
        """Learn what the database has: the newest dictionary of each topic, the last id."""
        self.forget()
        newest = sa.select(sa.func.max(DICTIONARIES.c.id)).group_by(DICTIONARIES.c.topic)
        for row in connection.execute(sa.select(DICTIONARIES).where(DICTIONARIES.c.id.in_(newest))):
            if row.topic in TOPIC_NAMES:
                self._codec.use(TOPIC_NAMES[row.topic], row.id, row.content)
        self._stored_id = connection.execute(sa.select(sa.func.max(MESSAGES.c.id))).scalar_one() or 0
        self._last_id = max(self._last_id, self._stored_id)

    @staticmethod
    def recent(connection: Connection, since: float, *, now: float) -> Recent:
        """Tell what was stored of what came since then; times are epoch seconds.

        The newest message is sought up to `now` only: a later one came while the clock was ahead.
        """
        newest = sa.select(sa.func.max(MESSAGES.c.id)).where(MESSAGES.c.id <= int(now * MICROSECONDS))
        upto = connection.execute(newest).scalar_one() or 0
        query = (
            sa.select(MESSAGES.c.topic, MESSAGES.c.dictionary_id, MESSAGES.c.payload,
                      ROBOTS.c.manufacturer, ROBOTS.c.serial_number, DICTIONARIES.c.content)
            .join_from(MESSAGES, ROBOTS, ROBOTS.c.id == MESSAGES.c.robot_id)
            .outerjoin(DICTIONARIES, DICTIONARIES.c.id == MESSAGES.c.dictionary_id)
            .where(MESSAGES.c.id >= int(since * MICROSECONDS))
        )  # fmt: skip
        rows = connection.execute(query).all()
        decoder = Decoder({row.dictionary_id: row.content for row in rows if row.content is not None})
        messages: Counter[tuple[str, str, bytes]] = Counter()
        for row in rows:
            with suppress(UndecodableMessage, KeyError):  # a damaged one is like none
                payload = decoder.decode(Encoded(row.payload, row.dictionary_id))
                messages[f"{row.manufacturer}/{row.serial_number}", TOPIC_NAMES[row.topic], payload] += 1
        return Recent(upto / MICROSECONDS, messages)

    def forget(self) -> None:
        """Look every name and every id up again: the last transaction was not kept, or another one wrote as well."""
        self._is_sure = False
        self._robots.clear()
        self._epochs.clear()

    @property
    def is_trial_due(self) -> bool:
        """Tell whether `candidates` would try anything."""
        return self._codec.is_trial_due

    def candidates(self) -> list[Candidate]:
        """Train dictionaries where it is time to; gives those that are worth being kept."""
        return self._codec.candidates()

    @staticmethod
    def keep(connection: Connection, candidates: Iterable[Candidate], now: float) -> list[tuple[Candidate, int]]:
        """Store dictionaries; gives them with their ids, for `use` once the transaction is kept."""
        kept = []
        for candidate in candidates:
            values = {"topic": TOPIC_CODES[candidate.topic], "created_at": int(now), "content": candidate.content}
            added = connection.execute(sa.insert(DICTIONARIES).values(**values).returning(DICTIONARIES.c.id))
            kept.append((candidate, added.scalar_one()))
        return kept

    def use(self, dictionaries: Iterable[tuple[Candidate, int]]) -> None:
        """Compress with these from now on."""
        for candidate, dictionary_id in dictionaries:
            self._codec.use(candidate.topic, dictionary_id, candidate.content)

    def number(self, records: Sequence[Record]) -> list[int]:
        """Give each of some records its id: once, however often it must be tried to store it."""
        ids = numbered(records, after=self._last_id)
        self._last_id = ids[-1]
        return ids

    def write(
        self, connection: Connection, records: Sequence[Record], ids: Sequence[int], *, rest_budget_s: float = 0.0
    ) -> int:
        """Add the records that are not there yet, and return how many these were.

        It may rest between its slices for `rest_budget_s` in all, and `rested_s` says for how long it did; with SQLite,
        where nobody else can write meanwhile, it does not.

        One that an earlier transaction has kept, whose end this process did not learn, is known by epoch and offset.
        An id that another message has is replaced by the next one that is free.
        """
        self._name(connection, records)
        placed = list(zip(ids, records, strict=True))
        is_new = self._is_sure and all(map(operator.lt, (self._stored_id, *ids), ids))
        if not is_new:
            placed = self._settled(connection, placed)
        insert(connection, self._slices(placed, 0.0 if connection.dialect.name == SQLITE else rest_budget_s))
        self._written_id = max((id_ for id_, _ in placed), default=0)
        return len(placed)

    def note_kept(self) -> None:
        """Remember that what `write` did was kept."""
        self._stored_id = max(self._stored_id, self._written_id)
        self._is_sure = True

    def _slices(self, placed: Sequence[Placed], rest_budget_s: float) -> Iterator[list[Row]]:
        starts = range(0, len(placed), SLICE_ROWS)
        rest_s = min(LONGEST_REST_S, rest_budget_s / max(1, len(starts)))
        self.rested_s = 0.0
        for start in starts:
            if start and rest_s:
                _sleep(rest_s)
                self.rested_s += rest_s
            yield self._rows(placed[start : start + SLICE_ROWS])

    def _rows(self, placed: Sequence[Placed]) -> list[Row]:
        encoded = self._encoded([record for _, record in placed])
        return [
            (
                id_,
                record.offset,
                self._robots[record.address],
                self._epochs[record.epoch],
                dictionary_id,
                TOPIC_CODES[record.address.topic],
                record.is_retained,
                data,
            )
            for (id_, record), (data, dictionary_id) in zip(placed, encoded, strict=True)
        ]

    def _settled(self, connection: Connection, placed: Sequence[Placed]) -> list[Placed]:
        """Leave out what is stored already under the same id, and give the others ids that are free."""
        used: set[int] = set()
        found: list[Placed] = []
        waiting = placed
        while waiting:
            taken = _taken(connection, [id_ for id_, _ in waiting])
            again = []
            for id_, record in waiting:
                if taken.get(id_) == (self._epochs[record.epoch], record.offset):
                    continue
                if id_ in taken or id_ in used:
                    again.append((id_ + 1, record))
                else:
                    used.add(id_)
                    found.append((id_, record))
            waiting = again
        return found

    def _encoded(self, records: Sequence[Record]) -> list[Encoded]:
        places: dict[str, list[int]] = {}
        for place, record in enumerate(records):
            places.setdefault(record.address.topic, []).append(place)
        encoded: list[Any] = [None] * len(records)
        for topic, of_topic in places.items():
            found = self._codec.encode(topic, [records[place].payload for place in of_topic])
            for place, one in zip(of_topic, found, strict=True):
                encoded[place] = one
        return encoded

    def _name(self, connection: Connection, records: Iterable[Record]) -> None:
        """Give a number to every robot and epoch that has none yet."""
        for record in records:
            if record.address not in self._robots:
                self._robots[record.address] = _number(connection, ROBOTS, _name_of(record.address))
            if record.epoch not in self._epochs:
                self._epochs[record.epoch] = _number(connection, EPOCHS, {"epoch": record.epoch})


def numbered(records: Iterable[Record], *, after: int) -> list[int]:
    """Give ids to records, the one before them having had the id `after`."""
    ids, last = [], after
    for record in records:
        at = int(record.received_at * MICROSECONDS)
        last = at if at > last or last - at > LATE_US else last + 1
        ids.append(last)
    return ids


def _name_of(address: Address) -> dict[str, str]:
    return {
        "interface": address.interface,
        "major_version": address.major_version or "",
        "manufacturer": address.manufacturer,
        "serial_number": address.serial_number,
    }


def _number(connection: Connection, table: sa.Table, values: dict[str, str]) -> int:
    """Give the number of a text that is stored once."""
    insert = sqlite_insert if connection.dialect.name == SQLITE else postgresql_insert
    connection.execute(insert(table).values(**values).on_conflict_do_nothing())
    where = [table.c[column] == value for column, value in values.items()]
    found: int = connection.execute(sa.select(table.c.id).where(*where)).scalar_one()
    return found


def _taken(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Give those of the ids that are taken, with the epoch and offset of their messages."""
    columns = (MESSAGES.c.id, MESSAGES.c.epoch_id, MESSAGES.c.stream_offset)
    taken = {}
    for start in range(0, len(ids), LOOKUP_IDS):
        wanted = ids[start : start + LOOKUP_IDS]
        for id_, epoch_id, offset in connection.execute(sa.select(*columns).where(MESSAGES.c.id.in_(wanted))):
            taken[id_] = (epoch_id, offset)
    return taken
