"""What is known of every request when it has been answered: one line in the log.

By route and not by path, and without query, headers or address, which may hold what has no place in a log; the proxy's
log has them, and the request id joins both. A stream is told at debug when it opens; its end is told by the
`broadcaster`. What is asked every few seconds (health, metrics) and the page's files are told at debug.
"""

import time

from flask import Flask, Response, g, request

from vda5050.logs import get_logger
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
        if is_logged:
            _log(response)
        return response


def _log(response: Response) -> None:
    is_stream = _is_stream(response)
    is_quiet = is_stream or request.blueprint in _QUIET_BLUEPRINTS or request.endpoint in _QUIET_ENDPOINTS
    say = log.debug if is_quiet else log.info
    say(
        "stream opened" if is_stream else "request",
        method=request.method if request.method in _METHODS else "other",
        route=request.url_rule.rule if request.url_rule is not None else NO_ROUTE,
        status=response.status_code,
        duration_ms=round(1000 * (time.perf_counter() - g.began_at), 1),
        bytes=response.content_length,
    )


def _is_stream(response: Response) -> bool:
    is_websocket = request.url_rule is not None and request.url_rule.websocket
    return response.status_code == 200 and (is_websocket or response.mimetype == "text/event-stream")
