"""How a worker that ends hands the lease over, where it has it and somebody takes it: the leaving side of `hand_over`.

Takes steps of `node` in turns with the other greenlets, each step after what it waits for. Streams go on meanwhile.
"""

import time

import gevent
from gevent.lock import BoundedSemaphore

from vda5050.backplane.node import Node
from vda5050.backplane.roles import Bridge, Role
from vda5050.backplane.store import READY, Store, StoreError
from vda5050.greenlets import start
from vda5050.logs import get_logger

log = get_logger(__name__)

CLAIM_S, READY_S, LINGER_S, FENCE_S = 2.0, 4.0, 0.25, 5.0
"""How long to wait for somebody to claim the lease, for its subscription, after it, and for the broker."""
_POLL_S = 0.02


class Leaving:
    """The end of one worker's part. `turn`: whose steps it is to write to the store."""

    def __init__(self, node: Node, store: Store, bridge: Bridge, turn: BoundedSemaphore) -> None:
        self._node = node
        self._store = store
        self._bridge = bridge
        self._turn = turn
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def begin(self) -> None:
        """Begin to hand the lease over if it is held here; returns at once. May be called twice."""
        if self._greenlet is None:
            self._greenlet = start(self._find_and_hand_over, name="backplane_leaving")

    def finish(self) -> None:
        """Finish what `begin` began, and take the lease no more; this worker goes on following."""
        self.begin()
        assert self._greenlet is not None
        self._greenlet.join(CLAIM_S + READY_S + FENCE_S)
        try:
            with self._turn:
                self._node.leave()
        except StoreError as error:
            log.warning("the lease runs out by itself", problem=str(error))

    def _find_and_hand_over(self) -> None:
        try:
            if self._is_ingesting and (successor := self._find_successor()) and self._hand_over(successor):
                log.info("handed the lease over", to=successor)
        except StoreError as error:
            log.warning("the lease could not be handed over", problem=str(error))

    @property
    def _is_ingesting(self) -> bool:
        return self._node.role is Role.INGESTS

    def _find_successor(self) -> str | None:
        if not self._node.others:
            return None
        with self._turn:
            self._node.announce_leaving()
        if not self._wait_for_successor("", CLAIM_S):
            log.info("nobody takes the lease over")
            return None
        if not self._wait_for_successor(READY, READY_S):
            log.warning("the successor is not ready in time")
            return None
        successor = self._store.successor()
        return successor.removeprefix(READY) if successor else None

    def _wait_for_successor(self, prefix: str, timeout_s: float) -> bool:
        give_up_at = time.monotonic() + timeout_s
        while time.monotonic() < give_up_at and self._is_ingesting:
            with self._turn:
                found = self._store.successor()
            if found is not None and found.startswith(prefix):
                return True
            gevent.sleep(_POLL_S)
        return False

    def _hand_over(self, successor: str) -> bool:
        gevent.sleep(LINGER_S)
        if not self._bridge.fence(FENCE_S):
            log.warning("the broker did not answer in time, so the next epoch begins with the successor")
            return False
        with self._turn:
            return self._node.hand_over(successor)
