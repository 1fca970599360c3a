"""A request's body has a time and a size: a client that sends a byte now and then holds nobody for ever.

gunicorn's gevent worker waits for a request's head, and for what the app has not read of a body, no longer than
`keepalive`; what the app reads itself it would wait for without end. After a read that failed gunicorn closes the
connection, so that the rest of a body is not taken for the next request.
"""

import time
from collections.abc import Iterator
from typing import Any

import gevent
from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

MAX_FORM_PARTS = 50
MAX_FORM_BYTES = 65_536
MIN_BYTES_PER_S = 50_000
"""A large file may take longer, as long as so much of it comes; in the mean, after the first `timeout_s`."""


def register(app: Flask, *, max_body_bytes: int, timeout_s: float) -> None:
    """Bound every body that a view reads; a view may set `request.max_content_length` itself."""
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_FORM_BYTES
    app.config["MAX_FORM_PARTS"] = MAX_FORM_PARTS
    answer = app.wsgi_app

    def with_deadline(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = TimedBody(environ["wsgi.input"], timeout_s)
        return answer(environ, start_response)

    app.wsgi_app = with_deadline  # type: ignore[method-assign]


def read_body(limit: int) -> bytes | None:
    """Read the request's body; None where it is longer than `limit`.

    Werkzeug refuses a longer Content-Length, but just stops at the maximum where there is none: hence one byte more.
    """
    request.max_content_length = limit + 1
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return None
    return body if len(body) <= limit else None


class TimedBody:
    """A body that must come in time, from when somebody began to read it. Reading raises RequestTimeout.

    In `timeout_s`, and a second more for each MIN_BYTES_PER_S that came.
    """

    __slots__ = ("_body", "_ends_at", "_timeout_s")

    def __init__(self, body: Any, timeout_s: float) -> None:
        self._body = body
        self._timeout_s = timeout_s
        self._ends_at: float | None = None

    def read(self, *size: int) -> bytes:
        """As of a file."""
        data: bytes = self._in_time(self._body.read, *size)
        return data

    def readline(self, *size: int) -> bytes:
        """As of a file."""
        line: bytes = self._in_time(self._body.readline, *size)
        return line

    def readlines(self, *hint: int) -> list[bytes]:
        """As of a file."""
        lines: list[bytes] = self._in_time(self._body.readlines, *hint)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _in_time(self, read: Any, *size: int) -> Any:
        now = time.monotonic()
        if self._ends_at is None:
            self._ends_at = now + self._timeout_s
        too_slow = RequestTimeout("The request's body did not arrive in time.")
        if now >= self._ends_at:
            raise too_slow
        with gevent.Timeout(self._ends_at - now, too_slow):
            data = read(*size)
        count = len(data) if isinstance(data, bytes) else sum(map(len, data))
        self._ends_at += count / MIN_BYTES_PER_S
        return data
