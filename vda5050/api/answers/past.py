"""The fleet as it was: messages of the history, timelines."""

from marshmallow import fields

from vda5050.api.answers.parts import Answer, nullable_text, text, time_text
from vda5050.topics import TOPICS


class MessageSchema(Answer):
    """A message of the history."""

    received_at = time_text("By the gateway's clock, to the microsecond; no two messages have the same.")
    robot = text("manufacturer/serial_number, from the MQTT topic.")
    type = text("The topic of the standard.", *sorted(TOPICS))
    mqtt_topic = text("The topic it was published on.")
    is_retained = fields.Boolean(required=True, metadata={"description": "The broker had kept it: its age is unknown."})
    event_id = text("The id that it had in the stream.")
    payload = fields.Dict(required=True, metadata={"description": "The message, as the robot sent it."})


class HistoryPageSchema(Answer):
    """Messages in the order asked for."""

    messages = fields.List(fields.Nested(MessageSchema), required=True)
    next = nullable_text("The `cursor` of the next page; null: there is none.")


class EpisodeSchema(Answer):
    """Something that began and ended."""

    started_at = fields.String(
        required=True, allow_none=True, metadata={"description": "null: before the time asked for."}
    )
    ended_at = fields.String(required=True, allow_none=True, metadata={"description": "null: not by its end."})


class OrderEpisodeSchema(EpisodeSchema):
    """An order that the robot had."""

    order_id = text("The order.")
    order_update_id = fields.Integer(required=True, allow_none=True, metadata={"description": "The last one."})
    last_node_id = nullable_text("Where the robot was last.")


class ErrorEpisodeSchema(EpisodeSchema):
    """An error that the robot reported, from the first state that had it to the first that had not."""

    type = nullable_text("As the robot says it.")
    level = nullable_text("As the robot says it.")
    description = nullable_text("As the robot said it first.")


class ChargingSchema(EpisodeSchema):
    """A time on the charger."""

    charge_before = fields.Float(required=True, allow_none=True, metadata={"description": "Per cent."})
    charge_after = fields.Float(required=True, allow_none=True, metadata={"description": "Per cent."})


class ConnectionChangeSchema(Answer):
    """A change of the connection."""

    at = nullable_text("null: before the time asked for.", format="date-time")
    state = nullable_text("As the robot view has it.")


class SpentSchema(Answer):
    """What the time was spent with; each moment counts once, in the order error, charging, driving, idle."""

    driving = fields.Float(required=True)
    idle = fields.Float(required=True)
    charging = fields.Float(required=True)
    error = fields.Float(required=True, metadata={"description": "With an error of the highest level."})
    silent = fields.Float(required=True, metadata={"description": "Without a state for longer than 45 s."})


class TimelineSchema(Answer):
    """One robot's time, summed up."""

    robot = text("manufacturer/serial_number.")
    from_ = fields.String(required=True, data_key="from", metadata={"format": "date-time"})
    to = time_text("The end, or now.")
    messages = fields.Integer(required=True, metadata={"description": "States and connection messages."})
    orders = fields.List(fields.Nested(OrderEpisodeSchema), required=True)
    errors = fields.List(fields.Nested(ErrorEpisodeSchema), required=True)
    connection = fields.List(fields.Nested(ConnectionChangeSchema), required=True)
    charging = fields.List(fields.Nested(ChargingSchema), required=True)
    distance_m = fields.Float(required=True, metadata={"description": "Metres between positions, jumps left out."})
    seconds = fields.Nested(SpentSchema, required=True)
    share = fields.Nested(SpentSchema, required=True, metadata={"description": "Of the whole, 0 to 1."})
    is_cut = fields.Boolean(required=True, metadata={"description": "There were more episodes than are listed."})
