"""Which role each route needs: the one place that says so.

By method and Flask's rule. A route that is not here needs `admin`, so that one that was forgotten is shut; a test holds
this table against the app's routes.
"""

from vda5050.api_keys import Role

PUBLIC = None
"""Needs nobody: no view of it may show a robot, or what the gateway is made of."""

READ, CONTROL, ADMIN = Role.READ, Role.CONTROL, Role.ADMIN

ROUTES: dict[str, Role | None] = {
    "GET /": READ,
    "DELETE /alerts/acknowledgements": CONTROL,
    "GET /alerts/acknowledgements": READ,
    "POST /alerts/acknowledgements": CONTROL,
    "GET /conformance": READ,
    "GET /docs": READ,
    "GET /health": PUBLIC,
    "GET /history": READ,
    "GET /history/export": READ,
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "POST /logout": PUBLIC,  # takes a cookie away, whatever it was worth
    "DELETE /maps/<map_id>/floor-plan": ADMIN,
    "DELETE /maps/<map_id>/layout": ADMIN,
    "GET /maps": READ,
    "GET /maps/<map_id>/floor-plan": READ,
    "GET /maps/<map_id>/layout": READ,
    "PATCH /maps/<map_id>/floor-plan": ADMIN,
    "PUT /maps/<map_id>/floor-plan": ADMIN,
    "PUT /maps/<map_id>/layout": ADMIN,
    "GET /metrics": READ,
    "GET /openapi.json": READ,
    "GET /ready": PUBLIC,  # whether it is ready; why not is shown to those who may read (see `health`)
    "GET /replay": READ,
    "GET /robots": READ,
    "GET /robots/<manufacturer>/<serial_number>": READ,
    "GET /robots/<manufacturer>/<serial_number>/conformance": READ,
    "GET /robots/<manufacturer>/<serial_number>/timeline": READ,
    "GET /schemas": READ,
    "GET /schemas/<version>/<topic>": READ,
    "GET /session": READ,
    "GET /static/<path:filename>": PUBLIC,  # the pages' files; the login page needs its own
    "GET /stream": READ,
    "GET /stream/<manufacturer>/<serial_number>": READ,
    "POST /validate": READ,
    "GET /ws": READ,
}


def needed_role(method: str, rule: str) -> Role | None:
    """Give the role that a request needs; PUBLIC where it needs none."""
    method = "GET" if method == "HEAD" else method
    return ROUTES.get(f"{method} {rule}", ADMIN)
