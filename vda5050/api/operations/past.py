"""The fleet as it was: history, replay, export, timeline."""

from typing import Any

from vda5050.api import answers
from vda5050.api.export import FORMATS
from vda5050.api.operations.parts import (
    Operation,
    bad_filter,
    get,
    interval_query,
    no_history,
    ok,
    query,
    refusal,
    robots_query,
    time_query,
    types_query,
    view_query,
)

_REPLAYED = """As /stream: a snapshot as of `from`, then each message when its time has come, `speed` times as fast; at
the end `{"type":"end","data":{"from":...,"to":...,"messages":...}}`. Ids are `replay-<microseconds since 1970>`; a
client that comes back with one goes on after it. With `view=1` each robot's view comes instead of its messages, made of
what `types` names, in chunks `interval` milliseconds apart: of several in one the newest."""


def of_history() -> dict[str, dict[str, Operation]]:
    """Describe what the history answers."""
    return {
        "/history": _pages(),
        "/history/export": _export(),
        "/robots/<manufacturer>/<serial_number>/timeline": _timeline(),
        "/replay": _replay(),
    }


def _of_messages(*, is_begin_required: bool = False) -> list[dict[str, Any]]:
    """Describe the parameters that say which messages are meant."""
    begin = time_query("from", "The first moment.")
    return [
        query("robot", "One robot, by its exact manufacturer/serial_number."),
        robots_query(),
        types_query(),
        {**begin, "required": True} if is_begin_required else begin,
        time_query("to", "The first moment not."),
    ]


def _too_many_of_client() -> dict[int, Any]:
    return refusal(429, "Too many requests, or this client has as many as it may (too_many_streams_of_client)")


def _pages() -> dict[str, Operation]:
    return get(
        "history",
        "history",
        "What happened, page by page",
        {**ok(answers.HistoryPageSchema), **bad_filter(), **no_history()},
        parameters=[
            *_of_messages(),
            query("limit", "Messages of a page; 100 if missing.", type="integer", minimum=1, maximum=1_000),
            query("cursor", "`next` of the page before, for the same query."),
            query("order", "desc (newest first, if missing) or asc.", type="string", enum=["asc", "desc"]),
        ],
    )


def _export() -> dict[str, Operation]:
    return get(
        "export",
        "history",
        "What happened, as a file",
        {
            200: {
                "description": "ndjson: a line for each message as in /history. csv, parquet: a row for each state"
                " (or of `types`) with the main values of the robot view.",
                "content": {
                    "application/x-ndjson": {"schema": {"type": "string"}},
                    "text/csv": {"schema": {"type": "string"}},
                    "application/vnd.apache.parquet": {"schema": {"type": "string"}},
                },
            },
            **bad_filter(),
            **no_history(),
            **_too_many_of_client(),
            **refusal(501, "Parquet needs the package pyarrow (no_parquet)"),
            **refusal(503, "The database is away, or the worker writes as many files as it may (too_many_streams)"),
        },
        parameters=[*_of_messages(), query("format", "ndjson if missing.", type="string", enum=[*FORMATS])],
    )


def _timeline() -> dict[str, Operation]:
    return get(
        "timeline",
        "history",
        "One robot's orders, errors, charging, distance and use of time",
        {
            **ok(answers.TimelineSchema),
            **bad_filter(),
            **no_history(),
            **refusal(404, "The history knows nothing of this robot (unknown_robot); there is none (no_history)"),
            **_too_many_of_client(),
            **refusal(503, "The database is away, or the worker reads as many as it may (too_many_streams)"),
        },
        parameters=[
            time_query("from", "A day before `to` if missing; 7 days at most."),
            time_query("to", "now if missing."),
        ],
    )


def _replay() -> dict[str, Operation]:
    return get(
        "replay",
        "history",
        "What happened, once more, as Server-Sent Events",
        {
            **ok({"type": "string"}, "text/event-stream", _REPLAYED),
            204: {"description": "Last-Event-ID says that the client has seen all."},
            **bad_filter(),
            **no_history(),
            **_too_many_of_client(),
            **refusal(503, "The database is away, or the worker plays as many replays as it may (too_many_streams)"),
        },
        parameters=[
            *_of_messages(is_begin_required=True),
            query("speed", "How many times as fast as it happened.", type="number", minimum=0.01, maximum=10_000),
            view_query(),
            interval_query(),
        ],
    )
