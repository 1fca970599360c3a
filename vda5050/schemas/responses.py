"""The topic responses: the fleet control's answers to a robot's requests (3.0). Source: 3.0 section 7.5."""

from vda5050.schemas.common import HEADER
from vda5050.schemas.members import array, one_of, text, timestamp
from vda5050.schemas.shapes import Shape
from vda5050.schemas.versions import V3_0

RESPONSE = Shape(
    "response",
    {V3_0: "7.5"},
    required={
        "requestId": text("The request that this answers"),
        "grantType": one_of(
            "GRANTED QUEUED REVOKED REJECTED", "Granted, heard but not yet decided, taken back, or refused"
        ),
    },
    optional={"leaseExpiry": timestamp("Until when a grant holds, ISO 8601 in UTC")},
)

RESPONSES = Shape(
    "responses",
    {V3_0: "7.5"},
    required={**HEADER, "responses": array(RESPONSE, "The answers")},
)
