"""The robot view as a whole: `RobotViewSchema`, and the shapes that read the topics it is made from.

`RobotViewSchema` is in the OpenAPI. It extends `SaidSchema`, the members that one robot message can say by itself: of a
state they are read in one go. `StateSchema` adds what a state splits differently in each version; `view` joins it.
"""

from marshmallow import Schema, fields, validate

from vda5050.robot_view.members import Flag, Identifier, Many, One, Word, shape_of
from vda5050.robot_view.parts.condition import (
    CONNECTION_STATES,
    ViewBatterySchema,
    ViewConnectionSchema,
    ViewErrorSchema,
    ViewInformationSchema,
    ViewLoadSchema,
    ViewSafetySchema,
)
from vda5050.robot_view.parts.factsheet import ViewDimensionsSchema, ViewFactsheetSchema
from vda5050.robot_view.parts.motion import (
    ViewIntermediatePathSchema,
    ViewPlannedPathSchema,
    ViewPositionSchema,
    ViewVelocitySchema,
)
from vda5050.robot_view.parts.order import ViewActionSchema, ViewAskedActionSchema, ViewOrderSchema
from vda5050.robot_view.parts.site import ViewMapSchema, ViewRequestSchema, ViewZoneSetSchema


class MotionSchema(Schema):
    """What state and visualization both say: the newer one counts."""

    position = One(ViewPositionSchema, "Where it is.", "agvPosition", "mobileRobotPosition")
    velocity = One(ViewVelocitySchema, "How fast it moves.", "velocity")
    planned_path = One(ViewPlannedPathSchema, "The way it means to take (3.0).", "plannedPath")
    intermediate_path = One(ViewIntermediatePathSchema, "The way just ahead (3.0).", "intermediatePath")


class SaidSchema(MotionSchema):
    """What a state says by itself, under one name or another."""

    driving = Flag("It drives or turns.", "driving")
    paused = Flag("It is paused, by a button or an instant action.", "paused")
    operating_mode = Word(
        "Who is in control:",
        "operatingMode",
        words="STARTUP AUTOMATIC SEMIAUTOMATIC INTERVENED MANUAL SERVICE TEACH_IN",
        aliases={"TEACHIN": "TEACH_IN", "SEMI_AUTOMATIC": "SEMIAUTOMATIC"},
    )
    battery = One(ViewBatterySchema, "The power supply.", "batteryState", "powerSupply")
    actions = Many(ViewActionSchema, "Actions of order, instantActions and zones, in this order.", "actionStates")
    errors = Many(ViewErrorSchema, "Errors the robot reports.", "errors")
    information = Many(ViewInformationSchema, "What else it tells.", "information", "informations")
    # marshmallow takes fields out of the class, so that Schema.loads stays what it is.
    loads = Many(ViewLoadSchema, "Loads it carries; null: it cannot tell.", "loads", "load")  # type: ignore[assignment]
    safety = One(ViewSafetySchema, "Safety functions.", "safetyState")
    maps = Many(ViewMapSchema, "Maps it holds.", "maps")
    zones = Many(ViewZoneSetSchema, "Sets of zones it holds.", "zoneSets")


class StateSchema(SaidSchema):
    """A state: what the view joins from several members is read apart."""

    instant_actions = Many(ViewActionSchema, "Instant actions (3.0).", "instantActionStates")
    zone_actions = Many(ViewActionSchema, "Actions of zones (3.0).", "zoneActionStates")
    zone_set_id = Identifier("The set of zones (up to 2.1).", "zoneSetId")
    zone_requests = Many(ViewRequestSchema, "Requests about zones (3.0).", "zoneRequests")
    edge_requests = Many(ViewRequestSchema, "Requests about edges (3.0).", "edgeRequests")


class InstantActionsSchema(Schema):
    """An instantActions message."""

    actions = Many(ViewAskedActionSchema, "The actions.", "actions", "instantActions")


class RobotViewSchema(SaidSchema):
    """One robot, whatever version of VDA 5050 it speaks. Null: it did not say. An empty list: it said there is none."""

    manufacturer = fields.String(required=True, metadata={"description": "From the topic."})
    serial_number = fields.String(required=True, metadata={"description": "From the topic."})
    version = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "VDA 5050 version it speaks, major.minor.patch.", "examples": ["2.1.0"]},
    )
    version_source = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(("payload", "topic", "shape")),
        metadata={
            "description": "What tells the version: the messages, the topic's version level (a bare major stands for "
            "its newest version), or names that only one version uses."
        },
    )
    connection_state = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(CONNECTION_STATES.split()),
        metadata={"description": "Link between robot and broker, in 3.0's words; null: unknown."},
    )
    connection = One(ViewConnectionSchema, "The last connection message.")
    last_seen = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "When the gateway last heard it, by the gateway's clock (ISO 8601, UTC)."},
    )
    is_stale = fields.Boolean(
        required=True,
        metadata={"description": "Not heard for longer than a robot may be silent, by the gateway's clock."},
    )
    order = One(ViewOrderSchema, "What it was told to do, and how far it is.")
    requests = Many(ViewRequestSchema, "What it asks leave for (3.0).")
    dimensions = One(ViewDimensionsSchema, "Size and speed, from the factsheet.")
    factsheet = One(ViewFactsheetSchema, "What it is, from the factsheet.")


STATE = shape_of(StateSchema)
MOTION = shape_of(MotionSchema)
ORDER = shape_of(ViewOrderSchema)
INSTANT_ACTIONS = shape_of(InstantActionsSchema)
CONNECTION = shape_of(ViewConnectionSchema)
FACTSHEET = shape_of(ViewFactsheetSchema)
DIMENSIONS = shape_of(ViewDimensionsSchema)
ZONE_SET = shape_of(ViewZoneSetSchema)
