"""A name for every request: in its answer's header, in the problem where it failed, in every line logged meanwhile.

Who reports a failure can quote it, and the log is found by it. A trusted proxy's own id is kept, so that one id runs
through both logs; anybody else's is replaced, because what a client wrote has no place in a log as if it were ours.
"""

import re
import uuid

import structlog
from flask import Flask, Response, g, has_app_context, request

from vda5050.api.proxies import FROM_TRUSTED_PROXY

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


def register(app: Flask) -> None:
    """Name every request, first of all."""
    app.before_request(_name_request)
    app.after_request(_tell_client)


def request_id() -> str | None:
    """Give the id of the request that is being answered; None outside of one."""
    return g.get("request_id") if has_app_context() else None


def _name_request() -> None:
    sent = request.headers.get(HEADER, "")
    is_ours = _WELL_FORMED.fullmatch(sent) and request.environ.get(FROM_TRUSTED_PROXY)
    g.request_id = sent if is_ours else uuid.uuid4().hex
    # Stays bound while a stream is written, which is after Flask has let go of the request; the connection's next
    # request takes its place. Each greenlet has a context of its own.
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _tell_client(response: Response) -> Response:
    if name := request_id():
        response.headers[HEADER] = name
    return response
