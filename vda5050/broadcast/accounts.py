"""What streams are and take, for the metrics and the log.

A stream's end is a line in the log, bounded: thousands may end together, and a line costs more than ending one does.
The next line that is written tells how many were left out.
"""

from collections.abc import Callable

from vda5050.broadcast.subscription import Subscription
from vda5050.frames import Wire
from vda5050.logs import Budget, get_logger
from vda5050.metrics import Metrics

log = get_logger(__name__)

LOGGED_ENDS_PER_S = 20


class Accounts:
    """The streams of one broadcaster. `is_logged`: their ends are told in the log."""

    def __init__(self, metrics: Metrics, *, is_logged: bool, clock: Callable[[], float]) -> None:
        self._wires = {wire: _WireMetrics(metrics, wire) for wire in Wire}
        self._is_logged = is_logged
        self._clock = clock
        self._budget = Budget(LOGGED_ENDS_PER_S, clock)

    def opened(self, wire: Wire) -> None:
        """Count a stream in."""
        self._wires[wire].streams.inc()

    def flushed(self, wire: Wire, *, clients: int, frames: int, size: int) -> None:
        """Count what a flush handed to the clients of one wire: so many frames, so many bytes each."""
        counters = self._wires[wire]
        counters.events.inc(clients * frames)
        counters.bytes.inc(clients * size)

    def ended(self, subscription: Subscription) -> None:
        """Count a stream out and tell how it was."""
        self._wires[subscription.wire].streams.dec()
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
