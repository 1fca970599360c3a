"""`/history`: what happened, page by page.

Times are ISO 8601 with a zone, ago (`-5m`) or `now`; `from` belongs to the stretch, `to` does not. Messages are spliced
into the answers as the robots sent them.
"""

import time

import orjson
from flask import Blueprint, Response, request

from vda5050.api.auth import principal
from vda5050.api.problems import problem
from vda5050.api.replies import json_reply
from vda5050.broadcast import Filter
from vda5050.errors import FilterError
from vda5050.frames import FINDING
from vda5050.history import History, Stored, Stretch, iso_time, parse_time
from vda5050.history.stretch import END_OF_TIME_US
from vda5050.service import Service
from vda5050.topics import format_topic

DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("history", __name__)

    @blueprint.get("/history")
    def history() -> Response:
        """Show a page. Raises FilterError, DatabaseUnavailable."""
        kept = service.history
        return turned_off() if kept is None else _page(kept)

    return blueprint


def turned_off() -> Response:
    """Answer where there is no history."""
    return problem(404, "no_history", "This gateway keeps no history: VDA5050_DATABASE_URL is none.")


def asked_stretch(*, default_start_us: int | None = 0, default_end_us: int = END_OF_TIME_US) -> Stretch:
    """Read `robot`, `robots`, `types`, `from` and `to`. Raises FilterError."""
    robot, robots = request.args.get("robot", ""), request.args.get("robots", "")
    types = request.args.get("types", "")
    if robot and robots:
        raise FilterError("robot", "not together with robots")
    wanted = Filter.one_robot(robot, types=types) if robot else Filter.parse(robots=robots, types=types)
    wanted = wanted.within(principal().robots_source)
    if wanted.topics is not None and FINDING in wanted.topics:
        raise FilterError("types", f"{FINDING} is not kept in the history")
    start_us = asked_time("from", default_start_us)
    end_us = asked_time("to", default_end_us)
    if end_us < start_us:
        raise FilterError("to", "before from")
    return Stretch(start_us, end_us, wanted.selection(), wanted.topics)


def asked_time(parameter: str, default_us: int | None) -> int:
    """Read a time from the query. Raises FilterError, also where it is missing and there is no default."""
    text = request.args.get(parameter, "")
    if text:
        return parse_time(parameter, text, now=time.time())
    if default_us is None:
        raise FilterError(parameter, "is needed")
    return default_us


def _page(kept: History) -> Response:
    stretch, limit, is_newest_first = asked_stretch(), _asked_limit(), _asked_order()
    cursor = request.args.get("cursor", "")
    if cursor:
        stretch = _from_cursor(stretch, cursor, is_newest_first=is_newest_first)
    messages, has_more, last_id = kept.reader.page(stretch, limit=limit, is_newest_first=is_newest_first)
    next_cursor = orjson.dumps(str(last_id) if has_more else None)
    return json_reply(b'{"messages":[%b],"next":%b}' % (b",".join(map(message_json, messages)), next_cursor))


def message_json(stored: Stored) -> bytes:
    """Write a message with its payload as the robot sent it."""
    id_, (address, payload, _, is_retained, epoch, offset) = stored
    facts = {
        "received_at": iso_time(id_),
        "robot": address.robot,
        "type": address.topic,
        "mqtt_topic": format_topic(address),
        "is_retained": is_retained,
        "event_id": f"{epoch}-{offset}",
    }
    return b'%b,"payload":%b}' % (orjson.dumps(facts)[:-1], payload)


def _asked_limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MAX_LIMIT):
        raise FilterError("limit", f"must be 1 to {MAX_LIMIT}")
    return int(text)


def _asked_order() -> bool:
    """Tell whether the newest shall come first."""
    order = request.args.get("order", "desc")
    if order not in ("asc", "desc"):
        raise FilterError("order", "must be asc (oldest first) or desc (newest first)")
    return order == "desc"


def _from_cursor(stretch: Stretch, cursor: str, *, is_newest_first: bool) -> Stretch:
    """Give what is left of a stretch behind a message that was the last of a page."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 17):
        raise FilterError("cursor", "is none that was given as `next`")
    if is_newest_first:
        return Stretch(stretch.start_us, min(stretch.end_us, int(cursor)), stretch.robots, stretch.topics)
    return Stretch(max(stretch.start_us, int(cursor) + 1), stretch.end_us, stretch.robots, stretch.topics)
