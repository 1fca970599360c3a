"""The fleet as it is: the gateway itself, robots, streams, findings, the checking of messages."""

from vda5050.api import answers
from vda5050.api.conformance import SEVERITIES
from vda5050.api.operations.parts import (
    TEXT,
    Operation,
    bad_filter,
    get,
    interval_query,
    no_history,
    ok,
    operation,
    query,
    refusal,
    robots_query,
    time_query,
    types_query,
    unknown_robot,
    view_query,
)
from vda5050.frames import FINDING
from vda5050.schemas import Version
from vda5050.topics import TOPICS

_EVENTS = """A comment line, then events whose data is a JSON object:

* `{"type":"snapshot","data":{robot: {...}}}`: all matching robots as in /robots (without `view`); the first event
* `{"type":"update","data":{"topic":robot,"type":"state","payload":{...}}}`: one message, as the robot sent it
* the same with `"type":"view"`: a robot's RobotView, where `view=1` asks for it; then snapshots hold views, too
* `{"type":"finding","data":{...}}`: a Finding, where `types` asks for it
* `{"type":"acknowledgement","data":{...}}`: an Acknowledgement, where `types` asks for findings
* `{"type":"reset"}`: forget what you know, updates were missed; a snapshot follows
* `{"type":"status","data":{"broker":"connected"}}`: the gateway lost its broker (disconnected) or has it again

Each has an id `<epoch>-<offset>` to resume from."""

_EVENT = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {"id": TEXT, "data": TEXT, "event": {"const": "message"}, "retry": {"type": "integer"}},
}


def of_gateway() -> dict[str, dict[str, Operation]]:
    """Describe what the gateway says of itself."""
    return {
        "/": get("dashboard", "gateway", "The fleet as a page", ok(TEXT, "text/html")),
        "/docs": get("docs", "gateway", "This description as a page", ok(TEXT, "text/html")),
        "/openapi.json": get("openapi", "gateway", "This description", ok({"type": "object"})),
        "/health": get("health", "gateway", "The process lives", ok(answers.HealthSchema)),
        "/ready": get(
            "ready",
            "gateway",
            "Everything that the gateway needs is there",
            {**ok(answers.ReadinessSchema), **refusal(503, "Something is missing; `dependencies` tells what")},
        ),
        "/metrics": get("metrics", "gateway", "Metrics for Prometheus", ok(TEXT, "text/plain")),
    }


def of_robots() -> dict[str, dict[str, Operation]]:
    """Describe /robots."""
    robots = {"type": "object", "properties": {}, "additionalProperties": {"$ref": "#/components/schemas/Robot"}}
    return {
        "/robots": get(
            "robots",
            "robots",
            "Every robot, by manufacturer/serial_number",
            {**ok(robots), **bad_filter(), **no_history()},
            parameters=[
                robots_query(),
                types_query(),
                time_query("at", "The fleet as it was then, as the history knows it."),
            ],
        ),
        "/robots/<manufacturer>/<serial_number>": get(
            "robot", "robots", "One robot", {**ok(answers.RobotSchema), **unknown_robot()}
        ),
    }


def of_streams() -> dict[str, dict[str, Operation]]:
    """Describe the streams."""
    resume = [
        query("last_event_id", "The id to resume from, for a client that cannot send the header."),
        {
            "in": "header",
            "name": "Last-Event-ID",
            "description": "The id to resume from; browsers send it by themselves.",
            "schema": {"type": "string"},
        },
    ]
    rest = [types_query(FINDING), interval_query(), view_query(), *resume]
    events = {
        **ok(_EVENT, "text/event-stream", _EVENTS),
        **bad_filter(),
        **refusal(429, "Too many requests, or too many streams of this client (too_many_streams_of_client)"),
        **refusal(503, "The worker has as many streams as it may (too_many_streams); Retry-After says when to ask"),
    }
    refused = {
        101: {"description": f"Upgraded. Each event is a text message with its `id` as first member.\n\n{_EVENTS}"},
        **bad_filter(),
        **refusal(403, "Pages of this origin may not open a WebSocket here"),
        **refusal(429, "Too many requests, or too many streams of this client (too_many_streams_of_client)"),
        **refusal(426, "The request was no WebSocket handshake"),
        **refusal(501, "The server cannot upgrade a connection"),
        **refusal(503, "The worker has as many streams as it may (too_many_streams)"),
    }
    return {
        "/stream": get(
            "stream", "streams", "All robots as Server-Sent Events", events, parameters=[robots_query(), *rest]
        ),
        "/stream/<manufacturer>/<serial_number>": get(
            "stream_one", "streams", "One robot as Server-Sent Events", events, parameters=rest
        ),
        "/ws": get("websocket", "streams", "The stream over WebSocket", refused, parameters=[robots_query(), *rest]),
    }


def of_conformance() -> dict[str, dict[str, Operation]]:
    """Describe what the doctor found."""
    parameters = [
        robots_query(),
        query("severity", f"{', '.join(SEVERITIES)}; comma separated."),
        query("rule", "Ids of rules, comma separated."),
        query("sample", "0: without the messages, which are most of the answer.", type="string", enum=["0", "1"]),
    ]
    return {
        "/conformance": get(
            "conformance",
            "conformance",
            "What is wrong with what robots send",
            {**ok(answers.ConformanceSchema), **bad_filter()},
            parameters=parameters,
        ),
        "/robots/<manufacturer>/<serial_number>/conformance": get(
            "robot_conformance",
            "conformance",
            "What is wrong with what one robot sends",
            {**ok(answers.RobotConformanceSchema), **unknown_robot()},
        ),
    }


def of_validation() -> dict[str, dict[str, Operation]]:
    """Describe the checking of single messages, and the schemas."""
    versions = [version.text for version in Version]
    judged = {
        **ok(answers.VerdictSchema),
        **refusal(400, "The body is no JSON object (unreadable_message), or topic or version is unknown"),
        **refusal(403, "Pages of this origin may not send anything here (foreign_origin)"),
        **refusal(408, "The body did not arrive in time"),
        **refusal(413, "The body is longer than a message may be"),
    }
    body = {
        "required": True,
        "description": "A message, as JSON, as a robot would send it.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    parameters = [
        {**query("topic", "What the message is."), "required": True, "schema": {"enum": sorted(TOPICS)}},
        query("version", f"Version of the standard ({', '.join(versions)}); found out where it is missing."),
    ]
    return {
        "/validate": {
            "post": operation(
                "validate", "conformance", "Judge a message", judged, parameters=parameters, requestBody=body
            )
        },
        "/schemas": get("schemas", "conformance", "The JSON Schemas there are", ok(answers.PublishedSchemasSchema)),
        "/schemas/<version>/<topic>": get(
            "schema",
            "conformance",
            "The JSON Schema (2020-12) of a topic",
            {**ok({"type": "object"}, "application/schema+json"), **refusal(404, "There is no such schema")},
        ),
    }
