"""The topic visualization: position and velocity at a higher rate than the state (1.1 to 3.0).

Until 2.1 no member is required, not even the header. Sources: 1.1 to 2.1 section 6.13, 3.0 section 7.9.
"""

from vda5050.schemas.common import HEADER_OF_3_0, HEADER_UNTIL_2_1, MOTION
from vda5050.schemas.members import whole
from vda5050.schemas.shapes import Shape
from vda5050.schemas.versions import V1_1, V2_0, V2_1, V3_0

VISUALIZATION = Shape(
    "visualization",
    {V1_1: "6.13", V2_0: "6.13", V2_1: "6.13", V3_0: "7.9"},
    required={
        **HEADER_OF_3_0,
        "referenceStateHeaderId": whole("headerId of the state that this message refines", since=V3_0),
    },
    optional={**HEADER_UNTIL_2_1, **MOTION},
)
