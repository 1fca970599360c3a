"""A stretch of history as an event stream, at its own pace or faster: in the very format of the live one.

Takes a `Stretch`, gives chunks of bytes: a snapshot as of its start, then each message when its time has come, then an
event that says that this was all. Payloads are the robots' bytes; with `as_view` each robot's view takes their place,
of several in one chunk the newest. What comes at the same moment is one chunk.

Ids are `replay-<microseconds since 1970>`, so that an id says when, and a client that comes back with one goes on after
it. The last id, `replay-end`, ends it: who comes back with that has seen all.

Holds at most two pages of messages at a time. The clock and `sleep` come from outside; `is_over` is asked at least once
a second, and with every page that is read.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import orjson

from vda5050.frames import (
    Frame,
    Wire,
    encode_events,
    encode_heartbeat,
    encode_sse_text,
    snapshot_json,
    update_frame,
)
from vda5050.history.fleet import PastFleet, fleet_at
from vda5050.history.reader import Reader, Stored
from vda5050.history.stretch import MICROSECONDS, Stretch, iso_time

PAGE = 500
CHUNK_S = 0.02
"""Messages due within so much are written together."""
NAP_S = 0.5
VIEWS_AT_ONCE = 50
"""Views made before other greenlets have their turn: about 10 ms."""
_EPOCH = b"replay"
END_ID = "replay-end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """How a replay is played: `speed` times as fast as it happened, in chunks `interval_s` apart unless that is 0."""

    reader: Reader
    speed: float
    as_view: bool = False
    interval_s: float = 0.0
    wire: Wire
    stale_after_s: float
    heartbeat_s: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    is_over: Callable[[], bool]

    def play(self, stretch: Stretch, *, after_us: int | None = None) -> Iterator[bytes]:
        """Give the stretch from its start, or from after the message `after_us` and without a snapshot.

        Raises DatabaseUnavailable, also later: the stream then ends early, and a client can go on where it was.
        """
        rest = stretch if after_us is None else replace(stretch, start_us=after_us + 1)
        gathered: _Gathered = _Messages()
        first = encode_heartbeat(self.wire)
        if after_us is None or self.as_view:
            fleet = fleet_at(
                rest.start_us, self.reader.last_messages(rest.start_us, rest), stale_after_s=self.stale_after_s
            )
            gathered = _Views(fleet, self.sleep) if self.as_view else gathered
            first = self._snapshot(rest.start_us, fleet) if after_us is None else first
        yield first
        for frames in self._chunks(rest, gathered):
            yield encode_events(_EPOCH, frames, self.wire) if frames else encode_heartbeat(self.wire)
            if self.is_over():
                return
        if not self.is_over():
            yield self._end(stretch, gathered.count)

    def _chunks(self, stretch: Stretch, gathered: "_Gathered") -> Iterator[list[Frame]]:
        """Give frames as they are due, and an empty list where nothing has been due for `heartbeat_s`."""
        began_at, start_us = self.clock(), stretch.start_us
        due_at = began_at
        for message in self._messages(stretch):
            at = began_at + self._due_s(message.id - start_us)
            if gathered.is_full or (gathered.is_waiting and at > due_at + CHUNK_S):
                yield gathered.take()
            if not gathered.is_waiting:
                due_at = at
                yield from self._wait(at)
            gathered.add(message)
        if gathered.is_waiting:
            yield gathered.take()
        yield from self._wait(began_at + (stretch.end_us - start_us) / MICROSECONDS / self.speed)

    def _messages(self, stretch: Stretch) -> Iterator[Stored]:
        while (page := self.reader.page(stretch, limit=PAGE)).last_id is not None and not self.is_over():
            yield from page.messages
            stretch = replace(stretch, start_us=page.last_id + 1)

    def _due_s(self, since_us: int) -> float:
        """Tell how long after the beginning a message is due: when it was, or at the end of its interval."""
        due_s = since_us / MICROSECONDS / self.speed
        return math.ceil(due_s / self.interval_s) * self.interval_s if self.interval_s else due_s

    def _wait(self, until: float) -> Iterator[list[Frame]]:
        quiet_since = self.clock()
        while (left := until - self.clock()) > 0 and not self.is_over():
            self.sleep(min(left, NAP_S))
            if self.clock() - quiet_since >= self.heartbeat_s:
                quiet_since = self.clock()
                yield []

    def _snapshot(self, at_us: int, fleet: PastFleet) -> bytes:
        robots = fleet.robots.get_views() if self.as_view else fleet.robots.get_snapshot()
        frame = Frame(max(0, at_us - 1), "", "snapshot", snapshot_json(robots))
        return encode_events(_EPOCH, [frame], self.wire)

    def _end(self, stretch: Stretch, count: int) -> bytes:
        data = {"from": iso_time(stretch.start_us), "to": iso_time(stretch.end_us), "messages": count}
        end = orjson.dumps({"type": "end", "data": data})
        return encode_sse_text(b"id: %b\ndata: %b\n\n" % (END_ID.encode(), end), self.wire)


class _Gathered(Protocol):
    """What is due and waits to be written together. `count`: messages so far, written ones as well."""

    count: int

    @property
    def is_waiting(self) -> bool:
        """True where there is something."""

    @property
    def is_full(self) -> bool:
        """True where it must be taken before another message is added."""

    def add(self, message: Stored) -> None:
        """Gather a message, oldest first."""

    def take(self) -> list[Frame]:
        """Give what was gathered in order, and begin anew."""


class _Messages:
    """Each message as the robot sent it."""

    def __init__(self) -> None:
        self.count = 0
        self._frames: list[Frame] = []

    @property
    def is_waiting(self) -> bool:
        return bool(self._frames)

    @property
    def is_full(self) -> bool:
        return len(self._frames) >= PAGE

    def add(self, message: Stored) -> None:
        address = message.record.address
        self._frames.append(update_frame(message.id, address.robot, address.topic, message.record.payload))
        self.count += 1

    def take(self) -> list[Frame]:
        frames, self._frames = self._frames, []
        return frames


class _Views:
    """The view of each robot that said something, at the id of its newest message: what came before it shows too."""

    is_full = False

    def __init__(self, fleet: PastFleet, sleep: Callable[[float], None]) -> None:
        self.count = 0
        self._fleet = fleet
        self._sleep = sleep
        self._newest: dict[str, int] = {}

    @property
    def is_waiting(self) -> bool:
        return bool(self._newest)

    def add(self, message: Stored) -> None:
        robot = message.record.address.robot
        self._fleet.take(message)
        self._newest.pop(robot, None)  # so that it goes in last
        self._newest[robot] = message.id
        self.count += 1

    def take(self) -> list[Frame]:
        frames = []
        for number, (robot, id_) in enumerate(self._newest.items(), start=1):
            frames.append(update_frame(id_, robot, "view", self._fleet.robots.get_view(robot)))
            if number % VIEWS_AT_ONCE == 0:
                self._sleep(0)
        self._newest = {}
        return frames


def read_event_id(event_id: str) -> int | None:
    """Give the microseconds of a replay's event id; None for any other text."""
    epoch, _, digits = event_id.rpartition("-")
    is_ours = epoch.encode() == _EPOCH and digits.isascii() and digits.isdigit() and len(digits) <= 17
    return int(digits) if is_ours else None
