"""A stretch of history as an event stream, at its own pace or faster: in the very format of the live one.

Takes a `Stretch`, gives chunks of bytes: a snapshot as of its start, then each message when its time has come, then an
event that says that this was all. Payloads are the robots' bytes. What comes at the same moment is one chunk.

Ids are `replay-<microseconds since 1970>`, so that an id says when, and a client that comes back with one goes on after
it. The last id, `replay-end`, ends it: who comes back with that has seen all.

Holds PAGE messages at a time. The clock and `sleep` come from outside; `is_over` is asked at least once a second.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import orjson

from vda5050.frames import (
    Frame,
    Wire,
    encode_events,
    encode_heartbeat,
    encode_sse_text,
    snapshot_json,
    update_json,
)
from vda5050.history.fleet import fleet_at
from vda5050.history.reader import Reader, Stored
from vda5050.history.stretch import MICROSECONDS, Stretch, iso_time

PAGE = 500
CHUNK_S = 0.02
"""Messages due within so much are written together."""
NAP_S = 0.5
_EPOCH = b"replay"
END_ID = "replay-end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """How a replay is played; `speed` times as fast as it happened."""

    reader: Reader
    speed: float
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
        start_us = stretch.start_us if after_us is None else after_us + 1
        yield self._snapshot(stretch) if after_us is None else encode_heartbeat(self.wire)
        began_at, count = self.clock(), 0
        for messages in self._chunks(replace(stretch, start_us=start_us), began_at):
            count += len(messages)
            frames = [_frame(message) for message in messages]
            yield encode_events(_EPOCH, frames, self.wire) if frames else encode_heartbeat(self.wire)
            if self.is_over():
                return
        yield self._end(stretch, count)

    def _chunks(self, stretch: Stretch, began_at: float) -> Iterator[list[Stored]]:
        """Give messages as they are due, and an empty list where nothing has been due for `heartbeat_s`."""
        start_us, due_messages, due_at = stretch.start_us, list[Stored](), began_at
        while page := self.reader.page(stretch, limit=PAGE).messages:
            for message in page:
                at = began_at + (message.id - start_us) / MICROSECONDS / self.speed
                if due_messages and at > due_at + CHUNK_S:
                    yield due_messages
                    due_messages = []
                if not due_messages:
                    due_at = at
                    yield from self._wait(at)
                due_messages.append(message)
            stretch = replace(stretch, start_us=page[-1].id + 1)
        if due_messages:
            yield due_messages
        yield from self._wait(began_at + (stretch.end_us - start_us) / MICROSECONDS / self.speed)

    def _wait(self, until: float) -> Iterator[list[Stored]]:
        quiet_since = self.clock()
        while (left := until - self.clock()) > 0 and not self.is_over():
            self.sleep(min(left, NAP_S))
            if self.clock() - quiet_since >= self.heartbeat_s:
                quiet_since = self.clock()
                yield []

    def _snapshot(self, stretch: Stretch) -> bytes:
        messages = self.reader.last_messages(stretch.start_us, stretch)
        robots = fleet_at(stretch.start_us, messages, stale_after_s=self.stale_after_s)
        frame = Frame(max(0, stretch.start_us - 1), "", "snapshot", snapshot_json(robots.get_snapshot()))
        return encode_events(_EPOCH, [frame], self.wire)

    def _end(self, stretch: Stretch, count: int) -> bytes:
        data = {"from": iso_time(stretch.start_us), "to": iso_time(stretch.end_us), "messages": count}
        end = orjson.dumps({"type": "end", "data": data})
        return encode_sse_text(b"id: %b\ndata: %b\n\n" % (END_ID.encode(), end), self.wire)


def read_event_id(event_id: str) -> int | None:
    """Give the microseconds of a replay's event id; None for any other text."""
    epoch, _, digits = event_id.rpartition("-")
    is_ours = epoch.encode() == _EPOCH and digits.isascii() and digits.isdigit() and len(digits) <= 17
    return int(digits) if is_ours else None


def _frame(message: Stored) -> Frame:
    address = message.record.address
    json = update_json(address.robot, address.topic, message.record.payload)
    return Frame(message.id, address.robot, address.topic, json)
