"""Which hosts the gateway answers for, and which other sites' pages may use it.

**Host.** A page of another site can let its own name point at this gateway (DNS rebinding) and would then be of the
same origin, with everything that a visitor's browser may reach. Such a request carries that name as its host, so names
that are not ours are refused: 421. An address is no name that could be pointed elsewhere, and is always taken. A
trusted proxy answers for the names it passes on, unless `allowed_hosts` says which they are; what comes from its
address without a word about whom it is for is not the proxy's, but a program's there, maybe a browser's.

**Origin.** CORS is off: no page of another origin may read an answer. Those in `allowed_origins` may, with cookies;
there is no `*`. A WebSocket is not covered by CORS, and neither is a request that changes something, which happens
before anybody asks whether the answer may be read: both are refused where the origin is neither ours nor allowed. A
page that came over http is not ours where the gateway is asked over https. What sends no Origin is a program.
"""

import socket
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, request

from vda5050.addresses import host_name, parse_address
from vda5050.api.problems import problem
from vda5050.api.proxies import FORWARDED, FROM_TRUSTED_PROXY
from vda5050.api.request_ids import request_id
from vda5050.metrics import Metrics
from vda5050.settings import Settings

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READABLE = "ETag, Retry-After, X-Request-ID"
"""Headers of an answer that an allowed page's script may read beside the few that every script may."""
_SENDABLE = "Authorization, Content-Type, If-None-Match, Last-Event-ID, X-API-Key, X-Request-ID"
_REMEMBER_S = 600
"""Seconds for which a browser need not ask again before it sends a request."""


class OwnPagesOnly:
    """The app for requests that come under a name of ours and, where they change something, from a page of ours."""

    def __init__(self, app: Any, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._hosts = AllowedHosts(settings.allowed_hosts, bind=settings.bind)
        self._origins = frozenset(settings.allowed_origins)
        self._refused = metrics.requests_refused

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Let the app answer, or refuse."""
        refusal = self._refusal(environ)
        return self._app(environ, start_response) if refusal is None else refusal(environ, start_response)

    def _refusal(self, environ: dict[str, Any]) -> Response | None:
        host = environ.get("HTTP_HOST", "")
        is_proxied = environ[FROM_TRUSTED_PROXY] and environ[FORWARDED]
        if host and not self._hosts.has(host, is_proxied=is_proxied):
            self._refused.labels("host").inc()
            detail = "The gateway does not answer for this host; see its allowed hosts."
            return problem(421, "unknown_host", detail, request_id=request_id(environ))
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or origin in self._origins or origin in _own_origins(environ["wsgi.url_scheme"], host):
            return None
        is_websocket = environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        if environ["REQUEST_METHOD"] in _SAFE_METHODS and not is_websocket:
            return None
        self._refused.labels("origin").inc()
        detail = "Pages of this origin may not do this here."
        return problem(403, "foreign_origin", detail, request_id=request_id(environ))


def _own_origins(scheme: str, host: str) -> tuple[str, str]:
    """Give the origins of our own pages: https stands for http too, where a proxy ended TLS and did not say so.

    The other way round, plain http of the same host may be anybody's who is on the way.
    """
    return f"{scheme}://{host}", f"https://{host}"


class AllowedHosts:
    """The names that the gateway goes by. `allowed` adds to what it knows itself: `*.example` any under it, `*` all."""

    def __init__(self, allowed: Iterable[str], *, bind: str) -> None:
        allowed = {name.lower() for name in allowed}
        own = {"localhost", socket.gethostname().lower(), host_name(bind)}
        self._names = own | {name for name in allowed if not name.startswith("*")}
        self._endings = (".localhost", *(name[1:] for name in allowed if name.startswith("*.")))
        self._has_any = "*" in allowed
        self._trusts_proxy = not allowed

    def has(self, host: str, *, is_proxied: bool) -> bool:
        """Tell whether `host`, as in the request, is one of ours."""
        if self._has_any or (is_proxied and self._trusts_proxy):
            return True
        name = host_name(host)
        return name in self._names or name.endswith(self._endings) or parse_address(host) is not None


def register_cors(app: Flask, origins: Iterable[str]) -> None:
    """Tell browsers that pages of `origins` may read the answers; none: CORS is off, and costs nothing."""
    origins = frozenset(origins)
    if not origins:
        return

    @app.before_request
    def answer_preflight() -> Response | None:
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if is_preflight and request.headers.get("Origin") in origins and request.url_rule is not None:
            return _preflight(request.url_rule.methods or {"GET"})
        return None

    @app.after_request
    def tell(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in origins:
            response.access_control_allow_origin = origin
            response.access_control_allow_credentials = True
            response.headers["Access-Control-Expose-Headers"] = _READABLE
        return response


def _preflight(methods: Iterable[str]) -> Response:
    """Answer a browser that asks before it sends; no key comes with that question, so it is answered to all."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(methods))
    response.headers["Access-Control-Allow-Headers"] = _SENDABLE
    response.access_control_max_age = _REMEMBER_S
    response.vary.update(["Access-Control-Request-Method", "Access-Control-Request-Headers"])
    return response
