"""What each route takes and gives, for the OpenAPI: by Flask's rule, then by method.

Shapes are the classes of `answers`; flask-smorest turns them into references. A test compares the rules with the app's.
"""

from typing import Any

from marshmallow import Schema

from vda5050.api import answers
from vda5050.api.conformance import SEVERITIES
from vda5050.api.export import FORMATS
from vda5050.api_keys import Role
from vda5050.frames import FINDING
from vda5050.schemas import Version
from vda5050.site_maps import LifSchema
from vda5050.topics import TOPICS

Operation = dict[str, Any]
Shape = type[Schema] | dict[str, Any]

PATH_PARAMETERS = {
    "manufacturer": "As in the MQTT topic, percent-encoded.",
    "serial_number": "As in the MQTT topic, percent-encoded.",
    "map_id": "As the robots' mapId, percent-encoded.",
    "version": "A version of the standard, as 2.1.0.",
    "topic": "A topic of the standard, as state.",
}

_EVENTS = """A comment line, then events whose data is a JSON object:

* `{"type":"snapshot","data":{robot: {...}}}`: all matching robots as in /robots (without `view`); the first event
* `{"type":"update","data":{"topic":robot,"type":"state","payload":{...}}}`: one message, as the robot sent it
* the same with `"type":"view"`: a robot's RobotView, where `view=1` asks for it; then snapshots hold views, too
* `{"type":"finding","data":{...}}`: a Finding, where `types` asks for it
* `{"type":"acknowledgement","data":{...}}`: an Acknowledgement, where `types` asks for findings
* `{"type":"reset"}`: forget what you know, updates were missed; a snapshot follows
* `{"type":"status","data":{"broker":"connected"}}`: the gateway lost its broker (disconnected) or has it again

Each has an id `<epoch>-<offset>` to resume from."""

_TEXT = {"type": "string"}
_EVENT = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {"id": _TEXT, "data": _TEXT, "event": {"const": "message"}, "retry": {"type": "integer"}},
}


_REPLAYED = """As /stream: a snapshot as of `from`, then each message when its time has come, `speed` times as fast; at
the end `{"type":"end","data":{"from":...,"to":...,"messages":...}}`. Ids are `replay-<microseconds since 1970>`; a
client that comes back with one goes on after it."""


_PLACEMENT = {
    "metres_per_pixel": "The floor plan's scale.",
    "origin_x": "x of its lower left corner, in metres.",
    "origin_y": "y of its lower left corner, in metres.",
    "rotation": "Its turn about that corner, counter-clockwise, in radians.",
}


def operations_by_rule() -> dict[str, dict[str, Operation]]:
    """Give all operations. The caller owns them (apispec changes what it is given)."""
    return {
        **_of_gateway(),
        **_of_robots(),
        **_of_history(),
        **_of_streams(),
        **_of_conformance(),
        **_of_alerts(),
        **_of_maps(),
        **_of_validation(),
        **_of_login(),
    }


def refusals(method: str, role: Role) -> dict[int, Any]:
    """Give the answers of a route that needs a role to those who may not use it."""
    answers = _problem(401, "No key, or none that is valid (unauthorized)")
    reasons = [] if role is Role.READ else [f"The key has not the role {role.value} (forbidden)"]
    if method != "get":
        reasons.append("The page of another site sent this (forbidden, cross_site)")
    return {**answers, **(_problem(403, "; ".join(reasons)) if reasons else {})}


def _of_gateway() -> dict[str, dict[str, Operation]]:
    return {
        "/": _get("dashboard", "gateway", "The fleet as a page", _ok(_TEXT, "text/html")),
        "/docs": _get("docs", "gateway", "This description as a page", _ok(_TEXT, "text/html")),
        "/openapi.json": _get("openapi", "gateway", "This description", _ok({"type": "object"})),
        "/health": _get("health", "gateway", "The process lives", _ok(answers.HealthSchema)),
        "/ready": _get(
            "ready",
            "gateway",
            "Everything that the gateway needs is there",
            {**_ok(answers.ReadinessSchema), **_problem(503, "Something is missing; `dependencies` tells what")},
        ),
        "/metrics": _get("metrics", "gateway", "Metrics for Prometheus", _ok(_TEXT, "text/plain")),
    }


