"""What gunicorn refuses before there is a request, in the shape of every other error.

A broken request line, a header that is none, an address that is too long: gunicorn answers these itself, in HTML that
quotes what was wrong, and closes the connection. It has no setting for that; `write_problem` takes the place of the
function that it writes them with.
"""

import contextlib
import uuid
from typing import Any

from flask import Response

from vda5050.api.problems import problem
from vda5050.api.request_ids import HEADER
from vda5050.api.security_headers import OF_DATA
from vda5050.logs import get_logger

log = get_logger(__name__)

_DETAILS = {
    400: ("bad_request", "This is no HTTP request that can be read."),
    414: ("uri_too_long", "The address is too long."),
    417: ("expectation_failed", "Only 100-continue can be expected."),
    431: ("headers_too_large", "The headers are too many or too long."),
    501: ("not_implemented", "This transfer coding is not known."),
}


def write_problem(sock: Any, status: int, _reason: str, _message: str) -> None:
    """Answer on a socket whose request could not be read, or failed outside of the app; never waits for the client."""
    request_id = uuid.uuid4().hex
    code, detail = _DETAILS.get(status, ("internal_server_error", "The gateway failed; its log says why."))
    answer = problem(status, code, detail, request_id=request_id)
    log.info("a request could not be read", request_id=request_id, status=status)
    with contextlib.suppress(OSError):  # it has gone, or takes nothing
        sock.setblocking(False)
        sock.sendall(_as_http(answer, request_id))


def _as_http(answer: Response, request_id: str) -> bytes:
    body = answer.get_data()
    fields = [*answer.headers, *OF_DATA, (HEADER, request_id), ("Connection", "close")]
    lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
