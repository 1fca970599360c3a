"""The shapes of what the API answers, as marshmallow schemas, for the OpenAPI.

They describe; they do not write: answers are bytes that were made elsewhere, once for all clients. That they are true
is tested by holding answers against the document made of them (tests/api/test_openapi.py).
"""

from marshmallow import INCLUDE, Schema, fields, validate

from vda5050.api.conformance import RULE_IDS, SEVERITIES
from vda5050.api_keys import Role
from vda5050.robot_view import RobotViewSchema
from vda5050.schemas import Version
from vda5050.topics import TOPICS

_VERSIONS = tuple(version.text for version in Version)


class Answer(Schema):
    """What all answers share: a further member may come with any release, and breaks nobody."""

    class Meta:
        """Marshmallow's options."""

        unknown = INCLUDE


def _text(description: str, *choices: str, required: bool = True, **metadata: object) -> fields.String:
    return fields.String(
        required=required,
        validate=validate.OneOf(choices) if choices else None,
        metadata={"description": description, **metadata},
    )


def _nullable_text(description: str, *choices: str, **metadata: object) -> fields.String:
    return fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(choices) if choices else None,
        metadata={"description": description, **metadata},
    )


def _time(description: str) -> fields.String:
    return _text(description, format="date-time")


class ProblemSchema(Answer):
    """An error (RFC 9457). `code` is for programs and stays, `detail` is for people."""

    type = _text("Always about:blank: `code` tells problems apart.")
    title = _text("The HTTP status in words.")
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = _text("What is wrong, for a person.")
    code = _text("What is wrong, for a program.", examples=["unknown_robot", "bad_filter"])
    request_id = _text("Names the request in the gateway's log; also in the header X-Request-ID.")
    parameter = _text("The query parameter at fault, where one is.", required=False)
    reason = _text("Why a message could not be read, where that is the problem.", required=False)
    errors = fields.Dict(metadata={"description": "What is wrong with each parameter, where several may be."})
    limit = fields.Integer(metadata={"description": "The limit that was exceeded, where one was."})
    problems = fields.List(fields.Dict(), metadata={"description": "What is wrong in a file: {path, message}."})
    dependencies = fields.Dict(metadata={"description": "What /ready found, where something required is missing."})


class HealthSchema(Answer):
    """The process lives."""

    status = _text("Always ok.", "ok")


class DependencySchema(Answer):
    """How one thing is that the gateway stands on."""

    ready = fields.Boolean(required=True)
    required = fields.Boolean(
        required=True, metadata={"description": "Without it the gateway is not ready; else it does its job, only less."}
    )
    detail = _text("How it stands, for a person.")


class ReadinessSchema(Answer):
    """The gateway can do its job: everything required is ready."""

    ready = fields.Boolean(required=True, metadata={"description": "Always true; what is not ready is a problem, 503."})
    dependencies = fields.Dict(keys=fields.String(), values=fields.Nested(DependencySchema), required=True)


class RobotSchema(Answer):
    """A robot: what it said last, and what the gateway knows of it."""

    manufacturer = _text("From the MQTT topic.")
    serial_number = _text("From the MQTT topic.")
    connection_state = _nullable_text("As its last connection message says it; null: there was none.")
    last_seen = _nullable_text("When the robot itself last sent a live message; null: not yet.", format="date-time")
    is_stale = fields.Boolean(required=True, metadata={"description": "What is shown may be out of date."})
    last_message_type = _text("The topic of `payload`.", *sorted(TOPICS))
    payload = fields.Dict(required=True, metadata={"description": "Its last message, as it sent it."})
    messages = fields.Dict(
        keys=fields.String(), values=fields.Dict(), required=True, metadata={"description": "Its last of each topic."}
    )
    view = fields.Nested(RobotViewSchema, required=True)


class MessageSchema(Answer):
    """A message of the history."""

    received_at = _time("By the gateway's clock, to the microsecond; no two messages have the same.")
    robot = _text("manufacturer/serial_number, from the MQTT topic.")
    type = _text("The topic of the standard.", *sorted(TOPICS))
    mqtt_topic = _text("The topic it was published on.")
    is_retained = fields.Boolean(required=True, metadata={"description": "The broker had kept it: its age is unknown."})
    event_id = _text("The id that it had in the stream.")
    payload = fields.Dict(required=True, metadata={"description": "The message, as the robot sent it."})


