"""The fleet as it is: robots, findings, verdicts, and how the gateway stands."""

from marshmallow import fields

from vda5050.api.answers.parts import Answer, nullable_text, text, time_text
from vda5050.api.conformance import RULE_IDS, SEVERITIES
from vda5050.robot_view import RobotViewSchema
from vda5050.schemas import Version
from vda5050.topics import TOPICS

_VERSIONS = tuple(version.text for version in Version)


class HealthSchema(Answer):
    """The process lives."""

    status = text("Always ok.", "ok")


class DependencySchema(Answer):
    """How one thing is that the gateway stands on."""

    ready = fields.Boolean(required=True)
    required = fields.Boolean(
        required=True, metadata={"description": "Without it the gateway is not ready; else it does its job, only less."}
    )
    detail = text("How it stands, for a person.")


class ReadinessSchema(Answer):
    """The gateway can do its job: everything required is ready."""

    ready = fields.Boolean(required=True, metadata={"description": "Always true; what is not ready is a problem, 503."})
    dependencies = fields.Dict(keys=fields.String(), values=fields.Nested(DependencySchema), required=True)


class RobotSchema(Answer):
    """A robot: what it said last, and what the gateway knows of it."""

    manufacturer = text("From the MQTT topic.")
    serial_number = text("From the MQTT topic.")
    connection_state = nullable_text("As its last connection message says it; null: there was none.")
    last_seen = nullable_text("When the robot itself last sent a live message; null: not yet.", format="date-time")
    is_stale = fields.Boolean(required=True, metadata={"description": "What is shown may be out of date."})
    last_message_type = text("The topic of `payload`.", *sorted(TOPICS))
    payload = fields.Dict(required=True, metadata={"description": "Its last message, as it sent it."})
    messages = fields.Dict(
        keys=fields.String(), values=fields.Dict(), required=True, metadata={"description": "Its last of each topic."}
    )
    view = fields.Nested(RobotViewSchema, required=True)


class FindingSchema(Answer):
    """What one rule found about one robot at one place, counted instead of repeated."""

    # No enumeration: a release may bring a rule, and a client must not stumble over its id.
    rule = text(f"The rule's id, at the moment one of {', '.join(RULE_IDS)}.")
    severity = text("error: against the standard; warning: sooner or later trouble; info: odd.", *SEVERITIES)
    robot = text("manufacturer/serial_number, from the MQTT topic.")
    topic = text("The topic that it was found on.", *sorted(TOPICS))
    place = text("Tells findings of one rule apart; where a value is at fault, its place in the message.")
    message = text("What is wrong, for a person, in the newest message.")
    clause = text("What it rests on: a section of VDA 5050 2.1.0 where nothing else is said.")
    contradicts = nullable_text(
        "Official schema or text of the standard; null where that is not told.", "schema", "text", "both"
    )
    count = fields.Integer(required=True, metadata={"description": "Messages, or times that it began."})
    first_seen = time_text("By the gateway's clock.")
    last_seen = time_text("By the gateway's clock.")
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

    robot = text("manufacturer/serial_number.")
    summary = text("One sentence.")


class MessageProblemSchema(Answer):
    """One thing that is wrong with a message."""

    path = text("JSON pointer to the member at fault, also where that is missing.", examples=["/batteryState"])
    message = text("What is wrong there, for a person.")
    severity = text("error: against the text; warning: against the official schema only; info: lenient.", *SEVERITIES)
    contradicts = text("What it contradicts.", "schema", "text", "both")
    code = text("What is wrong, for a program.", examples=["required", "type", "enum", "range", "enum_case"])


class VerdictSchema(Answer):
    """What is wrong with a message."""

    valid = fields.Boolean(required=True, metadata={"description": "No problem is an error."})
    version = text("The version it was judged by.", *_VERSIONS)
    topic = text("The topic it was judged as.", *sorted(TOPICS))
    problems = fields.List(fields.Nested(MessageProblemSchema), required=True)


class PublishedSchemaSchema(Answer):
    """Where a JSON Schema is."""

    version = text("Version of the standard.", *_VERSIONS)
    topic = text("The topic.", *sorted(TOPICS))
    url = text("Its path on this gateway.", format="uri-reference")


class PublishedSchemasSchema(Answer):
    """The published JSON Schemas."""

    schemas = fields.List(fields.Nested(PublishedSchemaSchema), required=True)
