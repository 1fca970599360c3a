"""Every error as `application/problem+json` (RFC 9457): type, title, status, detail, a stable `code`, the request's id.

The type is `about:blank`, so the title is the HTTP status phrase; `code` is what a program compares, `detail` is for a
person. Nothing of the inside (stack, path, library) is told to the client. For what gunicorn refuses before there is a
request see `refusals`.
"""

from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from vda5050.api.request_ids import request_id
from vda5050.errors import DatabaseUnavailable, FilterError, Stopping, TooManyStreams
from vda5050.logs import get_logger

log = get_logger(__name__)

_DESCRIBED = {
    404: "There is nothing at this address.",
    405: "This address does not know the method; Allow lists those it knows.",
    413: "The request's body is longer than this address takes.",
}
"""Instead of Werkzeug's words, which speak of typing mistakes and of servers."""
_CODES = {413: "too_large", 414: "uri_too_long", 416: "range_not_satisfiable", 422: "unprocessable"}
"""Where the phrase, which the code is made of, differs between Python's versions."""


def problem(status: int, code: str, detail: str, **members: Any) -> Response:
    """Write an error answer; `members` are added to the object."""
    body = {"type": "about:blank", "title": _title(status), "status": status, "detail": detail, "code": code}
    body["request_id"] = request_id()
    response = Response(orjson.dumps(body | members), status, content_type="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    return response


def register(app: Flask) -> None:
    """Let every error of the app be answered as a problem, and OPTIONS as it should be."""
    app.register_error_handler(FilterError, _bad_filter)
    app.register_error_handler(TooManyStreams, _too_many_streams)
    app.register_error_handler(DatabaseUnavailable, _no_database)
    app.register_error_handler(Stopping, _stopping)
    app.register_error_handler(UnicodeDecodeError, _not_text)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_nothing_but_headers)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # somebody's own status
        return "Error"


def _bad_filter(error: FilterError) -> Response:
    return problem(400, "bad_filter", error.problem, parameter=error.parameter)


def _too_many_streams(error: TooManyStreams) -> Response:
    status, code = (429, "too_many_streams_of_client") if error.is_of_client else (503, "too_many_streams")
    response = problem(status, code, str(error), limit=error.limit)
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _stopping(error: Stopping) -> Response:
    response = problem(503, "stopping", str(error))
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _no_database(_error: DatabaseUnavailable) -> Response:
    """Answer what needs the database while it cannot be used; `/ready` and the log say why."""
    response = problem(503, "database_unavailable", "The gateway's database cannot be used at the moment.")
    response.headers["Retry-After"] = "5"
    return response


def _not_text(_error: UnicodeDecodeError) -> Response:
    """Answer a query that is not UTF-8: Werkzeug decodes it when it is first read."""
    return problem(400, "bad_query", "The query is not UTF-8.")


def _http_exception(error: HTTPException) -> Response:
    if isinstance(error.response, Response):  # an answer that somebody has already written
        return error.response
    status = error.code or 500
    code = _CODES.get(status) or _title(status).lower().replace(" ", "_").replace("-", "_")
    detail = _DESCRIBED.get(status) or error.description or _title(status)
    # webargs (flask-smorest) puts what is wrong with each parameter here.
    messages = getattr(error, "data", {}).get("messages")
    response = problem(status, code, detail, **({"errors": messages} if messages else {}))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return problem(500, "internal_server_error", "The gateway failed; its log says why.")


def _nothing_but_headers(response: Response) -> Response:
    """Make Flask's own answer to OPTIONS one without content: it has none, but calls it a page."""
    if request.method == "OPTIONS" and response.status_code == 200 and "Allow" in response.headers:
        response.status_code = 204
        response.data = b""
        del response.headers["Content-Type"]
    return response
