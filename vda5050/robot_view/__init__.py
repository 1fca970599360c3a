"""One view of a robot, the same whatever version of VDA 5050 it speaks.

    messages by topic ─┐
                       ├─> build_view ─> {"position": {...}, "battery": {...}, "order": {...}, ...}
    what we know ──────┘

schema      the view as marshmallow schemas, for the OpenAPI; parts/ holds one concept a file
members     the fields of these schemas: meaning, unit, and what robots call it, 1.1 to 3.0 and dialects
shapes      what turns the schemas into readers; values reads a single value
joining     what several messages say about one thing: order, progress, actions, zones
view        all of it together

To read one more name of a vendor's dialect, add it to the field in parts/. To show one more thing, add a field there.
"""

from vda5050.robot_view.schema import RobotViewSchema
from vda5050.robot_view.view import GatewayFacts, Reading, build_view

__all__ = ["GatewayFacts", "Reading", "RobotViewSchema", "build_view"]