class HistoryPageSchema(Answer):
    """Messages in the order asked for."""

    messages = fields.List(fields.Nested(MessageSchema), required=True)
    next = _nullable_text("The `cursor` of the next page; null: there is none.")


class EpisodeSchema(Answer):
    """Something that began and ended."""

    started_at = fields.String(
        required=True, allow_none=True, metadata={"description": "null: before the time asked for."}
    )
    ended_at = fields.String(required=True, allow_none=True, metadata={"description": "null: not by its end."})


class OrderEpisodeSchema(EpisodeSchema):
    """An order that the robot had."""

    order_id = _text("The order.")
    order_update_id = fields.Integer(required=True, allow_none=True, metadata={"description": "The last one."})
    last_node_id = _nullable_text("Where the robot was last.")


class ErrorEpisodeSchema(EpisodeSchema):
    """An error that the robot reported, from the first state that had it to the first that had not."""

    type = _nullable_text("As the robot says it.")
    level = _nullable_text("As the robot says it.")
    description = _nullable_text("As the robot said it first.")


class ChargingSchema(EpisodeSchema):
    """A time on the charger."""

    charge_before = fields.Float(required=True, allow_none=True, metadata={"description": "Per cent."})
    charge_after = fields.Float(required=True, allow_none=True, metadata={"description": "Per cent."})


class ConnectionChangeSchema(Answer):
    """A change of the connection."""

    at = _nullable_text("null: before the time asked for.", format="date-time")
    state = _nullable_text("As the robot view has it.")


class SpentSchema(Answer):
    """What the time was spent with; each moment counts once, in the order error, charging, driving, idle."""

    driving = fields.Float(required=True)
    idle = fields.Float(required=True)
    charging = fields.Float(required=True)
    error = fields.Float(required=True, metadata={"description": "With an error of the highest level."})
    silent = fields.Float(required=True, metadata={"description": "Without a state for longer than 45 s."})


class TimelineSchema(Answer):
    """One robot's time, summed up."""

    robot = _text("manufacturer/serial_number.")
    from_ = fields.String(required=True, data_key="from", metadata={"format": "date-time"})
    to = _time("The end, or now.")
    messages = fields.Integer(required=True, metadata={"description": "States and connection messages."})
    orders = fields.List(fields.Nested(OrderEpisodeSchema), required=True)
    errors = fields.List(fields.Nested(ErrorEpisodeSchema), required=True)
    connection = fields.List(fields.Nested(ConnectionChangeSchema), required=True)
    charging = fields.List(fields.Nested(ChargingSchema), required=True)
    distance_m = fields.Float(required=True, metadata={"description": "Metres between positions, jumps left out."})
    seconds = fields.Nested(SpentSchema, required=True)
    share = fields.Nested(SpentSchema, required=True, metadata={"description": "Of the whole, 0 to 1."})
    is_cut = fields.Boolean(required=True, metadata={"description": "There were more episodes than are listed."})


class FindingSchema(Answer):
    """What one rule found about one robot at one place, counted instead of repeated."""

    # No enumeration: a release may bring a rule, and a client must not stumble over its id.
    rule = _text(f"The rule's id, at the moment one of {', '.join(RULE_IDS)}.")
    severity = _text("error: against the standard; warning: sooner or later trouble; info: odd.", *SEVERITIES)
    robot = _text("manufacturer/serial_number, from the MQTT topic.")
    topic = _text("The topic that it was found on.", *sorted(TOPICS))
    place = _text("Tells findings of one rule apart; where a value is at fault, its place in the message.")
    message = _text("What is wrong, for a person, in the newest message.")
    clause = _text("What it rests on: a section of VDA 5050 2.1.0 where nothing else is said.")
    contradicts = _nullable_text(
        "Official schema or text of the standard; null where that is not told.", "schema", "text", "both"
    )
    count = fields.Integer(required=True, metadata={"description": "Messages, or times that it began."})
    first_seen = _time("By the gateway's clock.")
    last_seen = _time("By the gateway's clock.")
    offset = fields.Integer(
        required=True, metadata={"description": "The newest message's number in the stream; 0: no message is at fault."}
    )
    sample = fields.Dict(
        required=True, allow_none=True, metadata={"description": "The newest message; null: none, or too long."}
    )


class ConformanceSchema(Answer):
    """Findings, worst first."""

    findings = fields.List(fields.Nested(FindingSchema), required=True)


