"""What is asked of history: a page in the order of time, what each robot said last, how much there is.

Runs in native threads, several at a time, in transactions of its own; takes a `Stretch`, gives `Stored` messages with
their exact payloads. No query looks at more rows than it needs, however many there are:

* a few robots: each of their topics is a strip of the index `messages_of_robot`, read in order and merged;
* all robots and topics that are rare: as many strips of `messages_rare`;
* else the primary key is walked, which is the order of time, and what is not wanted is passed over.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from vda5050.database import Lane
from vda5050.errors import DatabaseUnavailable
from vda5050.history.codec import Decoder, Encoded, UndecodableMessage
from vda5050.history.stretch import MICROSECONDS, Stretch
from vda5050.history.tables import DICTIONARIES, EPOCHS, MESSAGES, RARE_FROM, ROBOTS, TOPIC_CODES, TOPIC_NAMES
from vda5050.logs import get_logger
from vda5050.sinks import Record
from vda5050.topics import Address

log = get_logger(__name__)

FEW_ROBOTS = 40
"""Up to so many have strips of their own; beyond it, passing over the others' messages is cheaper."""
LOOKUP_IDS = 500
PAGE_BYTES = 8_388_608
TIMEOUT_S = 20.0
_Found = TypeVar("_Found")


class Page(NamedTuple):
    """Messages in the order asked for; `has_more` tells whether there are others after them.

    `last_id` is where it goes on: of the last message looked at, which may be damaged or gone by now and so not be
    among `messages`. None where there was nothing to look at.
    """

    messages: list["Stored"]
    has_more: bool
    last_id: int | None


class Stored(NamedTuple):
    """A message as it is kept; `id` is its place in the order of time."""

    id: int
    record: Record


