"""`/robots`: what every robot said last, now or (`at`) by then."""

from dataclasses import replace

from flask import Blueprint, Response, request

from vda5050.api.auth import principal
from vda5050.api.history import asked_stretch, asked_time, turned_off
from vda5050.api.replies import json_reply, unknown_robot
from vda5050.broadcast import Filter
from vda5050.history import fleet_at
from vda5050.service import Service


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("robots", __name__)

    @blueprint.get("/robots")
    def robots() -> Response:
        """Show the fleet by robot key, filtered by `robots` and `types` as a stream is.

        Raises FilterError; DatabaseUnavailable where `at` asks for the fleet as it was.
        """
        if "at" in request.args:
            return _fleet_as_it_was(service)
        wanted = Filter.parse(robots=request.args.get("robots", ""), types=request.args.get("types", ""))
        wanted = wanted.within(principal().robots_source)
        return json_reply(service.robots.get_robots(wanted.selection(), wanted.topics))

    @blueprint.get("/robots/<manufacturer>/<serial_number>")
    def robot(manufacturer: str, serial_number: str) -> Response:
        key = f"{manufacturer}/{serial_number}"
        entry = service.robots.get_robot(key) if principal().may_see(key) else None
        if entry is None:
            return unknown_robot()
        return json_reply(entry)

    return blueprint


def _fleet_as_it_was(service: Service) -> Response:
    if service.history is None:
        return turned_off()
    at_us = asked_time("at", None)
    stretch = replace(asked_stretch(), end_us=at_us + 1)
    messages = service.history.reader.last_messages(stretch.end_us, stretch)
    fleet = fleet_at(at_us, messages, stale_after_s=service.settings.stale_after_s)
    return json_reply(fleet.robots.get_robots())