def _of_robots() -> dict[str, dict[str, Operation]]:
    robots = {"type": "object", "properties": {}, "additionalProperties": {"$ref": "#/components/schemas/Robot"}}
    return {
        "/robots": _get(
            "robots",
            "robots",
            "Every robot, by manufacturer/serial_number",
            {**_ok(robots), **_bad_filter(), **_no_history()},
            parameters=[_robots(), _types(), _time("at", "The fleet as it was then, as the history knows it.")],
        ),
        "/robots/<manufacturer>/<serial_number>": _get(
            "robot", "robots", "One robot", {**_ok(answers.RobotSchema), **_unknown_robot()}
        ),
    }


def _of_history() -> dict[str, dict[str, Operation]]:
    robot = _query("robot", "One robot, by its exact manufacturer/serial_number.")
    of_messages = [robot, _robots(), _types(), _time("from", "The first moment."), _time("to", "The first moment not.")]
    speed = _query("speed", "How many times as fast as it happened.", type="number", minimum=0.01, maximum=10_000)
    refused = {**_bad_filter(), **_no_history()}
    return {
        "/history": _get(
            "history",
            "history",
            "What happened, page by page",
            {**_ok(answers.HistoryPageSchema), **refused},
            parameters=[
                *of_messages,
                _query("limit", "Messages of a page; 100 if missing.", type="integer", minimum=1, maximum=1_000),
                _query("cursor", "`next` of the page before, for the same query."),
                _query("order", "desc (newest first, if missing) or asc.", type="string", enum=["asc", "desc"]),
            ],
        ),
        "/history/export": _get(
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
                **refused,
                **_problem(501, "Parquet needs the package pyarrow (no_parquet)"),
                **_problem(503, "The database is away, or the worker writes as many files as it may"),
            },
            parameters=[*of_messages, _query("format", "ndjson if missing.", type="string", enum=[*FORMATS])],
        ),
        "/robots/<manufacturer>/<serial_number>/timeline": _get(
            "timeline",
            "history",
            "One robot's orders, errors, charging, distance and use of time",
            {
                **_ok(answers.TimelineSchema),
                **refused,
                **_problem(404, "The history knows nothing of this robot (unknown_robot); there is none (no_history)"),
            },
            parameters=[_time("from", "A day before `to` if missing; 7 days at most."), _time("to", "now if missing.")],
        ),
        "/replay": _get(
            "replay",
            "history",
            "What happened, once more, as Server-Sent Events",
            {
                **_ok({"type": "string"}, "text/event-stream", _REPLAYED),
                204: {"description": "Last-Event-ID says that the client has seen all."},
                **refused,
                **_problem(503, "The database is away, or the worker plays as many replays as it may"),
            },
            parameters=[*of_messages[:-2], {**of_messages[-2], "required": True}, of_messages[-1], speed],
        ),
    }


def _of_streams() -> dict[str, dict[str, Operation]]:
    resume = [
        _query("last_event_id", "The id to resume from, for a client that cannot send the header."),
        {
            "in": "header",
            "name": "Last-Event-ID",
            "description": "The id to resume from; browsers send it by themselves.",
            "schema": {"type": "string"},
        },
    ]
    rest = [_types(FINDING), _interval(), _view(), *resume]
    events = {
        **_ok(_EVENT, "text/event-stream", _EVENTS),
        **_bad_filter(),
        **_problem(429, "Too many requests, or too many streams of this client (too_many_streams_of_client)"),
        **_problem(503, "The worker has as many streams as it may (too_many_streams); Retry-After says when to ask"),
    }
    refused = {
        101: {"description": f"Upgraded. Each event is a text message with its `id` as first member.\n\n{_EVENTS}"},
        **_bad_filter(),
        **_problem(403, "Pages of this origin may not open a WebSocket here"),
        **_problem(429, "Too many requests, or too many streams of this client (too_many_streams_of_client)"),
        **_problem(426, "The request was no WebSocket handshake"),
        **_problem(501, "The server cannot upgrade a connection"),
        **_problem(503, "The worker has as many streams as it may (too_many_streams)"),
    }
    return {
        "/stream": _get("stream", "streams", "All robots as Server-Sent Events", events, parameters=[_robots(), *rest]),
        "/stream/<manufacturer>/<serial_number>": _get(
            "stream_one", "streams", "One robot as Server-Sent Events", events, parameters=rest
        ),
        "/ws": _get("websocket", "streams", "The stream over WebSocket", refused, parameters=[_robots(), *rest]),
    }


