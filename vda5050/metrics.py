"""Prometheus metrics of one gateway process.

One `Metrics` holds a registry of its own, so that two services in one process (tests) do not meet. Names and labels
are an outside contract: docs/metrics.md lists them, the dashboard and the alerts in deploy/ use them, tests compare.
Label values are fixed words, never a robot's name or what a client wrote.

What is counted for every message is a plain number that a scrape reads; what can be found out at a scrape is found out
there. The rest are prometheus-client's own counters: an `inc` costs 0.2 microseconds, once a batch, request or fault.
"""

import platform
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from vda5050.version import VERSION

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

WRITE_BUCKETS_S = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
FLUSH_BUCKETS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)
LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LATE_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class RobotCounter(Protocol):
    """Something that knows how many robots there are by connection state."""

    def count_by_connection_state(self) -> dict[str, int]:
        """Count the robots; keys are the standard's words in upper case, or UNKNOWN."""


class Metrics:
    """The counters and gauges that the chain increments."""

    def __init__(self) -> None:
        # They are a third of all series, and process_start_time_seconds says as much.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.labels: dict[str, frozenset[str]] = {}
        """The labels of every metric of ours, by its name as a scrape shows it."""
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        build = self._gauge("build_info", "Which version runs, on which Python; always 1", ["version", "python"])
        build.labels(VERSION, platform.python_version()).set(1)
        self.workers = self._gauge("workers", "Workers that this instance runs, VDA5050_WORKERS")
        self._add_ingest()
        self._add_streams()
        self._add_backplane()
        self._add_event_bus()
        self._add_history()
        self._add_process()

    def _add_ingest(self) -> None:
        self.messages: dict[str, int] = defaultdict(int)
        """Messages accepted, by VDA 5050 topic. A plain count: a Counter's lock is 5 % of what a message costs."""
        self._read_counts("messages", "Messages accepted, by VDA 5050 topic", "topic", self.messages)
        self.rejected = self._counter("rejected_messages", "Messages that could not be used", ["reason"])
        self.rejected.labels("internal")  # shown as 0: to Prometheus an increase from nothing is none
        self.odd = self._counter("odd_messages", "Messages accepted although something is odd in them", ["reason"])
        self.findings = self._counter("findings", "Findings of the doctor, counted as they begin", ["rule", "severity"])
        self.robots_limit = self._gauge("robots_limit", "Robots that are held at most")
        self.kept_bytes = self._gauge("kept_bytes", "Bytes of the last messages of all robots")
        self.broker_connected = self._gauge("broker_connected", "1 while the MQTT subscription stands")
        self.broker_connects = self._counter("broker_connects", "Times the broker was connected")

    def _add_streams(self) -> None:
        self.streams = self._gauge("streams", "Open streams", ["wire"])
        self.streams_limit = self._gauge("streams_limit", "Streams that a worker takes at most")
        self.streams_refused = self._counter("streams_refused", "Streams refused for there are too many", ["reason"])
        for reason in ("worker", "client"):
            self.streams_refused.labels(reason)
        self.requests_refused = self._counter("requests_refused", "Requests refused before they were read", ["reason"])
        self.streams_cut = self._counter("streams_cut", "Streams cut off because their client took nothing")
        self.stream_ends = self._counter("stream_ends", "Streams that ended, by why", ["reason"])
        self.events = self._counter("stream_events", "Updates handed to streams, summed over all streams", ["wire"])
        self.stream_bytes = self._counter("stream_bytes", "Bytes handed to streams before HTTP framing", ["wire"])
        self.waiting_bytes = self._gauge("stream_waiting_bytes", "Bytes that wait in the queues of all streams")
        self.waiting_bytes_max = self._gauge("stream_waiting_bytes_max", "Bytes that wait in the longest queue")
        self.resets = self._counter("stream_resets", "Streams told to start again from a snapshot", ["reason"])
        for reason in ("resume", "lagging", "filter", "epoch"):
            self.resets.labels(reason)
        self.filters = self._gauge("stream_filters", "Distinct filters that streams are open with")
        self.replay_bytes = self._gauge("replay_bytes", "Bytes of past updates held for resuming streams")
        self.batch_interval = self._gauge("batch_interval_seconds", "How long updates are gathered at the moment")
        self.flush = self._histogram(
            "flush_seconds",
            "Time from the start of a flush until every stream it woke has been served",
            FLUSH_BUCKETS_S,
        )
        self.lag = self._histogram(
            "stream_lag_seconds",
            "Age of a flush's oldest update, since it was received, when every stream that the flush woke was served",
            LAG_BUCKETS_S,
        )

    def _add_backplane(self) -> None:
        self.ingesting = self._gauge("ingesting", "1 while this worker takes messages in, for all that share a Redis")
        self.backplane_connected = self._gauge("backplane_connected", "1 while Redis can be used")
        self.backplane_waiting = self._gauge("backplane_waiting", "Updates and findings that wait to be put into Redis")
        self.lost = self._counter("lost_messages", "Messages that were accepted and could not be shown to anybody")

    def _add_event_bus(self) -> None:
        self.bus_published = self._counter("event_bus_published", "Updates that the event bus has confirmed")
        self.bus_dropped = self._counter("event_bus_dropped", "Updates that the event bus did not get", ["reason"])
        for reason in ("buffer", "refused", "shutdown"):
            self.bus_dropped.labels(reason)
        self.bus_buffer = self._gauge("event_bus_buffer_bytes", "Bytes of updates that wait for the event bus")

    def _add_history(self) -> None:
        self.history_stored = self._counter("history_stored", "Messages stored in the history")
        self.history_lost = self._counter("history_lost", "Messages that the history did not get", ["reason"])
        for reason in ("buffer", "process", "refused", "shutdown", "skipped"):
            self.history_lost.labels(reason)
        self.history_buffer = self._gauge("history_buffer_bytes", "Bytes of messages that wait to be stored")
        self.history_database = self._gauge("history_database_bytes", "Bytes that the history takes on disk")
        self.history_write = self._histogram(
            "history_write_seconds", "Time a batch of messages took to be stored, without its rests", WRITE_BUCKETS_S
        )

    def _add_process(self) -> None:
        self.requests = self._counter(
            "requests", "Requests answered; streams as they open", ["method", "route", "status"]
        )
        self.requests_failed = self._counter("requests_failed", "Requests that met a fault of the gateway's own (500)")
        self.request_seconds = self._histogram(
            "request_seconds", "Time until a request was answered, streams apart", REQUEST_BUCKETS_S, ["route"]
        )
        self.greenlets = self._gauge("greenlets", "Greenlets that run: one for each connection, and a few of our own")
        self.loop_late = self._histogram(
            "loop_late_seconds", "How late a timer of the event loop ran, sampled 20 times a second", LATE_BUCKETS_S
        )

    def watch_robots(self, robots: RobotCounter) -> None:
        """Export `vda5050_robots` from what `robots` counts at the moment of each scrape."""
        self._read_at_scrape(
            "robots", "Robots known, by connection state", "connection_state", robots.count_by_connection_state
        )

    def watch_log(self, lost_lines: Callable[[], int]) -> None:
        """Export `vda5050_log_lines_lost_total` from what `lost_lines` says at each scrape."""
        self._note("log_lines_lost_total", ())
        family = CounterMetricFamily("vda5050_log_lines_lost", "Lines of the log that could not be written", labels=())
        self.registry.register(_AtScrape(family, lambda: {"": lost_lines()}))  # it has no label

    def watch_dependencies(self, read: Callable[[], Mapping[str, float]]) -> None:
        """Export `vda5050_dependency_ready` from what `read` says at each scrape: 1 for each that is ready, else 0."""
        self._read_at_scrape("dependency_ready", "1 where a dependency is ready, as in /ready", "dependency", read)

    def render(self) -> bytes:
        """Write the Prometheus text format, version 0.0.4."""
        return generate_latest(self.registry)

    def _counter(self, name: str, why: str, labels: Iterable[str] = ()) -> Counter:
        self._note(f"{name}_total", labels)
        return Counter(f"vda5050_{name}", why, labels, registry=self.registry)

    def _gauge(self, name: str, why: str, labels: Iterable[str] = ()) -> Gauge:
        self._note(name, labels)
        return Gauge(f"vda5050_{name}", why, labels, registry=self.registry)

    def _histogram(self, name: str, why: str, buckets: Iterable[float], labels: Iterable[str] = ()) -> Histogram:
        self._note(name, labels)
        return Histogram(f"vda5050_{name}", why, labels, registry=self.registry, buckets=tuple(buckets))

    def _read_counts(self, name: str, why: str, label: str, counts: Mapping[str, float]) -> None:
        self._note(f"{name}_total", [label])
        family = CounterMetricFamily(f"vda5050_{name}", why, labels=[label])
        self.registry.register(_AtScrape(family, lambda: counts))

    def _read_at_scrape(self, name: str, why: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
        self._note(name, [label])
        self.registry.register(_AtScrape(GaugeMetricFamily(f"vda5050_{name}", why, labels=[label]), read))

    def _note(self, name: str, labels: Iterable[str]) -> None:
        self.labels[f"vda5050_{name}"] = frozenset(labels)


class _AtScrape:
    """Exports numbers that somebody else keeps, as they are at each scrape, by the value of the family's one label."""

    def __init__(
        self, family: CounterMetricFamily | GaugeMetricFamily, read: Callable[[], Mapping[str, float]]
    ) -> None:
        self._family = family
        self._read = read

    def collect(self) -> Iterable[Metric]:
        family = self._family
        family.samples.clear()
        for value, number in self._read().items():
            family.add_metric([value], number)
        yield family
