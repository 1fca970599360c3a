"""What people do at the page: acknowledge, log in, put maps under the robots."""

from marshmallow import fields

from vda5050.api.answers.parts import Answer, nullable_text, text
from vda5050.api_keys import Role


class AcknowledgementSchema(Answer):
    """Somebody has seen to an alert."""

    robot = text("manufacturer/serial_number.")
    alert = text("Its name among those of its robot, given by whoever shows it.")
    by = text("The name of the key.")
    at = nullable_text("By the gateway's clock; null: taken back.", format="date-time")


class AcknowledgementsSchema(Answer):
    """All that count; each does for twelve hours."""

    acknowledgements = fields.List(fields.Nested(AcknowledgementSchema), required=True)


class SessionSchema(Answer):
    """Who asks, as the gateway sees it."""

    name = text("The key's name.")
    role = text("What it may do; each includes the former.", *(role.value for role in Role))
    robots = nullable_text("The robots it may see, as in the query of /stream; null: all.", examples=["KUKA/*"])
    expires_at = nullable_text("When the key expires; null: never.", format="date-time")
    can_log_out = fields.Boolean(required=True, metadata={"description": "Whether this is a browser's cookie."})


class LayoutFactsSchema(Answer):
    """What there is of a layout."""

    name = text("The names of its parts.")
    nodes = fields.Integer(required=True, metadata={"description": "How many nodes."})
    edges = fields.Integer(required=True, metadata={"description": "How many edges."})
    stations = fields.Integer(required=True, metadata={"description": "How many stations."})
    digest = text("Changes with the content.")
    source = text("Where it comes from.", "settings", "upload")


class FloorPlanFactsSchema(Answer):
    """What a floor plan is and where it lies: metres, y up."""

    media_type = text("What the image is.", "image/png", "image/jpeg")
    width_px = fields.Integer(required=True, metadata={"description": "Its width in pixels."})
    height_px = fields.Integer(required=True, metadata={"description": "Its height in pixels."})
    metres_per_pixel = fields.Float(required=True, metadata={"description": "Its scale."})
    origin_x = fields.Float(required=True, metadata={"description": "x of its lower left corner."})
    origin_y = fields.Float(required=True, metadata={"description": "y of its lower left corner."})
    rotation = fields.Float(
        required=True, metadata={"description": "Its turn about that corner, counter-clockwise, in radians."}
    )
    digest = text("Changes with the content.")
    source = text("Where it comes from.", "settings", "upload")


class SiteMapSchema(Answer):
    """What is drawn under the robots of a map; null: nothing."""

    layout = fields.Nested(LayoutFactsSchema, required=True, allow_none=True)
    floor_plan = fields.Nested(FloorPlanFactsSchema, required=True, allow_none=True)


class SiteMapsSchema(Answer):
    """What is drawn under the robots, by map id."""

    may_change = fields.Boolean(required=True, metadata={"description": "Whether who asks may upload and delete."})
    maps = fields.Dict(required=True, keys=fields.String(), values=fields.Nested(SiteMapSchema))