def _of_conformance() -> dict[str, dict[str, Operation]]:
    parameters = [
        _robots(),
        _query("severity", f"{', '.join(SEVERITIES)}; comma separated."),
        _query("rule", "Ids of rules, comma separated."),
        _query("sample", "0: without the messages, which are most of the answer.", type="string", enum=["0", "1"]),
    ]
    return {
        "/conformance": _get(
            "conformance",
            "conformance",
            "What is wrong with what robots send",
            {**_ok(answers.ConformanceSchema), **_bad_filter()},
            parameters=parameters,
        ),
        "/robots/<manufacturer>/<serial_number>/conformance": _get(
            "robot_conformance",
            "conformance",
            "What is wrong with what one robot sends",
            {**_ok(answers.RobotConformanceSchema), **_unknown_robot()},
        ),
    }


def _of_alerts() -> dict[str, dict[str, Operation]]:
    refused = {**_problem(400, "robot or alert is missing or too long (bad_alert)"), **_unknown_robot()}
    named = [_query("robot", "manufacturer/serial_number."), _query("alert", "Its name among those of its robot.")]
    texts = {"robot": {"type": "string"}, "alert": {"type": "string", "maxLength": 500, "minLength": 1}}
    schema = {"type": "object", "required": ["robot", "alert"], "properties": texts}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    done = answers.AcknowledgementSchema
    listed = {**_ok(answers.AcknowledgementsSchema), **_bad_filter()}
    return {
        "/alerts/acknowledgements": {
            "get": _operation(
                "acknowledgements", "alerts", "Who has seen to which alert", listed, parameters=[_robots()]
            ),
            "post": _operation(
                "acknowledge", "alerts", "Acknowledge an alert", {201: _ok(done)[200], **refused}, requestBody=body
            ),
            "delete": _operation(
                "withdraw_acknowledgement",
                "alerts",
                "Take an acknowledgement back",
                {**_ok(done), **refused},
                parameters=named,
            ),
        }
    }


def _of_maps() -> dict[str, dict[str, Operation]]:
    image = {"type": "string", "format": "binary"}
    images = {media_type: {"schema": image} for media_type in ("image/png", "image/jpeg")}
    no_layout = _problem(404, "There is no such layout for this map (unknown_layout)")
    no_plan = _problem(404, "There is no such floor plan for this map (unknown_floor_plan)")
    shown_plan = {200: {"description": "The image; /maps tells where it lies.", "content": images}, **no_plan}
    lif = {"required": True, "content": {"application/json": {"schema": LifSchema}}}
    place = {"parameters": [_query(name, text, type="number") for name, text in _PLACEMENT.items()]}
    moved = {**_uploaded("bad_placement"), **no_plan}
    return {
        "/maps": _get("maps", "maps", "What is drawn under the robots, by map", _ok(answers.SiteMapsSchema)),
        "/maps/<map_id>/layout": {
            **_get("layout", "maps", "A map's ways, nodes and stations as LIF", {**_ok(LifSchema), **no_layout}),
            "put": _operation("put_layout", "maps", "Upload a layout", _uploaded("invalid_layout"), requestBody=lif),
            "delete": _operation("delete_layout", "maps", "Delete an uploaded layout", {**_uploaded(), **no_layout}),
        },
        "/maps/<map_id>/floor-plan": {
            **_get("floor_plan", "maps", "A map's floor plan", shown_plan),
            "put": _operation(
                "put_floor_plan",
                "maps",
                "Upload a floor plan",
                _uploaded("unsupported_image"),
                requestBody={"required": True, "content": images},
                **place,
            ),
            "patch": _operation("place_floor_plan", "maps", "Place an uploaded floor plan", moved, **place),
            "delete": _operation("delete_floor_plan", "maps", "Delete an uploaded plan", {**_uploaded(), **no_plan}),
        },
    }


def _uploaded(refusal: str = "") -> dict[int, Any]:
    """Give what an upload or a deletion answers; `refusal` is the code of a file that is not what it should be."""
    taken = {**_ok(answers.SiteMapSchema), **_problem(409, "There is no database, or it is full of maps")}
    if not refusal:
        return taken
    return {
        **taken,
        **_problem(400, "The map's id or the placement cannot be used (bad_map_id, bad_placement)"),
        **_problem(413, "The file is too large"),
        **_problem(422, f"The file cannot be used ({refusal} and others); `problems` may tell more"),
    }