class RobotConformanceSchema(ConformanceSchema):
    """Findings of one robot, worst first."""

    robot = _text("manufacturer/serial_number.")
    summary = _text("One sentence.")


class AcknowledgementSchema(Answer):
    """Somebody has seen to an alert."""

    robot = _text("manufacturer/serial_number.")
    alert = _text("Its name among those of its robot, given by whoever shows it.")
    by = _text("The name of the key.")
    at = _nullable_text("By the gateway's clock; null: taken back.", format="date-time")


class AcknowledgementsSchema(Answer):
    """All that count; each does for twelve hours."""

    acknowledgements = fields.List(fields.Nested(AcknowledgementSchema), required=True)


class MessageProblemSchema(Answer):
    """One thing that is wrong with a message."""

    path = _text("JSON pointer to the member at fault, also where that is missing.", examples=["/batteryState"])
    message = _text("What is wrong there, for a person.")
    severity = _text("error: against the text; warning: against the official schema only; info: lenient.", *SEVERITIES)
    contradicts = _text("What it contradicts.", "schema", "text", "both")
    code = _text("What is wrong, for a program.", examples=["required", "type", "enum", "range", "enum_case"])


class VerdictSchema(Answer):
    """What is wrong with a message."""

    valid = fields.Boolean(required=True, metadata={"description": "No problem is an error."})
    version = _text("The version it was judged by.", *_VERSIONS)
    topic = _text("The topic it was judged as.", *sorted(TOPICS))
    problems = fields.List(fields.Nested(MessageProblemSchema), required=True)


class PublishedSchemaSchema(Answer):
    """Where a JSON Schema is."""

    version = _text("Version of the standard.", *_VERSIONS)
    topic = _text("The topic.", *sorted(TOPICS))
    url = _text("Its path on this gateway.", format="uri-reference")


class SessionSchema(Answer):
    """Who asks, as the gateway sees it."""

    name = _text("The key's name.")
    role = _text("What it may do; each includes the former.", *(role.value for role in Role))
    robots = _nullable_text("The robots it may see, as in the query of /stream; null: all.", examples=["KUKA/*"])
    expires_at = _nullable_text("When the key expires; null: never.", format="date-time")
    can_log_out = fields.Boolean(required=True, metadata={"description": "Whether this is a browser's cookie."})


class PublishedSchemasSchema(Answer):
    """The published JSON Schemas."""

    schemas = fields.List(fields.Nested(PublishedSchemaSchema), required=True)


class LayoutFactsSchema(Answer):
    """What there is of a layout."""

    name = _text("The names of its parts.")
    nodes = fields.Integer(required=True, metadata={"description": "How many nodes."})
    edges = fields.Integer(required=True, metadata={"description": "How many edges."})
    stations = fields.Integer(required=True, metadata={"description": "How many stations."})
    digest = _text("Changes with the content.")
    source = _text("Where it comes from.", "settings", "upload")


class FloorPlanFactsSchema(Answer):
    """What a floor plan is and where it lies: metres, y up."""

    media_type = _text("What the image is.", "image/png", "image/jpeg")
    width_px = fields.Integer(required=True, metadata={"description": "Its width in pixels."})
    height_px = fields.Integer(required=True, metadata={"description": "Its height in pixels."})
    metres_per_pixel = fields.Float(required=True, metadata={"description": "Its scale."})
    origin_x = fields.Float(required=True, metadata={"description": "x of its lower left corner."})
    origin_y = fields.Float(required=True, metadata={"description": "y of its lower left corner."})
    rotation = fields.Float(
        required=True, metadata={"description": "Its turn about that corner, counter-clockwise, in radians."}
    )
    digest = _text("Changes with the content.")
    source = _text("Where it comes from.", "settings", "upload")


class SiteMapSchema(Answer):
    """What is drawn under the robots of a map; null: nothing."""

    layout = fields.Nested(LayoutFactsSchema, required=True, allow_none=True)
    floor_plan = fields.Nested(FloorPlanFactsSchema, required=True, allow_none=True)


class SiteMapsSchema(Answer):
    """What is drawn under the robots, by map id."""

    may_change = fields.Boolean(required=True, metadata={"description": "Whether who asks may upload and delete."})
    maps = fields.Dict(required=True, keys=fields.String(), values=fields.Nested(SiteMapSchema))