class Reader:
    """Reads history. For one hub's greenlets; its lane's threads share what was looked up once."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._known = _Known()

    def page(self, stretch: Stretch, *, limit: int, is_newest_first: bool = False) -> Page:
        """Give the first `limit` messages of a stretch, or the last ones: fewer where they are more than PAGE_BYTES.

        One that is damaged is left out. Raises DatabaseUnavailable.
        """
        return self._ask(lambda question: question.page(stretch, limit, is_newest_first=is_newest_first))

    def last_messages(self, at_us: int, stretch: Stretch) -> list[Stored]:
        """Give the last message before `at_us` of every robot and topic, oldest first. Raises DatabaseUnavailable.

        Of `stretch`, only robots and topics count.
        """
        return self._ask(lambda question: question.last_messages(at_us, stretch))

    def _ask(self, work: "Callable[[_Question], _Found]") -> _Found:
        try:
            return self._lane.read(lambda connection: work(_Question(connection, self._known)), timeout_s=TIMEOUT_S)
        except DatabaseUnavailable:
            self._known = _Known()  # it may come back as another one; other questions go on with what they have
            raise


@dataclass(frozen=True, slots=True)
class _Known:
    """What was looked up once, by its number. It only grows, so that native threads may share it."""

    robots: dict[int, tuple[str, str | None, str, str]] = field(default_factory=dict)
    epochs: dict[int, str] = field(default_factory=dict)
    dictionaries: dict[int, bytes] = field(default_factory=dict)


class _Question:
    """What is asked in one transaction."""

    def __init__(self, connection: Connection, known: _Known) -> None:
        self._connection = connection
        self._known = known

    def page(self, stretch: Stretch, limit: int, *, is_newest_first: bool) -> Page:
        """Give a page, as `Reader.page`."""
        robots = self._wanted_robots(stretch)
        if robots is not None and not robots:
            return Page([], has_more=False, last_id=None)
        order = MESSAGES.c.id.desc() if is_newest_first else MESSAGES.c.id
        inside = (MESSAGES.c.id >= stretch.start_us, MESSAGES.c.id < stretch.end_us)
        strips = [
            self._connection.execute(
                sa.select(MESSAGES.c.id).where(*strip, *inside).order_by(order).limit(limit + 1)
            ).scalars()
            for strip in _strips(robots, stretch.topics)
        ]
        ids = list(islice(heapq.merge(*strips, reverse=is_newest_first), limit + 1))
        messages: list[Stored] = []
        size = 0
        for message in self._fetch(ids[:limit]):
            messages.append(message)
            size += len(message.record.payload)
            if size >= PAGE_BYTES:
                return Page(messages, has_more=message.id != ids[-1], last_id=message.id)
        return Page(messages, has_more=len(ids) > limit, last_id=ids[:limit][-1] if ids else None)

    def last_messages(self, at_us: int, stretch: Stretch) -> list[Stored]:
        """Give the last messages, as `Reader.last_messages`."""
        robots = self._wanted_robots(stretch)
        newest = [
            sa.select(sa.func.max(MESSAGES.c.id))
            .where(MESSAGES.c.robot_id == ROBOTS.c.id, MESSAGES.c.topic == TOPIC_CODES[topic], MESSAGES.c.id < at_us)
            .scalar_subquery()
            .label(topic)
            for topic in stretch.topics or TOPIC_CODES
        ]
        found = self._connection.execute(sa.select(ROBOTS.c.id, *newest))
        wanted = None if robots is None else set(robots)
        ids = sorted(
            id_ for robot, *of_topics in found if wanted is None or robot in wanted for id_ in of_topics if id_
        )
        return list(self._fetch(ids))

    def _wanted_robots(self, stretch: Stretch) -> list[int] | None:
        """Give the numbers of the robots that are meant, None for all."""
        self._learn_robots()
        if stretch.robots.is_all:
            return None
        robots = self._known.robots.copy()  # other threads may add to it meanwhile
        return [number for number, (_, _, make, serial) in robots.items() if stretch.robots.has(f"{make}/{serial}")]

    def _learn_robots(self) -> None:
        """Read the robots that were added since; they are never changed or removed.

        By their count: in PostgreSQL one that another process adds may be seen later than one with a higher number.
        """
        known = self._known.robots
        count = self._connection.execute(sa.select(sa.func.count()).select_from(ROBOTS)).scalar_one()
        if count == len(known):
            return
        for row in self._connection.execute(sa.select(ROBOTS)):
            known[row.id] = (row.interface, row.major_version or None, row.manufacturer, row.serial_number)

    def _fetch(self, ids: Sequence[int]) -> Iterator[Stored]:
        """Give these messages in this order; those that retention has just removed are missing."""
        for start in range(0, len(ids), LOOKUP_IDS):
            chunk = ids[start : start + LOOKUP_IDS]
            found = self._connection.execute(sa.select(MESSAGES).where(MESSAGES.c.id.in_(chunk)))
            rows = {row.id: row for row in found}
            yield from self._decoded([rows[id_] for id_ in chunk if id_ in rows])

    def _decoded(self, found: Sequence[sa.Row[Any]]) -> Iterator[Stored]:
        known = self._known
        self._learn(EPOCHS.c.epoch, known.epochs, {row.epoch_id for row in found})
        self._learn(DICTIONARIES.c.content, known.dictionaries, {row.dictionary_id for row in found} - {0})
        if any(row.robot_id not in known.robots for row in found):
            self._learn_robots()
        decoder = Decoder(known.dictionaries)  # not to be shared by threads
        for row in found:
            try:
                yield self._stored(row, decoder)
            except (UndecodableMessage, KeyError) as error:
                log.error("a stored message is damaged and left out", id=row.id, error=repr(error))  # noqa: TRY400

    def _stored(self, row: sa.Row[Any], decoder: Decoder) -> Stored:
        address = Address(*self._known.robots[row.robot_id], TOPIC_NAMES[row.topic])
        payload = decoder.decode(Encoded(row.payload, row.dictionary_id))
        epoch = self._known.epochs[row.epoch_id]
        record = Record(address, payload, row.id / MICROSECONDS, row.is_retained, epoch, row.stream_offset)
        return Stored(row.id, record)

    def _learn(self, column: sa.Column[Any], known: dict[int, Any], wanted: Iterable[int]) -> None:
        """Look up what is not known yet."""
        if missing := [id_ for id_ in wanted if id_ not in known]:
            number = column.table.c.id
            found = self._connection.execute(sa.select(number, column).where(number.in_(missing)))
            known.update({id_: value for id_, value in found})  # noqa: C416 - rows are no pairs to mypy


def _strips(robots: Sequence[int] | None, topics: frozenset[str] | None) -> list[tuple[sa.ColumnElement[bool], ...]]:
    """Give the conditions of parts of the table that are read in order by an index, and together are what is wanted."""
    codes = sorted(TOPIC_CODES[topic] for topic in topics or TOPIC_CODES)
    if robots is not None and len(robots) <= FEW_ROBOTS:
        return [(MESSAGES.c.robot_id == robot, MESSAGES.c.topic == code) for robot in robots for code in codes]
    of_robots = () if robots is None else (MESSAGES.c.robot_id.in_(robots),)
    if min(codes) >= RARE_FROM:
        # Written out as in the index: SQLite would not know it for that otherwise.
        is_rare = MESSAGES.c.topic >= sa.literal_column(str(RARE_FROM))
        return [(is_rare, MESSAGES.c.topic == code, *of_robots) for code in codes]
    of_topics = () if topics is None else (MESSAGES.c.topic.in_(codes),)
    return [(*of_topics, *of_robots)]
