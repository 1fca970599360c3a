"""`/robots`: what every robot said last."""

from flask import Blueprint, Response, request

from vda5050.api.problems import problem
from vda5050.broadcast import Filter
from vda5050.service import Service


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("robots", __name__)

    @blueprint.get("/robots")
    def robots() -> Response:
        """Show the fleet by robot key, filtered by `robots` and `types` as a stream is. Raises FilterError."""
        wanted = Filter.parse(robots=request.args.get("robots", ""), types=request.args.get("types", ""))
        return _json(service.robots.get_robots(wanted.selection(), wanted.topics))

    @blueprint.get("/robots/<manufacturer>/<serial_number>")
    def robot(manufacturer: str, serial_number: str) -> Response:
        entry = service.robots.get_robot(f"{manufacturer}/{serial_number}")
        if entry is None:
            return problem(404, "unknown_robot", "No message of this robot has arrived.")
        return _json(entry)

    return blueprint


def _json(body: bytes) -> Response:
    response = Response(body, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
