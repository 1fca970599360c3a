"""Every error as `application/problem+json` (RFC 9457): type, title, status, detail and a stable `code`.

The type is `about:blank`, so the title is the HTTP status phrase; `code` is what a program compares, `detail` is for a
person. Nothing of the inside (stack, path, library) is told to the client.
"""

import logging
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from vda5050.errors import FilterError, TooManyStreams

log = logging.getLogger(__name__)


def problem(status: int, code: str, detail: str, **members: Any) -> Response:
    """Write an error answer; `members` are added to the object."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    response = Response(orjson.dumps(body | members), status, content_type="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    return response


def register(app: Flask) -> None:
    """Let every error of the app be answered as a problem."""
    app.register_error_handler(FilterError, _bad_filter)
    app.register_error_handler(TooManyStreams, _too_many_streams)
    app.register_error_handler(UnicodeDecodeError, _not_text)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, _unexpected)


def _bad_filter(error: FilterError) -> Response:
    return problem(400, "bad_filter", error.problem, parameter=error.parameter)


def _too_many_streams(error: TooManyStreams) -> Response:
    response = problem(503, "too_many_streams", str(error), limit=error.limit)
    response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _not_text(_error: UnicodeDecodeError) -> Response:
    """Answer a query that is not UTF-8: Werkzeug decodes it when it is first read."""
    return problem(400, "bad_query", "The query is not UTF-8.")


def _http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    response = problem(status, HTTPStatus(status).name.lower(), error.description or HTTPStatus(status).description)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return problem(500, "internal_server_error", "The gateway failed; its log says why.")
