"""Where the official JSON Schemas and the specification's text disagree: all deviations that we know, as data.

docs/conformance.md shows them as a table; a test compares the two. "Official" are for 1.1 the files of
VDA5050/vd-m-a-5050 (branch 5.0.0), for 2.0 and 2.1 those of the tags of VDA5050/VDA5050, for 3.0 those of its branch
main of July 2026, since three files of the tag 3.0.0 are no JSON. "#356" is an issue there.

1.1 calls its schemas the point of truth, and its text prints some words in two ways: there both are accepted.
"""

from vda5050.schemas.members import TIMESTAMP_PATTERN, UINT32_MAX
from vda5050.validation.overlay import Overlay, deviation
from vda5050.validation.overlays_factsheet import FACTSHEET_OVERLAYS
from vda5050.validation.overlays_health import HEALTH_OVERLAYS
from vda5050.validation.overlays_order import ORDER_OVERLAYS
from vda5050.validation.overlays_state import STATE_OVERLAYS

_HEADERS = (
    deviation(
        "1.1 2.0 2.1 3.0",
        "order instantActions state visualization connection factsheet zoneSet responses",
        "/timestamp",
        official={},
        text={"pattern": TIMESTAMP_PATTERN},
        reason="ISO 8601 in UTC; the schema names the format at best, and validators need not check that",
    ),
    deviation(
        "1.1 2.0 2.1 3.0",
        "order instantActions state visualization connection zoneSet responses",
        "/headerId",
        official={},
        text={"minimum": 0, "maximum": UINT32_MAX},
        reason="uint32; the schema leaves out a limit",
    ),
)

OVERLAYS: tuple[Overlay, ...] = (*_HEADERS, *ORDER_OVERLAYS, *STATE_OVERLAYS, *HEALTH_OVERLAYS, *FACTSHEET_OVERLAYS)
"""All deviations."""
