"""Which hosts the gateway answers for, and which other sites' pages may use it.

**Host.** A page of another site can let its own name point at this gateway (DNS rebinding) and would then be of the
same origin, with everything that a visitor's browser may reach. Such a request carries that name as its host, so names
that are not ours are refused: 421. An address is no name that could be pointed elsewhere, and is always taken. A
trusted proxy answers for the names it passes on, unless `allowed_hosts` says which they are.

**Origin.** CORS is off: no page of another origin may read an answer. Those in `allowed_origins` may, with cookies;
there is no `*`. A WebSocket is not covered by CORS, and neither is a request that changes something, which happens
before anybody asks whether the answer may be read: both are refused where the origin is neither ours nor allowed. What
sends no Origin is a program.
"""

import socket
from collections.abc import Iterable

from flask import Flask, Response, request
from werkzeug.exceptions import Forbidden

from vda5050.addresses import host_name, parse_address
from vda5050.api.problems import problem
from vda5050.api.proxies import FROM_TRUSTED_PROXY
from vda5050.settings import Settings

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READABLE = "ETag, Retry-After, X-Request-ID"
"""Headers of an answer that an allowed page's script may read beside the few that every script may."""
_SENDABLE = "Authorization, Content-Type, If-None-Match, Last-Event-ID, X-API-Key, X-CSRF-Token, X-Request-ID"
_REMEMBER_S = 600
"""Seconds for which a browser need not ask again before it sends a request."""


def register(app: Flask, settings: Settings) -> None:
    """Refuse requests for other hosts and from other sites' pages; tell browsers who may read the answers."""
    hosts = AllowedHosts(settings.allowed_hosts, bind=settings.bind)
    origins = settings.allowed_origins

    @app.before_request
    def check() -> Response | None:
        if not hosts.has(request.host, is_proxied=request.environ.get(FROM_TRUSTED_PROXY, False)):
            return problem(421, "unknown_host", "The gateway does not answer for this host; see its allowed hosts.")
        if request.method not in _SAFE_METHODS:
            check_origin(origins)
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if is_preflight and request.headers.get("Origin") in origins and request.url_rule is not None:
            return _preflight()
        return None

    @app.after_request
    def tell(response: Response) -> Response:
        if origins:
            response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in origins:
            response.access_control_allow_origin = origin
            response.access_control_allow_credentials = True
            response.headers["Access-Control-Expose-Headers"] = _READABLE
        return response


def check_origin(allowed: Iterable[str]) -> None:
    """Let in programs (no Origin), the gateway's own pages and the allowed ones. Raises Forbidden."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host and origin not in allowed:
        raise Forbidden("Pages of this origin may not do this here.")


def _preflight() -> Response:
    """Answer a browser that asks before it sends; no key comes with that question, so it is answered to all."""
    assert request.url_rule is not None
    response = Response(status=204)
    del response.headers["Content-Type"]
    methods = sorted(request.url_rule.methods or {"GET"})
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    response.headers["Access-Control-Allow-Headers"] = _SENDABLE
    response.access_control_max_age = _REMEMBER_S
    response.vary.update(["Access-Control-Request-Method", "Access-Control-Request-Headers"])
    return response


class AllowedHosts:
    """The names that the gateway goes by. `allowed` adds to what it knows itself: `*.example` any under it, `*` all."""

    def __init__(self, allowed: Iterable[str], *, bind: str) -> None:
        allowed = {name.lower() for name in allowed}
        own = {"localhost", socket.gethostname().lower(), host_name(bind)}
        self._names = own | {name for name in allowed if not name.startswith("*")}
        self._endings = tuple(name[1:] for name in allowed if name.startswith("*."))
        self._has_any = "*" in allowed
        self._trusts_proxy = not allowed

    def has(self, host: str, *, is_proxied: bool) -> bool:
        """Tell whether `host`, as in the request, is one of ours."""
        if self._has_any or (is_proxied and self._trusts_proxy):
            return True
        name = host_name(host)
        return name in self._names or name.endswith((".localhost", *self._endings)) or parse_address(host) is not None
