"""The topic connection: whether a robot is connected to the broker (1.1 to 3.0), and nothing else.

Sources: 1.1 to 2.1 section 6.14, 3.0 section 7.7.
"""

from vda5050.schemas.common import HEADER
from vda5050.schemas.members import one_of
from vda5050.schemas.shapes import Shape
from vda5050.schemas.versions import V1_1, V2_0, V2_1, V3_0

_STATE = "Connected, gone in good order, or lost (the broker says so, by the robot's last will)"

CONNECTION = Shape(
    "connection",
    {V1_1: "6.14", V2_0: "6.14", V2_1: "6.14", V3_0: "7.7"},
    required={
        **HEADER,
        "connectionState": (
            one_of("ONLINE OFFLINE CONNECTIONBROKEN", _STATE, until=V2_1),
            one_of(
                "ONLINE OFFLINE HIBERNATING CONNECTION_BROKEN",
                f"{_STATE}; HIBERNATING: connected but silent, to save power",
                since=V3_0,
            ),
        ),
    },
)
