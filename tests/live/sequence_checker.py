"""Whether clients see what was promised to them: no gap without `reset`, no duplicate, no step backwards.

Takes clients with scripts of what they do (read, stall, go and resume, go and forget) while anything may happen to the
servers; gives, for each, what it saw against the promise. To be used with any fault:

    with RobotFleet(broker.port) as fleet, Crowd() as crowd:
        crowd.add("plain", sse(port), commuter(random.Random(1)))
        ...                                  # run into the fault, come out of it
        fleet.stop()
        crowd.settle(fleet.last_header_ids)  # every client reads on until it is at the newest state, or the test fails
    assert crowd.violations() == []

A `Witness` judges one client's events and can be fed with anything that has them, such as what curl wrote. It checks
two counts that are made at different ends: the stream's offsets, and the robots' own headerIds.
"""

import functools
import heapq
import itertools
import random
import selectors
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any, Self

import pytest
from wsproto.utilities import ProtocolError

from tests.live.event_decoder import BrokenStreamError, Event
from tests.live.ledger import Trail
from tests.live.stream_client import SseClient, StreamClient, WebSocketClient

RECONNECT_S = 0.2
_MAX_VIOLATIONS = 5
"""Of one client: what follows the first is mostly its consequence."""


class Count(Enum):
    """How a count goes on from one event to the next."""

    BY_ONE = "by one"
    RISING = "rising"


@dataclass(frozen=True, slots=True)
class Promise:
    """What a client may rely on.

    `offsets` only rise: those in between are of robots that a filter leaves out, or of the doctor's findings, which are
    numbered too. `header_ids` of a robot's states rise by one unless the filter conflates, or the broker was away.
    `robots` tells which ones the filter takes.
    """

    offsets: Count = Count.RISING
    header_ids: Count = Count.BY_ONE
    robots: Callable[[str], bool] = lambda _robot: True


