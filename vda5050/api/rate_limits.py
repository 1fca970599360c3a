"""How much one client may ask: requests a minute, failed logins; beyond that 429 with Retry-After.

A client is who `clients` says; `counters` keeps the counts. What tells whether the gateway lives (`/health`, `/ready`,
`/metrics`) and the files of its pages are free: whoever watches must not be locked out by whoever asks.

Streams are limited by how many are open, not by how often they are opened (see `broadcast.places`): a thousand browsers
behind one address that come back in two seconds are no attack.

`limits` is the library that Flask-Limiter counts with. It is used without that extension, whose hooks cost a request
more than the gateway's own work (docs/adr/0008-limits.md).
"""

import time
from typing import cast

from flask import Flask, Response, current_app, request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

from vda5050.api.clients import address_key, client_key
from vda5050.api.counters import Counters
from vda5050.api.problems import problem
from vda5050.errors import TooManyFailedLogins, TooManyRequests
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.redis_url import Topology
from vda5050.settings import Settings

log = get_logger(__name__)

FREE_ENDPOINTS = frozenset({"health.health", "health.ready", "health.prometheus", "static"})
LOGIN_MINUTES = 5
"""The window in which failed logins are counted: long enough to make guessing pointless, short enough to wait for."""
_FAILED_LOGINS = "vda5050_failed_logins"


def register(app: Flask, settings: Settings, metrics: Metrics) -> None:
    """Count every request, and refuse those of a client that asks too much."""
    counted = FixedWindowRateLimiter(Counters(redis_url=_redis_url(settings)))
    app.extensions[_FAILED_LOGINS] = FailedLogins(counted, settings.max_failed_logins)
    if settings.max_requests_per_minute:
        requests = RateLimitItemPerMinute(settings.max_requests_per_minute, namespace="vda5050")

        @app.before_request
        def count() -> None:
            if request.endpoint not in FREE_ENDPOINTS and not _hit(counted, requests, client_key()):
                raise TooManyRequests(requests.amount, _seconds_left(counted, requests, client_key()))

    @app.errorhandler(TooManyRequests)
    def too_many_requests(error: TooManyRequests) -> Response:
        metrics.requests_refused.labels("requests").inc()
        return _wait("too_many_requests", error)

    @app.errorhandler(TooManyFailedLogins)
    def too_many_failed_logins(error: TooManyFailedLogins) -> Response:
        metrics.requests_refused.labels("logins").inc()
        return _wait("too_many_failed_logins", error)


def _redis_url(settings: Settings) -> str | None:
    """Give the server to count in: the one for it, else the one that all share, where that is a server by itself."""
    if settings.limits_redis_url:
        return settings.limits_redis_url
    shared = settings.redis
    return settings.redis_url if shared is not None and shared.topology is Topology.SERVER else None


def failed_logins() -> "FailedLogins":
    """Give what counts the failed logins of the current app."""
    return cast("FailedLogins", current_app.extensions[_FAILED_LOGINS])


class FailedLogins:
    """Failed logins by address. To be asked before a key is looked at, and told where it was none."""

    def __init__(self, counted: FixedWindowRateLimiter, limit: int) -> None:
        self._counted = counted
        self._limit = limit
        self._item = RateLimitItemPerMinute(max(1, limit), LOGIN_MINUTES, namespace="vda5050_logins")

    def check(self) -> None:
        """Raise TooManyFailedLogins where the address of this request has had its tries."""
        if self._limit and not self._counted.test(self._item, address_key()):
            wait_s = _seconds_left(self._counted, self._item, address_key())
            raise TooManyFailedLogins(self._limit, LOGIN_MINUTES, wait_s)

    def count(self) -> None:
        """Note that the address of this request came with a key that is none."""
        if self._limit:
            _hit(self._counted, self._item, address_key())


def _hit(counted: FixedWindowRateLimiter, item: RateLimitItem, client: str) -> bool:
    """Count; tell whether it is within the limit. A fault in the counting refuses nobody."""
    try:
        return counted.hit(item, client)
    except Exception:
        log.exception("a request could not be counted")
        return True


def _seconds_left(counted: FixedWindowRateLimiter, item: RateLimitItem, client: str) -> int:
    ends_at = counted.get_window_stats(item, client).reset_time
    return min(item.get_expiry(), max(1, round(ends_at - time.time())))


def _wait(code: str, error: TooManyRequests) -> Response:
    response = problem(429, code, str(error), limit=error.limit)
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response
