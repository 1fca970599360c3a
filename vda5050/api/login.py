"""`/login` and `/logout`: a key for a cookie, in plain HTML that needs no script; `/session`: who one is.

Both forms are refused from other sites' pages (see `origins`), so that nobody is logged in with somebody else's key.
"""

import re
from datetime import UTC, datetime

from flask import Blueprint, Response, redirect, render_template, request

from vda5050.api.auth import principal
from vda5050.api.rate_limits import failed_logins
from vda5050.api.replies import json_reply
from vda5050.api.sessions import Sessions
from vda5050.logs import get_logger
from vda5050.service import Service

log = get_logger(__name__)

_MAX_FORM_BYTES = 4_096
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
"""A path of this gateway: a browser takes `//host` and `/\\host` for another one."""


def create_blueprint(service: Service, sessions: Sessions) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("login", __name__)
    keys = service.keys

    @blueprint.get("/login")
    def login_page() -> Response:
        """Show the form; who needs no key, or is logged in, is sent on."""
        if service.settings.auth == "off" or (keys.is_loaded and not keys.needs_key) or sessions.principal():
            return _send_to(_next())
        return _page(200)

    @blueprint.post("/login")
    def login() -> Response:
        """Give a cookie for the key in the form, or the form again. Raises TooManyFailedLogins."""
        request.max_content_length = _MAX_FORM_BYTES
        found = keys.by_text(request.form.get("key", "").strip())
        if found is None:
            failed_logins().check()
            failed_logins().count()
            service.metrics.requests_refused.labels("wrong_key").inc()
            return _page(403, problem="This key is not valid.")
        answer = _send_to(_next())
        if not sessions.begin(answer, found):
            return _page(503, problem="The gateway cannot log anybody in yet. Try again in a moment.")
        log.info("logged in", key=found.key_id)
        return answer

    @blueprint.post("/logout")
    def logout() -> Response:
        answer = _send_to("/login")
        sessions.end(answer)
        return answer

    @blueprint.get("/session")
    def session() -> Response:
        """Tell who asks: the key's name, role and robots."""
        found = principal()
        expires = None if found.expires_at is None else datetime.fromtimestamp(found.expires_at, UTC).isoformat()
        body = {
            "name": found.name,
            "role": found.role.value,
            "robots": keys.robots_of(found),
            "expires_at": expires and expires.replace("+00:00", "Z"),
            "can_log_out": sessions.principal() is not None,
        }
        return json_reply(body)

    return blueprint


def _next() -> str:
    """Give where the visitor wanted to go, if that is here."""
    wanted = request.values.get("next", "/")
    return wanted if _LOCAL.fullmatch(wanted) else "/"


def _send_to(path: str) -> Response:
    answer = redirect(path, 303)
    answer.headers["Cache-Control"] = "no-store"
    return answer  # type: ignore[return-value]  # werkzeug's Response is Flask's here


def _page(status: int, *, problem: str = "") -> Response:
    response = Response(render_template("login.html", next=_next(), problem=problem), status)
    response.headers["Cache-Control"] = "no-store"
    return response