class Witness:
    """One client over all its connections: what it has seen, and whether it should have."""

    def __init__(
        self, name: str, promise: Promise | None = None, *, on_state: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        self.name = name
        self.promise = promise or Promise()
        self.violations: list[str] = []
        self.updates = self.snapshots = self.resets = self.resumes = self.statuses = 0
        self.last_event_id: str | None = None
        """What the client comes back with; None until it has seen an id."""
        self.header_ids: dict[str, int] = {}
        """By robot key, the headerId of the newest state the client knows."""
        self._stale: set[str] = set()
        """Robots that the snapshot calls stale: what they said since then, while nobody listened, was missed."""
        self.trail = Trail()
        """Between resets, from where to where it was told everything; see `ledger`."""
        self._on_state = on_state
        self._awaits_snapshot = True

    def connected(self, last_event_id: str | None) -> None:
        """Note that a connection begins: a new one, or one resumed from `last_event_id`."""
        self.last_event_id = last_event_id
        if last_event_id is None:
            self._forget()
        else:
            self.resumes += 1

    def saw(self, event: Event) -> None:
        """Judge the next event."""
        if event.type == "reset":
            self.resets += 1
            if event.id is not None:  # as EventSource does: an id that is empty is not sent back
                self.last_event_id = event.id or None
            self._forget()
        elif event.type == "snapshot":
            self._saw_snapshot(event)
        elif self._awaits_snapshot:
            self.blame(f"{event.type} {event.id} where a snapshot was due")
        else:
            self._saw_next(event)

    def blame(self, violation: str) -> None:
        """Note a broken promise."""
        if len(self.violations) < _MAX_VIOLATIONS:
            self.violations.append(f"{self.name}: {violation}")

    def is_at(self, header_ids: Mapping[str, int]) -> bool:
        """Tell whether the client knows these headerIds of all robots it takes."""
        return all(self.header_ids.get(r, 0) == last for r, last in header_ids.items() if self.promise.robots(r))

    def _forget(self) -> None:
        self.header_ids.clear()
        self._stale.clear()
        self._awaits_snapshot = True

    def _saw_snapshot(self, event: Event) -> None:
        if not self._awaits_snapshot:
            self.blame(f"snapshot {event.id} without a reset")
        self.snapshots += 1
        self._awaits_snapshot = False
        self.last_event_id = event.id
        self.trail.begin(event.id)
        for robot, entry in event.data["data"].items():
            if not self.promise.robots(robot):
                self.blame(f"{robot} in snapshot {event.id}, which the filter does not take")
            if (state := entry["messages"].get("state")) is not None:
                self.header_ids[robot] = state["headerId"]
                if entry["is_stale"]:
                    self._stale.add(robot)

    def _saw_next(self, event: Event) -> None:
        if event.type == "status" and event.id is None:  # a note for a newcomer alone, outside the numbers
            self.statuses += 1
            return
        self._check_offset(event.id)
        self.last_event_id = event.id
        self.trail.go_on(event.id)
        if event.type == "status":
            self.statuses += 1
        elif event.type == "update":
            self.updates += 1
            if event.data["data"]["type"] == "state":
                self._saw_state(event.data["data"]["topic"], event.data["data"]["payload"])
        else:
            self.blame(f"unknown event {event}")

    def _check_offset(self, event_id: str | None) -> None:
        epoch, _, offset = (event_id or "").rpartition("-")
        last_epoch, _, last_offset = (self.last_event_id or "").rpartition("-")
        if not epoch or epoch != last_epoch:
            self.blame(f"id {event_id} after {self.last_event_id}: another epoch without a reset")
        elif not _goes_on(self.promise.offsets, int(last_offset), int(offset)):
            self.blame(f"id {event_id} after {self.last_event_id}")

    def _saw_state(self, robot: str, state: dict[str, Any]) -> None:
        if not self.promise.robots(robot):
            self.blame(f"{robot}, which the filter does not take")
        last = self.header_ids.get(robot)
        header_id = state["headerId"]
        count = Count.RISING if robot in self._stale else self.promise.header_ids
        self._stale.discard(robot)
        if last is not None and not _goes_on(count, last, header_id):
            self.blame(f"headerId {header_id} of {robot} after {last}, at {self.last_event_id}")
        self.header_ids[robot] = header_id
        if self._on_state is not None:
            self._on_state(state)


def _goes_on(count: Count, last: int, this: int) -> bool:
    return this == last + 1 if count is Count.BY_ONE else this > last


class Do(Enum):
    """What a client does for a while."""

    READ = "read"
    STALL = "stall"  # the connection is open, nothing is read
    LEAVE = "leave"  # and come back with Last-Event-ID
    FORGET = "forget"  # leave, and come back as a new client


Script = Iterator[tuple[Do, float]]
"""What to do one after the other, each with its seconds. When it ends, the client reads on."""
Connect = Callable[[str | None], StreamClient]
"""Opens a connection, resumed from the id where one is given. Raises OSError."""


def commuter(dice: random.Random) -> Script:
    """Come and go, resume each time."""
    while True:
        yield Do.READ, dice.uniform(0.2, 2.0)
        yield Do.LEAVE, dice.uniform(0.0, 1.0)


def visitor(dice: random.Random) -> Script:
    """Come and go, as a new client each time."""
    while True:
        yield Do.READ, dice.uniform(0.1, 2.0)
        yield Do.FORGET, dice.uniform(0.0, 0.5)


def sleeper(dice: random.Random, *, stall_s: float) -> Script:
    """Read, stall for about `stall_s`, read on."""
    while True:
        yield Do.READ, dice.uniform(1.0, 2.0)
        yield Do.STALL, stall_s * dice.uniform(0.9, 1.1)


def traveller(dice: random.Random, *, away_s: float) -> Script:
    """Leave for about `away_s` and resume: longer than updates are held, so that it has to be told of the gap."""
    while True:
        yield Do.READ, dice.uniform(0.5, 1.0)
        yield Do.LEAVE, away_s * dice.uniform(0.9, 1.1)


def sse(
    port: int,
    path: str = "/stream",
    *,
    is_gzip: bool = False,
    receive_buffer_bytes: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> Connect:
    """Connect to an SSE stream; a small `receive_buffer_bytes` makes a stall felt by the server soon."""
    return lambda last_event_id: SseClient(
        port, path, is_gzip=is_gzip, last_event_id=last_event_id, receive_buffer_bytes=receive_buffer_bytes, tls=tls
    )


def websocket(
    port: int, query: str = "", *, receive_buffer_bytes: int | None = None, tls: ssl.SSLContext | None = None
) -> Connect:
    """Connect to `/ws`."""

    def connect(last_event_id: str | None) -> StreamClient:
        parts = [query] if query else []
        if last_event_id is not None:
            parts.append(f"last_event_id={last_event_id}")
        path = f"/ws?{'&'.join(parts)}"
        return WebSocketClient(port, path, receive_buffer_bytes=receive_buffer_bytes, tls=tls)

    return connect


class Crowd:
    """Any number of clients in one thread, from `add` to the end of the `with` block.

    A client whose connection the server closes, or that cannot connect, comes back with its Last-Event-ID as a browser
    does. All that a client does wrong-footed by the server is a violation of its witness, never an exception.
    """

    def __init__(self) -> None:
        self.hang_ups = 0
        """How often the server closed a connection or refused one."""
        self._members: list[_Member] = []
        self._todo: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._is_settling = False
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._is_stopping = True
        self._thread.join()
        for member in self._members:
            member.close()
        self._selector.close()

    @property
    def witnesses(self) -> list[Witness]:
        """All of them, in the order they were added."""
        return [member.witness for member in self._members]

    def add(
        self,
        name: str,
        connect: Connect,
        script: Script | None = None,
        *,
        promise: Promise | None = None,
        on_state: Callable[[dict[str, Any]], None] | None = None,
    ) -> Witness:
        """Let a client come; it reads until `script` says otherwise. `on_state` gets every state it is sent."""
        member = _Member(Witness(name, promise, on_state=on_state), connect, script or iter(()))
        self._members.append(member)
        self._after(0.0, lambda: self._open(member, None))
        self._after(0.0, lambda: self._go_on(member))
        return member.witness

    def hang_up(self) -> None:
        """Break every connection; each client comes back with its Last-Event-ID."""
        for member in list(self._members):
            self._after(0.0, functools.partial(self._break, member))

    def settle(self, header_ids: Mapping[str, int], *, deadline_s: float = 20.0) -> None:
        """Let all come back and read until each knows `header_ids`. Fails the test for one that does not in time."""
        self._is_settling = True
        end = time.monotonic() + deadline_s
        while missing := [witness.name for witness in self.witnesses if not witness.is_at(header_ids)]:
            if time.monotonic() > end:
                pytest.fail(f"not at the newest state in {deadline_s:g} s: {missing}; violations: {self.violations()}")
            time.sleep(0.02)

    def violations(self) -> list[str]:
        """All broken promises."""
        return [violation for witness in self.witnesses for violation in witness.violations]

    def _run(self) -> None:
        while not self._is_stopping:
            for key, _events in self._selector.select(0.02):
                self._read(key.data)
            now = time.monotonic()
            while (todo := self._next_due(now)) is not None:
                todo()

    def _next_due(self, now: float) -> Callable[[], None] | None:
        with self._lock:
            return heapq.heappop(self._todo)[2] if self._todo and self._todo[0][0] <= now else None

    def _after(self, seconds: float, todo: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._todo, (time.monotonic() + seconds, next(self._numbers), todo))

    def _go_on(self, member: "_Member") -> None:
        """Begin the next step of the client's script, with the last one undone."""
        do, seconds = (Do.READ, 0.0) if self._is_settling else next(member.script, (Do.READ, 0.0))
        if member.last_step in (Do.LEAVE, Do.FORGET):
            self._open(member, member.witness.last_event_id if member.last_step is Do.LEAVE else None)
        elif member.last_step is Do.STALL:
            self._watch(member)
        member.last_step = do
        if do in (Do.LEAVE, Do.FORGET):
            self._close(member)
        elif do is Do.STALL:
            self._unwatch(member)
        if seconds:
            self._after(seconds, lambda: self._go_on(member))

    def _open(self, member: "_Member", last_event_id: str | None) -> None:
        try:
            member.client = member.connect(last_event_id)
        except OSError:
            self._come_back(member)
            return
        member.witness.connected(last_event_id)
        self._watch(member)

    def _come_back(self, member: "_Member") -> None:
        """Reconnect in a while, unless the client has left on its own by then."""
        self.hang_ups += 1

        def reopen() -> None:
            if member.client is None and member.last_step not in (Do.LEAVE, Do.FORGET):
                self._open(member, member.witness.last_event_id)

        self._after(RECONNECT_S, reopen)

    def _read(self, member: "_Member") -> None:
        client = member.client
        if client is None:
            return
        try:
            for event in client.receive():
                member.witness.saw(event)
            is_ended = client.is_ended
        except (BrokenStreamError, ProtocolError) as error:
            member.witness.blame(f"{type(error).__name__}: {error}")
            is_ended = True
        if is_ended:
            self._close(member)
            self._come_back(member)

    def _break(self, member: "_Member") -> None:
        if member.client is not None:
            self._close(member)
            self._come_back(member)

    def _close(self, member: "_Member") -> None:
        self._unwatch(member)
        member.close()

    def _watch(self, member: "_Member") -> None:
        if member.client is not None and not member.is_watched:
            self._selector.register(member.client, selectors.EVENT_READ, member)
            member.is_watched = True

    def _unwatch(self, member: "_Member") -> None:
        if member.client is not None and member.is_watched:
            self._selector.unregister(member.client)
            member.is_watched = False


class _Member:
    """A client of the crowd: its witness, its connection if it has one, and where it is in its script."""

    def __init__(self, witness: Witness, connect: Connect, script: Script) -> None:
        self.witness = witness
        self.connect = connect
        self.script = script
        self.client: StreamClient | None = None
        self.is_watched = False
        self.last_step = Do.READ

    def close(self) -> None:
        """Close the connection. May be called twice."""
        client, self.client = self.client, None
        if client is not None:
            client.close()
