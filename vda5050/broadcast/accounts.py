"""What streams are and take, for the metrics and the log.

A stream's end is a line in the log, bounded: thousands may end together, and a line costs more than ending one does.
The next line that is written tells how many were left out.
"""

from collections.abc import Callable, Iterable

from vda5050.broadcast.group import Group
from vda5050.broadcast.subscription import Subscription
from vda5050.frames import Wire
from vda5050.logs import Budget, get_logger
from vda5050.metrics import Metrics

log = get_logger(__name__)

LOGGED_ENDS_PER_S = 20


class Accounts:
    """The streams of one broadcaster. `is_logged`: their ends are told in the log."""

    def __init__(
        self, metrics: Metrics, *, is_logged: bool, clock: Callable[[], float], wall_clock: Callable[[], float]
    ) -> None:
        self._metrics = metrics
        self._wires = {wire: _WireMetrics(metrics, wire) for wire in Wire}
        self._is_logged = is_logged
        self._clock = clock
        self._wall_clock = wall_clock
        self._budget = Budget(LOGGED_ENDS_PER_S, clock)

    def opened(self, wire: Wire) -> None:
        """Count a stream in."""
        self._wires[wire].streams.inc()

    def flushed(self, wire: Wire, *, clients: int, frames: int, size: int) -> None:
        """Count what a flush handed to the clients of one wire: so many frames, so many bytes each."""
        counters = self._wires[wire]
        counters.events.inc(clients * frames)
        counters.bytes.inc(clients * size)

    @staticmethod
    def oldest_of(groups: Iterable[Group]) -> float | None:
        """Give when the oldest update came that these groups hold.

        Groups with an interval wait because their clients want it, so they are left out.
        """
        times = (group.oldest_received_at for group in groups if not group.filter.interval_s)
        return min((at for at in times if at is not None), default=None)

    def served(self, oldest_received_at: float | None) -> None:
        """Note how old a flush's oldest update is, now that its streams were served."""
        if oldest_received_at is not None:
            self._metrics.lag.observe(max(0.0, self._wall_clock() - oldest_received_at))

    def ended(self, subscription: Subscription) -> None:
        """Count a stream out and tell how it was."""
        self._wires[subscription.wire].streams.dec()
        self._metrics.stream_ends.labels(subscription.end_reason).inc()
        if not self._is_logged or (left_out := self._budget.take()) is None:
            return
        log.info(
            "stream ended",
            reason=subscription.end_reason,
            wire=subscription.wire.value,
            duration_s=round(self._clock() - subscription.opened_at, 1),
            events=subscription.taken_events,
            bytes=subscription.taken_bytes,
            **({"left_out": left_out} if left_out else {}),
        )


class _WireMetrics:
    """The counters of one wire, looked up once."""

    def __init__(self, metrics: Metrics, wire: Wire) -> None:
        self.streams = metrics.streams.labels(wire.value)
        self.events = metrics.events.labels(wire.value)
        self.bytes = metrics.stream_bytes.labels(wire.value)