def _of_validation() -> dict[str, dict[str, Operation]]:
    versions = [version.text for version in Version]
    judged = {
        **_ok(answers.VerdictSchema),
        **_problem(400, "The body is no JSON object (unreadable_message), or topic or version is unknown"),
        **_problem(403, "Pages of this origin may not send anything here (foreign_origin)"),
        **_problem(408, "The body did not arrive in time"),
        **_problem(413, "The body is longer than a message may be"),
    }
    body = {
        "required": True,
        "description": "A message, as JSON, as a robot would send it.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    parameters = [
        {**_query("topic", "What the message is."), "required": True, "schema": {"enum": sorted(TOPICS)}},
        _query("version", f"Version of the standard ({', '.join(versions)}); found out where it is missing."),
    ]
    return {
        "/validate": {
            "post": _operation(
                "validate", "conformance", "Judge a message", judged, parameters=parameters, requestBody=body
            )
        },
        "/schemas": _get("schemas", "conformance", "The JSON Schemas there are", _ok(answers.PublishedSchemasSchema)),
        "/schemas/<version>/<topic>": _get(
            "schema",
            "conformance",
            "The JSON Schema (2020-12) of a topic",
            {**_ok({"type": "object"}, "application/schema+json"), **_problem(404, "There is no such schema")},
        ),
    }


def _of_login() -> dict[str, dict[str, Operation]]:
    page, form = {"type": "string"}, {"type": "object", "properties": {"key": {"type": "string"}}}
    sent_on = {303: {"description": "On to where the visitor wanted to go"}}
    shown = {**_ok(page, "text/html"), **sent_on}
    refused = {403: {"description": "The form again: the key is not valid", "content": {"text/html": {"schema": page}}}}
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}}
    where = [_query("next", "Path to go to afterwards.")]
    return {
        "/login": {
            **_get("login_page", "login", "The page that asks for a key", shown, parameters=where),
            "post": _operation("login", "login", "A cookie for a key", {**sent_on, **refused}, requestBody=body),
        },
        "/logout": {"post": _operation("logout", "login", "Take the cookie away", sent_on)},
        "/session": _get("session", "login", "Who one is", _ok(answers.SessionSchema)),
    }


def _get(operation_id: str, tag: str, summary: str, responses: dict[Any, Any], **more: Any) -> dict[str, Operation]:
    return {"get": _operation(operation_id, tag, summary, responses, **more)}


def _operation(operation_id: str, tag: str, summary: str, responses: dict[Any, Any], **more: Any) -> Operation:
    refusals = {
        **_problem(414, "The address is longer than the server reads (uri_too_long)"),
        **_problem(421, "The gateway does not answer for this host (unknown_host)"),
        **_problem(429, "Too many requests of this client (too_many_requests); Retry-After says when to ask"),
        **_problem(431, "The headers are more, or longer, than the server reads (headers_too_large)"),
    }
    responses = {**refusals, **responses, "default": _problem(500, "Any other error")[500]}
    return {"operationId": operation_id, "tags": [tag], "summary": summary, "responses": responses, **more}


def _ok(shape: Shape, media_type: str = "application/json", description: str = "") -> dict[int, Any]:
    if not description:
        description = (shape.__doc__ or "") if isinstance(shape, type) else "As the summary says."
    return {200: {"description": description, "content": {media_type: {"schema": shape}}}}


def _problem(status: int, description: str) -> dict[int, Any]:
    content = {"application/problem+json": {"schema": answers.ProblemSchema}}
    return {status: {"description": description, "content": content}}


def _bad_filter() -> dict[int, Any]:
    return _problem(400, "A query parameter cannot be used (bad_filter); `parameter` names it")


def _no_history() -> dict[int, Any]:
    return {
        **_problem(404, "This gateway keeps no history (no_history)"),
        **_problem(503, "The database cannot be used at the moment (database_unavailable)"),
    }


def _unknown_robot() -> dict[int, Any]:
    return _problem(404, "No message of this robot has arrived (unknown_robot)")


def _query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"in": "query", "name": name, "description": description, "schema": schema or {"type": "string"}}


def _time(name: str, description: str) -> dict[str, Any]:
    return _query(name, f"{description} ISO 8601 with a zone (2026-11-23T10:00:00Z), ago (-90s, -5m, -2h, -1d) or now.")


def _robots() -> dict[str, Any]:
    return _query("robots", "Names with `*` for any characters, comma separated: KUKA/*,ABB/1.")


def _types(*further: str) -> dict[str, Any]:
    return _query("types", f"Topics, comma separated, of {', '.join([*sorted(TOPICS), *further])}; all if missing.")


def _interval() -> dict[str, Any]:
    return _query("interval", "Milliseconds; at most one batch in so many.", type="integer", minimum=0, maximum=60_000)


def _view() -> dict[str, Any]:
    return _query("view", "1: robots' views (RobotView) instead of their messages.", type="string", enum=["0", "1"])
