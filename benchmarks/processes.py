"""The load generator's processes: one that publishes, one that receives.

Neither waits for the other's interpreter, nor for that of the process which measures.
"""

import multiprocessing
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Self

from clients import Measured, Received, StreamPlan
from crowd import receive_streams
from fleet import FleetPlan, publish_fleet

CONNECT_S = 120.0
END_S = 60.0


class LoadError(Exception):
    """The load generator itself failed: no figure of that run means anything."""


@contextmanager
def publishing(plan: FleetPlan) -> Iterator[Callable[[], int]]:
    """Publish while the block runs; yields a function that tells how many messages were sent."""
    start, stop, count = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.Value("q", 0)
    arguments = {"start": start, "stop": stop, "count": count}
    process = multiprocessing.Process(target=publish_fleet, args=(plan,), kwargs=arguments)
    process.start()
    start.set()
    try:
        yield lambda: int(count.value)
    finally:
        stop.set()
        process.join(5)
        if process.is_alive():  # it waits for a broker that takes nothing
            process.terminate()
            process.join()


class Receivers:
    """The clients of one plan in a process of their own; the block begins when all are connected."""

    def __init__(self, plan: StreamPlan) -> None:
        self._are_connected, self._stop = multiprocessing.Event(), multiprocessing.Event()
        self._measured = Measured()
        self._results: Queue[Received] = multiprocessing.Queue()
        arguments = (plan, self._measured, self._results, self._are_connected, self._stop)
        self._process = multiprocessing.Process(target=_receive_into, args=arguments)

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process.pid is not None
        return self._process.pid

    def __enter__(self) -> Self:
        """Start, and wait until all are connected. Raises LoadError."""
        self._process.start()
        deadline = time.monotonic() + CONNECT_S
        while not self._are_connected.wait(0.2):
            if not self._process.is_alive() or time.monotonic() > deadline:
                self._process.terminate()
                raise LoadError(f"the clients could not all connect within {CONNECT_S:g} s")
        return self

    def __exit__(self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        """End the process, whatever happened."""
        self._process.terminate()
        self._process.join()

    def measure(self) -> None:
        """Count from now on."""
        self._measured.begin()

    def pause(self) -> None:
        """Count no more."""
        self._measured.end()

    def finish(self) -> Received:
        """Disconnect, and return what was received. Raises LoadError."""
        self._stop.set()
        deadline = time.monotonic() + END_S
        while time.monotonic() < deadline:
            try:
                return self._results.get(timeout=0.2)
            except queue.Empty:
                if not self._process.is_alive():
                    break
        raise LoadError("the clients ended without a result")


def _receive_into(
    plan: StreamPlan, measured: Measured, results: "Queue[Received]", are_connected: Event, stop: Event
) -> None:
    results.put(receive_streams(plan, measured, are_connected=are_connected, stop=stop))
