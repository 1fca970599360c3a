"""Prometheus metrics of one gateway process.

One `Metrics` holds a registry of its own, so that two services in one process (tests) do not meet. Names and labels
are an outside contract: the README lists them and a test compares. Label values are fixed words, never a robot's name.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class RobotCounter(Protocol):
    """Something that knows how many robots there are by connection state."""

    def count_by_connection_state(self) -> dict[str, int]:
        """Count the robots; keys are the standard's words in upper case, or UNKNOWN."""


class Metrics:
    """The counters and gauges that the chain increments."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.messages: dict[str, int] = defaultdict(int)
        """Messages accepted, by VDA 5050 topic. A plain count: a Counter's lock is 5 % of what a message costs."""
        self.registry.register(_Counts("vda5050_messages", "Messages accepted, by VDA 5050 topic", self.messages))
        self.rejected = self._counter("rejected_messages", "Messages that could not be used", ["reason"])
        self.odd = self._counter("odd_messages", "Messages accepted although something is odd in them", ["reason"])
        self.findings = self._counter("findings", "Findings of the doctor, counted as they begin", ["rule", "severity"])
        self.broker_connected = self._gauge("broker_connected", "1 while the MQTT subscription stands")
        self.broker_connects = self._counter("broker_connects", "Times the broker was connected")
        self.streams = self._gauge("streams", "Open streams", ["wire"])
        self.streams_refused = self._counter("streams_refused", "Streams refused because the worker was full")
        self.streams_cut = self._counter("streams_cut", "Streams cut off because their client took nothing")
        self.events = self._counter("stream_events", "Updates handed to streams, summed over all streams", ["wire"])
        self.stream_bytes = self._counter("stream_bytes", "Bytes handed to streams before HTTP framing", ["wire"])
        self.resets = self._counter("stream_resets", "Streams told to start again from a snapshot", ["reason"])
        self.filters = self._gauge("stream_filters", "Distinct filters that streams are open with")
        self.replay_bytes = self._gauge("replay_bytes", "Bytes of past updates held for resuming streams")
        self.batch_interval = self._gauge("batch_interval_seconds", "How long updates are gathered at the moment")
        self.bus_published = self._counter("event_bus_published", "Updates that the event bus has confirmed")
        self.bus_dropped = self._counter("event_bus_dropped", "Updates that the event bus did not get", ["reason"])
        self.bus_buffer = self._gauge("event_bus_buffer_bytes", "Bytes of updates that wait for the event bus")
        self.flush = Histogram(
            "vda5050_flush_seconds",
            "Time from the start of a flush until every stream it woke has been served",
            registry=self.registry,
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
        )

    def watch_robots(self, robots: RobotCounter) -> None:
        """Export `vda5050_robots` from what `robots` counts at the moment of each scrape."""
        self.registry.register(_RobotCollector(robots))

    def render(self) -> bytes:
        """Write the Prometheus text format, version 0.0.4."""
        return generate_latest(self.registry)

    def _counter(self, name: str, why: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(f"vda5050_{name}", why, labels, registry=self.registry)

    def _gauge(self, name: str, why: str, labels: Iterable[str] = ()) -> Gauge:
        return Gauge(f"vda5050_{name}", why, labels, registry=self.registry)


class _Counts:
    """Exports counts that somebody else keeps; their keys become the label `topic`."""

    def __init__(self, name: str, why: str, counts: Mapping[str, int]) -> None:
        self._name = name
        self._why = why
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._why, labels=["topic"])
        for topic, count in self._counts.items():
            family.add_metric([topic], count)
        yield family


class _RobotCollector:
    def __init__(self, robots: RobotCounter) -> None:
        self._robots = robots

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("vda5050_robots", "Robots known, by connection state", labels=["connection_state"])
        for state, count in self._robots.count_by_connection_state().items():
            family.add_metric([state], count)
        yield family
