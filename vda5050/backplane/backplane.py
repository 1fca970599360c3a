"""The greenlets that keep a `Node` going: one follows the stream, one appends, one keeps the lease.

Takes entries from `ingest` and `conformance` (a `Sequencer`), gives the worker's replica what all workers are given.
The steps that write to Redis take turns, on one connection; reading has another. While Redis is away streams stay
open and show what they have, what is taken in waits (see `writer`), and all three try again until it is back.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from vda5050.backplane.connection import client_maker
from vda5050.backplane.hand_over import Intake, Receiver
from vda5050.backplane.leaving import Leaving
from vda5050.backplane.node import Node
from vda5050.backplane.redis_store import RedisStore
from vda5050.backplane.roles import Bridge, Role, Surroundings
from vda5050.backplane.store import StoreError
from vda5050.entries import Entry
from vda5050.greenlets import start
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.redis_url import RedisUrl
from vda5050.replica import Replica

log = get_logger(__name__)

JOIN_S = 5.0
"""How long a worker waits for Redis before it serves without having loaded anything."""
BLOCK_MS = 1_000
RENEW_S, LOOK_S = 0.75, 0.4
"""How often the lease is renewed, and how often others look whether it is free."""
RETRY_S, FAULT_S = 0.2, 1.0
"""How long until what failed is tried again: because of Redis, or of a fault of ours."""
GRACE_S = 1.5
"""After an outage of Redis the worker that ingested before comes first: it has what came in meanwhile."""
PACE, LONGEST_GATHER_S = 8.0, 0.025
"""After an append entries are gathered for PACE times what it took."""
_POLL_S = 0.02


_Bridge = TypeVar("_Bridge", bound=Bridge)


class Backplane:
    """One worker's connection to the others."""

    def __init__(
        self,
        url: RedisUrl,
        replica: Replica,
        metrics: Metrics,
        *,
        new_epoch: Callable[[], str],
        on_ingest: Callable[[bool], None],
    ) -> None:
        self.url = url
        self._away: str | None = "not connected yet"
        self._faults: dict[str, str] = {}
        """What goes wrong here and not in Redis, by the greenlet that cannot go on."""
        self._replica = replica
        self._metrics = metrics
        self._around = Surroundings(time.monotonic, time.time, new_epoch, metrics.lost.inc, on_ingest)
        self._token = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._node: Node | None = None
        self._leaving: Leaving | None = None
        self._store = RedisStore(
            client_maker(url, name="writer"), client_maker(url, name="reader", longest_wait_s=BLOCK_MS / 1000 + 2)
        )
        self._turn = BoundedSemaphore()
        self._has_entries, self._look, self._has_joined = Event(), Event(), Event()
        self._follows_since = float("-inf")
        self._greenlets: list[gevent.Greenlet[..., None]] = []

    def attach(self, receiver: Receiver, make_bridge: Callable[[Intake], _Bridge]) -> _Bridge:
        """Put an `Intake` between the bridge and who takes messages in; returns the bridge."""
        intake = Intake(receiver)
        bridge = make_bridge(intake)
        self._node = Node(self._token, self._store, self._replica, intake=intake, source=bridge, around=self._around)
        self._leaving = Leaving(self._node, self._store, bridge, self._turn)
        return bridge

    @property
    def node(self) -> Node:
        """The worker's part; there after `attach`."""
        assert self._node is not None
        return self._node

    @property
    def is_connected(self) -> bool:
        """Whether Redis answered when it was asked last."""
        return self._away is None

    @property
    def problem(self) -> str | None:
        """Why this worker does not share in the stream, in words for a person; None while it does."""
        return self._away or next(iter(self._faults.values()), None)

    @property
    def is_ingesting(self) -> bool:
        """Whether this worker takes messages in for all."""
        return self.node.role is Role.INGESTS

    @property
    def is_broker_connected(self) -> bool:
        """Whether the worker that ingests is connected to the broker, as far as is known here."""
        return self.node.is_link_up if self.is_ingesting else self._replica.is_link_up

    def put(self, entry: Entry) -> int:
        """Take an entry of this worker's; returns the offset it is going to have."""
        offset = self.node.put(entry)
        self._has_entries.set()
        return offset

    def link_changed(self, *, is_up: bool) -> None:
        """Note that this worker's own link to the broker stands, or is lost."""
        self.node.link_changed(is_up=is_up)
        self._has_entries.set()
        self._look.set()

    def start(self) -> None:
        """Start the greenlets; returns when this worker has what the others have, or after JOIN_S."""
        for loop in (self._follow_for_ever, self._append_for_ever, self._keep_lease_for_ever):
            self._greenlets.append(start(loop, name=f"backplane{loop.__name__}"))
        if not self._has_joined.wait(JOIN_S):
            log.error("serves without having joined the others", redis=str(self.url), problem=self.problem)

    def begin_to_leave(self) -> None:
        """Begin to hand the lease over if it is held here; returns at once. Streams go on."""
        assert self._leaving is not None
        self._leaving.begin()

    def leave(self) -> None:
        """Finish what `begin_to_leave` began, and take the lease no more; this worker goes on following."""
        assert self._leaving is not None
        self._leaving.finish()
        self._metrics.ingesting.set(0)

    def stop(self) -> None:
        """End the greenlets. May be called twice."""
        gevent.killall(self._greenlets)
        self._greenlets.clear()

    def _follow_for_ever(self) -> None:
        follower = self.node.follower
        while True:
            with self._tried_again("follow", on_fault=follower.forget):
                follower.read(BLOCK_MS)
                if self._away is not None:
                    log.info("connected to Redis", redis=str(self.url))
                    self._follows_since = time.monotonic() if self._has_joined.is_set() else float("-inf")
                    self._away = None
                    self._metrics.backplane_connected.set(1)
                if follower.head is None:
                    gevent.sleep(_POLL_S)
                else:
                    self._has_joined.set()
                if self.node.wants_lease:
                    self._look.set()
            gevent.sleep(0)

    def _append_for_ever(self) -> None:
        while True:
            self._has_entries.wait()
            began = time.monotonic()
            with self._tried_again("append"):
                with self._turn:
                    self.node.append()
                if not self.node.writer:
                    self._has_entries.clear()
            self._metrics.backplane_waiting.set(len(self.node.writer))
            gevent.sleep(min(LONGEST_GATHER_S, PACE * (time.monotonic() - began)))

    def _keep_lease_for_ever(self) -> None:
        while True:
            self._look.clear()
            if self.is_ingesting or time.monotonic() > self._follows_since + GRACE_S:
                with self._tried_again("keep lease"), self._turn:
                    self.node.keep_lease()
            self._metrics.ingesting.set(self.is_ingesting)
            self._has_entries.set()
            self._look.wait(RENEW_S if self.is_ingesting and self.problem is None else LOOK_S)

    @contextmanager
    def _tried_again(self, part: str, *, on_fault: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Say once what fails, and wait a little before it is tried again."""
        try:
            yield
            self._faults.pop(part, None)
        except StoreError as error:
            if self._away is None or self._away == "not connected yet":
                log.warning("Redis is away", redis=str(self.url), problem=str(error))
            self._away = str(error)
            self._metrics.backplane_connected.set(0)
            gevent.sleep(RETRY_S)
        except Exception as error:
            if part not in self._faults:
                log.exception("the backplane failed, and tries again", part=part)
            self._faults[part] = f"internal error: {type(error).__name__}"
            on_fault()
            gevent.sleep(FAULT_S)
