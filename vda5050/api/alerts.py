"""`/alerts/acknowledgements`: an alert that one person has seen to is told to all, by the stream.

The body is JSON, which no form of another site can send; `origins` refuses other sites' scripts.
"""

import orjson
from flask import Blueprint, Response, request

from vda5050.acknowledgements import Acknowledgement
from vda5050.api.auth import principal
from vda5050.api.problems import problem
from vda5050.api.replies import json_reply, unknown_robot
from vda5050.broadcast import Filter
from vda5050.service import Service

MAX_ALERT_CHARS = 500
_URL = "/alerts/acknowledgements"


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("alerts", __name__)

    @blueprint.get(_URL)
    def acknowledgements() -> Response:
        """List those that count, of all robots or those of `robots`. Raises FilterError."""
        wanted = Filter.parse(robots=request.args.get("robots", "")).within(principal().robots_source).selection()
        kept = service.acknowledgements.current()
        shown = [one.to_dict() for one in kept if wanted.has(one.robot)]
        return json_reply({"acknowledgements": shown})

    @blueprint.post(_URL)
    def acknowledge() -> Response:
        """Acknowledge an alert of a robot in the name of the key."""
        named = _named(_read_json())
        if isinstance(named, Response):
            return named
        return _tell(service, service.acknowledgements.put(*named, principal().name), 201)

    @blueprint.delete(_URL)
    def withdraw() -> Response:
        """Take an acknowledgement back, named by `robot` and `alert`."""
        named = _named({"robot": request.args.get("robot"), "alert": request.args.get("alert")})
        if isinstance(named, Response):
            return named
        withdrawn = service.acknowledgements.withdraw(*named, principal().name)
        if withdrawn is None:
            return problem(404, "unknown_acknowledgement", "This alert is not acknowledged.")
        return _tell(service, withdrawn, 200)

    def _named(body: object) -> tuple[str, str] | Response:
        robot, alert = (body.get("robot"), body.get("alert")) if isinstance(body, dict) else (None, None)
        if not isinstance(robot, str) or not isinstance(alert, str) or not 0 < len(alert) <= MAX_ALERT_CHARS:
            return problem(
                400, "bad_alert", f"robot and alert are needed, alert of at most {MAX_ALERT_CHARS} characters"
            )
        if robot not in service.robots or not principal().may_see(robot):
            return unknown_robot()
        return robot, alert

    return blueprint


def _read_json() -> object:
    """Read the body; None where it is no JSON. Flask's own reader fails at a thousand brackets that are not closed."""
    try:
        return orjson.loads(request.get_data(cache=False)) if request.is_json else None
    except orjson.JSONDecodeError:
        return None


def _tell(service: Service, acknowledgement: Acknowledgement, status: int) -> Response:
    service.broadcaster.notify_acknowledgement(acknowledgement.robot, acknowledgement.to_dict())
    return json_reply(acknowledgement.to_dict(), status)
