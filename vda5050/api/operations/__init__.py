"""What each route takes and gives, for the OpenAPI: by Flask's rule, then by method.

    live    the fleet as it is
    past    the fleet as it was
    people  what people do at the page
    parts   what several operations have

Shapes are the classes of `answers`; flask-smorest turns them into references. A test compares the rules with the app's.
"""

from typing import Any

from vda5050.api.operations import live, past, people
from vda5050.api.operations.parts import Operation, refusal
from vda5050.api_keys import Role

__all__ = ["PATH_PARAMETERS", "Operation", "operations_by_rule", "refusals"]

PATH_PARAMETERS = {
    "manufacturer": "As in the MQTT topic, percent-encoded.",
    "serial_number": "As in the MQTT topic, percent-encoded.",
    "map_id": "As the robots' mapId, percent-encoded.",
    "version": "A version of the standard, as 2.1.0.",
    "topic": "A topic of the standard, as state.",
}


def operations_by_rule() -> dict[str, dict[str, Operation]]:
    """Give all operations. The caller owns them (apispec changes what it is given)."""
    return {
        **live.of_gateway(),
        **live.of_robots(),
        **past.of_history(),
        **live.of_streams(),
        **live.of_conformance(),
        **people.of_alerts(),
        **people.of_maps(),
        **live.of_validation(),
        **people.of_login(),
    }


def refusals(method: str, role: Role) -> dict[int, Any]:
    """Give the answers of a route that needs a role to those who may not use it."""
    answers = refusal(401, "No key, or none that is valid (unauthorized)")
    reasons = [] if role is Role.READ else [f"The key has not the role {role.value} (forbidden)"]
    if method != "get":
        reasons.append("The page of another site sent this (forbidden, cross_site)")
    return {**answers, **(refusal(403, "; ".join(reasons)) if reasons else {})}
