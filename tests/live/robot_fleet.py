"""Robots that publish numbered states at a fixed rate: the known input that what clients see is compared with.

One thread, one MQTT connection, QoS 0, so that a robot's messages reach the broker in the order of their headerIds.
Each state carries `sentAt` (monotonic seconds: the same clock in all processes of a machine) and incompressible filler.
"""

import json
import random
import threading
import time
from types import TracebackType
from typing import Self

from tests.live.mqtt_packets import Publisher, publish

TICK_S = 0.01
MANUFACTURER = "ACME"


class RobotFleet:
    """`robots` robots with `rate_hz` states a second each, from `with` until `stop`; a lost broker is tried again.

    What is published while there is no broker is lost; its headerIds are used up all the same.
    """

    def __init__(self, broker_port: int, *, robots: int = 100, rate_hz: float = 10.0, filler_bytes: int = 500) -> None:
        self.last_header_ids = dict.fromkeys((f"{MANUFACTURER}/AGV_{n:03}" for n in range(robots)), 0)
        """By robot key, the headerId of the last state handed to the broker; 0 before the first."""
        self._robots = list(self.last_header_ids)
        self._port = broker_port
        self._messages_per_s = robots * rate_hz
        self._filler = random.Random(5050).randbytes(100_000).hex()
        self._filler_bytes = filler_bytes
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="robot fleet", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.stop()

    @property
    def sent(self) -> int:
        """States handed to the broker so far, over all robots."""
        return sum(self.last_header_ids.values())

    def stop(self) -> None:
        """Publish no more; what was published has been handed to the broker. May be called twice."""
        self._is_stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_stopping.wait(TICK_S):
            try:
                with Publisher(self._port) as connection:
                    self._publish_for_ever(connection)
            except (OSError, EOFError):
                continue  # the broker is away: that is what some tests are about

    def _publish_for_ever(self, connection: Publisher) -> None:
        begin, sent = time.monotonic(), 0
        while not self._is_stopping.wait(TICK_S):
            due = int((time.monotonic() - begin) * self._messages_per_s)
            connection.send(b"".join(self._next_packet(number) for number in range(sent, due)))
            sent = due

    def _next_packet(self, number: int) -> bytes:
        robot = self._robots[number % len(self._robots)]
        header_id = self.last_header_ids[robot] = self.last_header_ids[robot] + 1
        start = number * 977 % (len(self._filler) - self._filler_bytes)
        state = {
            "headerId": header_id,
            "sentAt": time.monotonic(),
            "driving": True,
            "errors": [],
            "filler": self._filler[start : start + self._filler_bytes],
        }
        return publish(f"uagv/v2/{robot}/state", json.dumps(state).encode())
