"""What operations are put together from: answers, refusals and query parameters that several of them have."""

from typing import Any

from marshmallow import Schema

from vda5050.api import answers
from vda5050.topics import TOPICS

Operation = dict[str, Any]
Shape = type[Schema] | dict[str, Any]

TEXT = {"type": "string"}


def get(operation_id: str, tag: str, summary: str, responses: dict[Any, Any], **more: Any) -> dict[str, Operation]:
    """Describe a GET and nothing else, by method."""
    return {"get": operation(operation_id, tag, summary, responses, **more)}


def operation(operation_id: str, tag: str, summary: str, responses: dict[Any, Any], **more: Any) -> Operation:
    """Describe an operation; what any request may be refused with is added."""
    refusals = {
        **refusal(414, "The address is longer than the server reads (uri_too_long)"),
        **refusal(421, "The gateway does not answer for this host (unknown_host)"),
        **refusal(429, "Too many requests of this client (too_many_requests); Retry-After says when to ask"),
        **refusal(431, "The headers are more, or longer, than the server reads (headers_too_large)"),
    }
    responses = {**refusals, **responses, "default": refusal(500, "Any other error")[500]}
    return {"operationId": operation_id, "tags": [tag], "summary": summary, "responses": responses, **more}


def ok(shape: Shape, media_type: str = "application/json", description: str = "") -> dict[int, Any]:
    """Describe the answer 200."""
    if not description:
        description = (shape.__doc__ or "") if isinstance(shape, type) else "As the summary says."
    return {200: {"description": description, "content": {media_type: {"schema": shape}}}}


def refusal(status: int, description: str) -> dict[int, Any]:
    """Describe an answer that is a problem document."""
    content = {"application/problem+json": {"schema": answers.ProblemSchema}}
    return {status: {"description": description, "content": content}}


def bad_filter() -> dict[int, Any]:
    """Describe the answer to a query that cannot be used."""
    return refusal(400, "A query parameter cannot be used (bad_filter); `parameter` names it")


def no_history() -> dict[int, Any]:
    """Describe the answers of a gateway without a history."""
    return {
        **refusal(404, "This gateway keeps no history (no_history)"),
        **refusal(503, "The database cannot be used at the moment (database_unavailable)"),
    }


def unknown_robot() -> dict[int, Any]:
    """Describe the answer for a robot that was never heard."""
    return refusal(404, "No message of this robot has arrived (unknown_robot)")


def query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """Describe a query parameter; text unless `schema` says otherwise."""
    return {"in": "query", "name": name, "description": description, "schema": schema or {"type": "string"}}


def time_query(name: str, description: str) -> dict[str, Any]:
    """Describe a query parameter that is a time."""
    return query(name, f"{description} ISO 8601 with a zone (2026-11-23T10:00:00Z), ago (-90s, -5m, -2h, -1d) or now.")


def robots_query() -> dict[str, Any]:
    """Describe the robot filter."""
    return query("robots", "Names with `*` for any characters, comma separated: KUKA/*,ABB/1.")


def types_query(*further: str) -> dict[str, Any]:
    """Describe the topic filter; `further` are the words that are no topics."""
    return query("types", f"Topics, comma separated, of {', '.join([*sorted(TOPICS), *further])}; all if missing.")


def interval_query() -> dict[str, Any]:
    """Describe the conflation of a stream."""
    return query("interval", "Milliseconds; at most one batch in so many.", type="integer", minimum=0, maximum=60_000)


def view_query() -> dict[str, Any]:
    """Describe the choice between messages and views."""
    return query("view", "1: robots' views (RobotView) instead of their messages.", type="string", enum=["0", "1"])
