"""`/history/export`: a stretch of history as a file, and `/robots/<m>/<s>/timeline`: one robot's time, summed up.

A file is written while the database is read, a page at a time; where the database goes away meanwhile the connection is
cut, so that nobody takes half a file for a whole one. What costs CPU is done in short turns between which the streams
have theirs.
"""

import errno
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import gevent
from flask import Blueprint, Response, request

from vda5050.api.auth import principal
from vda5050.api.clients import place_in
from vda5050.api.history import asked_stretch, asked_time, message_json, turned_off
from vda5050.api.problems import problem
from vda5050.api.replies import headers_alone, json_reply
from vda5050.api_keys import KeyRing, Principal
from vda5050.broadcast import Filter, Places, has_left
from vda5050.errors import FilterError
from vda5050.history import (
    NoPyarrow,
    Page,
    Reader,
    Stored,
    Stretch,
    Timeline,
    csv_head,
    csv_lines,
    iso_time,
    parquet_pieces,
)
from vda5050.history.stretch import MICROSECONDS
from vda5050.service import Service

PAGE = 500
TURN = 25
"""Messages turned into rows before the hub has its turn: a few milliseconds."""
MAX_EXPORTS, MAX_EXPORTS_OF_CLIENT = 5, 2
MAX_TIMELINES, MAX_TIMELINES_OF_CLIENT = 4, 2
"""At a time, of a worker: each reads the database, and a timeline of a busy week takes minutes."""
MAX_TIMELINE_US = 7 * 86_400 * MICROSECONDS
_MEDIA_TYPES = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
FORMATS = tuple(_MEDIA_TYPES)


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("export", __name__)
    exports = _Exports(service.keys)
    timelines = Places(max_streams=MAX_TIMELINES, max_of_client=MAX_TIMELINES_OF_CLIENT, what="timelines")

    @blueprint.get("/history/export")
    def export() -> Response:
        """Write a file. Raises FilterError, TooManyStreams, DatabaseUnavailable."""
        return turned_off() if service.history is None else exports.open(service.history.reader)

    @blueprint.get("/robots/<manufacturer>/<serial_number>/timeline")
    def timeline(manufacturer: str, serial_number: str) -> Response:
        """Sum up one robot's time. Raises FilterError, TooManyStreams, DatabaseUnavailable."""
        if service.history is None:
            return turned_off()
        robot = f"{manufacturer}/{serial_number}"
        is_known = robot in service.robots and principal().may_see(robot)
        with place_in(timelines):
            return _timeline(service.history.reader, robot, is_known=is_known)

    return blueprint


class _Exports:
    """The exports that this worker writes."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._places = Places(max_streams=MAX_EXPORTS, max_of_client=MAX_EXPORTS_OF_CLIENT, what="exports")

    def open(self, reader: Reader) -> Response:
        """Begin one. Raises FilterError, TooManyStreams, DatabaseUnavailable."""
        kind = request.args.get("format", "ndjson")
        if kind not in FORMATS:
            raise FilterError("format", f"must be one of {', '.join(FORMATS)}")
        stretch = asked_stretch(default_end_us=int(time.time() * MICROSECONDS))
        if stretch.topics is None and kind != "ndjson":
            stretch = replace(stretch, topics=frozenset({"state"}))
        try:
            pieces = _pieces(kind, _pages(reader, stretch))
        except NoPyarrow:
            return problem(501, "no_parquet", "Parquet needs the package pyarrow, which is not installed here.")
        response = headers_alone() if request.method == "HEAD" else self._begun(pieces)
        response.content_type = _MEDIA_TYPES[kind]
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Disposition"] = f'attachment; filename="history.{kind}"'
        return response

    def _begun(self, pieces: Iterator[bytes]) -> Response:
        """Read the first piece, so that an error is answered as one; the place is free when the answer is closed."""
        with place_in(self._places) as held:
            response = Response(self._written(pieces, next(pieces), principal()))
            response.call_on_close(held.pop_all().close)
        return response

    def _written(self, pieces: Iterator[bytes], first: bytes, who: Principal) -> Iterator[bytes]:
        """Give the file, piece by piece; raises ConnectionResetError, which cuts it short, where the key is lost."""
        yield first
        for piece in filter(None, pieces):
            if not self._keys.is_current(who):
                raise ConnectionResetError(errno.ECONNRESET, "the key is no longer valid")
            yield piece


def _pieces(kind: str, pages: Iterator[list[Stored]]) -> Iterator[bytes]:
    """Write a file in pieces. Raises NoPyarrow."""
    if kind == "parquet":
        return parquet_pieces(pages)
    if kind == "csv":
        return _lines(pages, csv_head(), csv_lines)
    return _lines(pages, b"", lambda messages: b"".join(message_json(message) + b"\n" for message in messages))


def _lines(pages: Iterable[list[Stored]], head: bytes, write: Callable[[list[Stored]], bytes]) -> Iterator[bytes]:
    for number, page in enumerate(pages):
        yield (b"" if number else head) + b"".join(write(turn) for turn in _turns(page))


def _pages(reader: Reader, stretch: Stretch) -> Iterator[list[Stored]]:
    """Read a stretch from its start to its end; at least one page, which may be empty."""
    page = Page([], has_more=True, last_id=None)
    while page.has_more:
        page = reader.page(stretch, limit=PAGE)
        yield page.messages
        if page.last_id is not None:
            stretch = replace(stretch, start_us=page.last_id + 1)


def _turns(messages: list[Stored]) -> Iterator[list[Stored]]:
    """Cut into what is worked off at once, with the hub's turn before each."""
    for start in range(0, len(messages), TURN):
        gevent.sleep(0)
        yield messages[start : start + TURN]


def _timeline(reader: Reader, robot: str, *, is_known: bool) -> Response:
    """Sum up, unless the client leaves meanwhile; `is_known`: also where nothing of it is stored yet."""
    now_us = int(time.time() * MICROSECONDS)
    end_us = asked_time("to", now_us)
    start_us = asked_time("from", max(0, end_us - 86_400 * MICROSECONDS))
    if not start_us <= end_us <= start_us + MAX_TIMELINE_US:
        raise FilterError("from", "must be before `to`, by 7 days at most")
    wanted = Filter.one_robot(robot).within(principal().robots_source)
    stretch = Stretch(start_us, end_us, wanted.selection(), frozenset({"state", "connection"}))
    summed_up = Timeline(start_us, min(end_us, max(start_us, now_us)))
    before = reader.last_messages(start_us, stretch)
    summed_up.begin(before)
    is_known |= bool(before)
    sock = request.environ.get("gunicorn.socket")
    for page in _pages(reader, stretch):
        if sock is not None and has_left(sock):
            return problem(499, "client_left", "The client has left.")  # nobody reads it; nginx's status for that
        is_known |= bool(page)
        for turn in _turns(page):
            summed_up.add(turn)
    if not is_known:
        return problem(404, "unknown_robot", f"The history knows nothing of this robot before {iso_time(end_us)}.")
    return json_reply({"robot": robot, **summed_up.result()})
