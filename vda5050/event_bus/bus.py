"""The buffer in front of the bus, and the greenlet that empties it.

`put` is called by `replica` and only appends; the greenlet takes batches, sends them and waits for the bus to confirm.
What was not confirmed is sent first after the connection came back. Beyond `max_buffer_bytes` the oldest is given up.
"""

import random
from collections import deque
from collections.abc import Callable

import gevent
from gevent.event import Event as Signal

from vda5050.bus_url import BusUrl
from vda5050.event_bus.events import BusError, Event, Publisher
from vda5050.event_bus.kafka import KafkaPublisher
from vda5050.event_bus.rabbitmq import RabbitPublisher
from vda5050.greenlets import start
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.sinks import Record

log = get_logger(__name__)

BATCH = 500
IDLE_S = 2.0
"""How long an idle connection is left alone between two looks at it."""
BACK_OFF_S = (0.25, 10.0)
RECORD_BYTES = 300
"""What an update takes in memory beside its payload; counted, so that many small ones are bounded too."""
LAST_WORDS_S = 2.0
"""How long `stop` waits for the bus to take what is still held."""


def open_publisher(url: BusUrl) -> Publisher:
    """Connect to the bus that a URL names. Raises BusError."""
    return KafkaPublisher(url) if url.scheme == "kafka" else RabbitPublisher(url)


class EventBus:
    """A sink that hands every update to a bus. `problem` says why it does not, or is None."""

    def __init__(
        self,
        url: BusUrl,
        metrics: Metrics,
        *,
        max_buffer_bytes: int,
        connect: Callable[[BusUrl], Publisher] = open_publisher,
    ) -> None:
        self.url = url
        self.problem: str | None = "not connected yet"
        self._metrics = metrics
        self._max_buffer_bytes = max_buffer_bytes
        self._connect = connect
        self._waiting: deque[Record] = deque()
        self._waiting_bytes = 0
        self._in_flight: list[Event] = []
        self._work = Signal()
        self._is_stopping = False
        self._failures = 0
        self._greenlet: gevent.Greenlet[..., None] | None = None
        metrics.bus_buffer.set_function(lambda: self._waiting_bytes)

    def put(self, record: Record) -> None:
        """Take an update; gives up the oldest where the buffer is full."""
        self._waiting.append(record)
        self._waiting_bytes += len(record.payload) + RECORD_BYTES
        if self._waiting_bytes > self._max_buffer_bytes:
            self._give_up_oldest()
        if not self._work.is_set():
            self._work.set()

    def skip(self, count: int) -> None:
        """Do nothing: the worker that takes messages in misses none, and gives its bus what it took in."""

    def start(self) -> None:
        """Start the greenlet; returns at once."""
        self._greenlet = start(self._run, name="event_bus")

    def stop(self) -> None:
        """Give the bus LAST_WORDS_S to take what is held, count the rest as given up. May be called twice."""
        self._is_stopping = True
        self._work.set()
        if self._greenlet is not None:
            self._greenlet.join(LAST_WORDS_S)
            self._greenlet.kill()
            self._greenlet = None
            self._count_dropped("shutdown", len(self._waiting) + len(self._in_flight))
            self._waiting.clear()
            self._in_flight.clear()
            self._waiting_bytes = 0

    def _run(self) -> None:
        first_s, longest_s = BACK_OFF_S
        while not self._is_done():
            try:
                self._serve_once()
            except BusError as error:
                self._in_flight = error.unconfirmed or self._in_flight
                self._lose(error.problem)
            except Exception as error:
                log.exception("the event bus failed and starts again")
                self._lose(f"internal error: {type(error).__name__}")
            if not self._is_done():
                wait_s = min(longest_s, first_s * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)
                self._failures += 1
                gevent.sleep(wait_s)

    def _is_done(self) -> bool:
        return self._is_stopping and not (self._waiting or self._in_flight)

    def _serve_once(self) -> None:
        """Connect, and publish until the connection is lost. Raises BusError."""
        publisher = self._connect(self.url)
        try:
            log.info("connected to the event bus", bus=self.url)
            self.problem = None
            while not self._is_done():
                if self._in_flight or self._waiting:
                    self._publish_batch(publisher)
                else:
                    self._work.clear()
                    if not self._work.wait(IDLE_S):
                        publisher.keep_alive()
        finally:
            publisher.close()

    def _publish_batch(self, publisher: Publisher) -> None:
        if not self._in_flight:
            self._in_flight = [Event.of(self._take()) for _ in range(min(BATCH, len(self._waiting)))]
        try:
            refused = publisher.publish(self._in_flight)
        except BusError as error:
            self._metrics.bus_published.inc(len(self._in_flight) - len(error.unconfirmed))
            self._in_flight = error.unconfirmed
            raise
        self._metrics.bus_published.inc(len(self._in_flight) - refused)
        self._count_dropped("refused", refused)
        self._in_flight = []
        self._failures = 0

    def _take(self) -> Record:
        record = self._waiting.popleft()
        self._waiting_bytes -= len(record.payload) + RECORD_BYTES
        return record

    def _give_up_oldest(self) -> None:
        count = 0
        while self._waiting_bytes > self._max_buffer_bytes:
            self._take()
            count += 1
        self._count_dropped("buffer", count)

    def _count_dropped(self, reason: str, count: int) -> None:
        if count:
            self._metrics.bus_dropped.labels(reason).inc(count)

    def _lose(self, problem: str) -> None:
        if self.problem != problem:
            log.warning("the event bus is away", bus=self.url, problem=problem)
        self.problem = problem
