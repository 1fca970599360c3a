"""A name for every request: in its answer's header, in the problem where it failed, in every line logged meanwhile.

Who reports a failure can quote it, and the log is found by it. A trusted proxy's own id is kept, so that one id runs
through both logs; anybody else's is replaced, because what a client wrote has no place in a log as if it were ours.
"""

import re
import uuid
from typing import Any

import structlog
from flask import has_request_context, request

from vda5050.api.proxies import FROM_TRUSTED_PROXY

HEADER = "X-Request-ID"
_KEY = "vda5050.request_id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


class RequestIds:
    """The app with a name for each request. Within `proxies.TrustedProxies`."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Name the request, let the app answer, add the name to the answer."""
        name = self._name(environ)
        environ[_KEY] = name
        # Stays bound while a stream is written, which is after Flask has let go of the request; the connection's next
        # request takes its place. Each greenlet has a context of its own.
        structlog.contextvars.bind_contextvars(request_id=name)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, (HEADER, name)], *rest)

        return self._app(environ, start)

    @staticmethod
    def _name(environ: dict[str, Any]) -> str:
        sent: str = environ.get("HTTP_X_REQUEST_ID", "")
        if sent and environ.get(FROM_TRUSTED_PROXY) and _WELL_FORMED.fullmatch(sent):
            return sent
        return uuid.uuid4().hex


def request_id(environ: dict[str, Any] | None = None) -> str | None:
    """Give the name of the request that is being answered; None outside of one."""
    if environ is None:
        environ = request.environ if has_request_context() else {}
    return environ.get(_KEY)
