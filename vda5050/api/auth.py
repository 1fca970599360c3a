"""Who asks, and may it: before every request, deny by default.

A key comes in `Authorization: Bearer ...` or `X-API-Key: ...`; a browser, whose EventSource can send neither, has the
cookie that `/login` gave it (see `sessions`). Never in a URL, which ends up in logs and histories. A header that is
wrong is refused, whatever the cookie says.

While no key was ever made, requests of this very machine are let in without (`make run`), unless something forwarded
them: a proxy on this machine makes everybody look local. `origins` has refused foreign names and pages by then.

A robot that the key may not see is answered as one that does not exist. 401: no key, or none that is valid, in the same
words; 403: valid, but not for this; 503: the keys could not be read yet.
"""

from typing import cast
from urllib.parse import quote

from flask import Flask, Response, current_app, g, redirect, request

from vda5050.addresses import parse_address
from vda5050.api.access import PUBLIC, needed_role
from vda5050.api.problems import problem
from vda5050.api.proxies import FORWARDED
from vda5050.api.rate_limits import failed_logins
from vda5050.api.sessions import Sessions
from vda5050.api_keys import ANYONE, LOCAL, KeyRing, Principal
from vda5050.service import Service
from vda5050.settings import Settings

_GATE = "vda5050_gate"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def principal() -> Principal:
    """Give who asks. Only where the route needs a role."""
    found: Principal = g.principal
    return found


def may_read() -> bool:
    """Tell whether who asks might read. For routes that everybody may use."""
    return cast("_Gate", current_app.extensions[_GATE]).may_read()


def register(app: Flask, service: Service, sessions: Sessions) -> None:
    """Find out who asks; to be registered before what counts requests by who asks."""
    gate = app.extensions[_GATE] = _Gate(service, sessions)
    app.before_request(gate.check)
    app.after_request(sessions.renew)


def register_refusal(app: Flask) -> None:
    """Answer who may not come in; to be registered after what counts requests, which counts theirs too."""
    app.before_request(lambda: g.get("refusal"))


class _Gate:
    def __init__(self, service: Service, sessions: Sessions) -> None:
        self._settings: Settings = service.settings
        self._keys: KeyRing = service.keys
        self._refused = service.metrics.requests_refused
        self._sessions = sessions

    def check(self) -> None:
        """Set `g.principal`, or `g.refusal` where there is to be no view. Raises TooManyFailedLogins."""
        rule = request.url_rule
        if rule is None or request.method == "OPTIONS":
            return
        role = needed_role(request.method, rule.rule)
        if role is PUBLIC:
            return
        found = self._find()
        if isinstance(found, Response):
            g.refusal = found
        elif not found.role.includes(role):
            g.refusal = self._refuse("role", problem(403, "forbidden", f"This needs a key with the role {role.value}."))
        else:
            g.principal = found

    def may_read(self) -> bool:
        """Tell whether who asks might read, on a route that everybody may use; nothing is counted or refused."""
        if self._settings.auth == "off":
            return True
        if not self._keys.needs_key:
            return self._keys.is_loaded and self._is_local()
        text = _shown_key()
        return (self._sessions.principal() if text is None else self._keys.by_text(text)) is not None

    def _find(self) -> Principal | Response:
        if self._settings.auth == "off":
            return ANYONE
        if not self._keys.is_loaded:
            return self._refuse("keys_unknown", _not_loaded())
        if not self._keys.needs_key:
            return LOCAL if self._is_local() else self._refuse("no_key", _unauthorized("No API key exists yet."))
        text = _shown_key()
        return self._by_cookie() if text is None else self._by_key(text)

    def _by_key(self, text: str) -> Principal | Response:
        found = self._keys.by_text(text)
        if found is not None:  # and let in, however many wrong ones a neighbour at its address has shown
            return found
        failed_logins().check()
        failed_logins().count()
        return self._refuse("wrong_key", _unauthorized("The key is not valid.", error="invalid_token"))

    def _by_cookie(self) -> Principal | Response:
        found = self._sessions.principal()
        if found is None:
            if _is_navigation():
                self._refused.labels("no_key").inc()
                here = request.full_path if request.query_string else request.path
                return redirect(f"/login?next={quote(here)}", 303)  # type: ignore[return-value]  # werkzeug's is Flask's
            return self._refuse("no_key", _unauthorized("This needs a key."))
        if request.method not in _SAFE_METHODS and not is_same_origin():
            return self._refuse("cross_site", problem(403, "cross_site", "This must come from the gateway's own page."))
        g.is_by_cookie = True
        return found

    def _is_local(self) -> bool:
        """Tell whether the request is this machine's own, and the gateway is meant for that alone."""
        if not self._settings.binds_loopback_only or request.environ.get(FORWARDED):
            return False
        address = parse_address(request.remote_addr or "")
        return address is not None and address.is_loopback

    def _refuse(self, reason: str, answer: Response) -> Response:
        self._refused.labels(reason).inc()
        return answer


def is_same_origin() -> bool:
    """Tell whether a browser says that one of our own pages sends this; `origins` has let the allowed ones through.

    What comes with a cookie comes from a browser, and those say it: all send Origin with what may change something.
    """
    return request.headers.get("Sec-Fetch-Site") == "same-origin" or "Origin" in request.headers


def _shown_key() -> str | None:
    """Give the key that the request's headers show; None where there is none, empty where it is no key."""
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return request.headers.get("X-API-Key")
    scheme, _, text = authorization.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def _is_navigation() -> bool:
    """Tell whether a person opens a page, who is better served by the login page than by JSON."""
    accepted = request.accept_mimetypes
    return request.method == "GET" and accepted.best_match(["application/json", "text/html"]) == "text/html"


def _unauthorized(detail: str, *, error: str = "") -> Response:
    answer = problem(401, "unauthorized", detail)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="gateway"' + (f', error="{error}"' if error else "")
    return answer


def _not_loaded() -> Response:
    answer = problem(503, "keys_unknown", "The keys could not be read yet.")
    answer.headers["Retry-After"] = "2"
    return answer
