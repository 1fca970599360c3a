"""What is known of every request when it has been answered: counted, timed, and one line in the log.

By route and not by path, and without query, headers or address, which may hold what has no place in a log; the proxy's
log has them, and the request id joins both. A stream is told at debug when it opens; its end is told by the
`broadcaster`. What is asked every few seconds (health, metrics) and the page's files are told at debug.
"""

import time
from typing import NamedTuple, Self

from flask import Flask, Response, g, request

from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.service import Service

log = get_logger(__name__)

NO_ROUTE = "(none)"
_QUIET_BLUEPRINTS = frozenset({"health"})
_QUIET_ENDPOINTS = frozenset({"static"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register(app: Flask, service: Service) -> None:
    """Watch every request of the app; to be registered before anything that may answer one."""
    is_logged = service.settings.access_log == "on"

    @app.before_request
    def begin() -> None:
        g.began_at = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        answered = _Answered.of(response)
        answered.enter(service.metrics)
        if is_logged:
            answered.log()
        return response


class _Answered(NamedTuple):
    """A request and its answer, in words of which there are few. `status` is that of the wire."""

    method: str
    route: str
    status: int
    seconds: float
    size: int | None
    is_stream: bool

    @classmethod
    def of(cls, response: Response) -> Self:
        """Read both."""
        rule = request.url_rule
        is_upgraded = rule is not None and rule.websocket and response.status_code == 200
        return cls(
            method=request.method if request.method in _METHODS else "other",
            route=rule.rule if rule is not None else NO_ROUTE,
            status=101 if is_upgraded else response.status_code,
            seconds=time.perf_counter() - g.began_at,
            size=response.content_length,
            is_stream=is_upgraded or (response.status_code == 200 and response.mimetype == "text/event-stream"),
        )

    def enter(self, metrics: Metrics) -> None:
        """Count and time it."""
        metrics.requests.labels(self.method, self.route, str(self.status)).inc()
        if self.status == 500:
            metrics.requests_failed.inc()
        if not self.is_stream:
            metrics.request_seconds.labels(self.route).observe(self.seconds)

    def log(self) -> None:
        """Write its line."""
        is_quiet = self.is_stream or request.blueprint in _QUIET_BLUEPRINTS or request.endpoint in _QUIET_ENDPOINTS
        (log.debug if is_quiet else log.info)(
            "stream opened" if self.is_stream else "request",
            method=self.method,
            route=self.route,
            status=self.status,
            duration_ms=round(1000 * self.seconds, 1),
            bytes=self.size,
            key=getattr(g.get("principal"), "name", None),
        )
