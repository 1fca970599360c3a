"""The shapes of what the API answers, as marshmallow schemas, for the OpenAPI.

    live    the fleet as it is
    past    the fleet as it was
    people  what people do at the page
    parts   what all answers share

They describe; they do not write: answers are bytes that were made elsewhere, once for all clients. That they are true
is tested by holding answers against the document made of them (tests/api/test_openapi.py).
"""

from vda5050.api.answers.live import (
    ConformanceSchema,
    HealthSchema,
    PublishedSchemasSchema,
    ReadinessSchema,
    RobotConformanceSchema,
    RobotSchema,
    VerdictSchema,
)
from vda5050.api.answers.parts import ProblemSchema
from vda5050.api.answers.past import HistoryPageSchema, TimelineSchema
from vda5050.api.answers.people import (
    AcknowledgementSchema,
    AcknowledgementsSchema,
    SessionSchema,
    SiteMapSchema,
    SiteMapsSchema,
)

__all__ = [
    "AcknowledgementSchema",
    "AcknowledgementsSchema",
    "ConformanceSchema",
    "HealthSchema",
    "HistoryPageSchema",
    "ProblemSchema",
    "PublishedSchemasSchema",
    "ReadinessSchema",
    "RobotConformanceSchema",
    "RobotSchema",
    "SessionSchema",
    "SiteMapSchema",
    "SiteMapsSchema",
    "TimelineSchema",
    "VerdictSchema",
]
