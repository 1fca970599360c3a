"""What people do at the page: acknowledge alerts, give a map its layout and floor plan, log in."""

from typing import Any

from vda5050.api import answers
from vda5050.api.operations.parts import (
    Operation,
    bad_filter,
    get,
    ok,
    operation,
    query,
    refusal,
    robots_query,
    unknown_robot,
)
from vda5050.site_maps import LifSchema

_PLACEMENT = {
    "metres_per_pixel": "The floor plan's scale.",
    "origin_x": "x of its lower left corner, in metres.",
    "origin_y": "y of its lower left corner, in metres.",
    "rotation": "Its turn about that corner, counter-clockwise, in radians.",
}


def of_alerts() -> dict[str, dict[str, Operation]]:
    """Describe the acknowledgements."""
    refused = {**refusal(400, "robot or alert is missing or too long (bad_alert)"), **unknown_robot()}
    named = [query("robot", "manufacturer/serial_number."), query("alert", "Its name among those of its robot.")]
    texts = {"robot": {"type": "string"}, "alert": {"type": "string", "maxLength": 500, "minLength": 1}}
    schema = {"type": "object", "required": ["robot", "alert"], "properties": texts}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    done = answers.AcknowledgementSchema
    listed = {**ok(answers.AcknowledgementsSchema), **bad_filter()}
    return {
        "/alerts/acknowledgements": {
            "get": operation(
                "acknowledgements", "alerts", "Who has seen to which alert", listed, parameters=[robots_query()]
            ),
            "post": operation(
                "acknowledge", "alerts", "Acknowledge an alert", {201: ok(done)[200], **refused}, requestBody=body
            ),
            "delete": operation(
                "withdraw_acknowledgement",
                "alerts",
                "Take an acknowledgement back",
                {**ok(done), **refused},
                parameters=named,
            ),
        }
    }


def of_maps() -> dict[str, dict[str, Operation]]:
    """Describe layouts and floor plans."""
    image = {"type": "string", "format": "binary"}
    images = {media_type: {"schema": image} for media_type in ("image/png", "image/jpeg")}
    no_layout = refusal(404, "There is no such layout for this map (unknown_layout)")
    no_plan = refusal(404, "There is no such floor plan for this map (unknown_floor_plan)")
    shown_plan = {200: {"description": "The image; /maps tells where it lies.", "content": images}, **no_plan}
    lif = {"required": True, "content": {"application/json": {"schema": LifSchema}}}
    place = {"parameters": [query(name, text, type="number") for name, text in _PLACEMENT.items()]}
    moved = {**_uploaded("bad_placement"), **no_plan}
    return {
        "/maps": get("maps", "maps", "What is drawn under the robots, by map", ok(answers.SiteMapsSchema)),
        "/maps/<map_id>/layout": {
            **get("layout", "maps", "A map's ways, nodes and stations as LIF", {**ok(LifSchema), **no_layout}),
            "put": operation("put_layout", "maps", "Upload a layout", _uploaded("invalid_layout"), requestBody=lif),
            "delete": operation("delete_layout", "maps", "Delete an uploaded layout", {**_uploaded(), **no_layout}),
        },
        "/maps/<map_id>/floor-plan": {
            **get("floor_plan", "maps", "A map's floor plan", shown_plan),
            "put": operation(
                "put_floor_plan",
                "maps",
                "Upload a floor plan",
                _uploaded("unsupported_image"),
                requestBody={"required": True, "content": images},
                **place,
            ),
            "patch": operation("place_floor_plan", "maps", "Place an uploaded floor plan", moved, **place),
            "delete": operation("delete_floor_plan", "maps", "Delete an uploaded plan", {**_uploaded(), **no_plan}),
        },
    }


def _uploaded(code: str = "") -> dict[int, Any]:
    """Give what an upload or a deletion answers; `code` is that of a file that is not what it should be."""
    taken = {**ok(answers.SiteMapSchema), **refusal(409, "There is no database, or it is full of maps")}
    if not code:
        return taken
    return {
        **taken,
        **refusal(400, "The map's id or the placement cannot be used (bad_map_id, bad_placement)"),
        **refusal(413, "The file is too large"),
        **refusal(422, f"The file cannot be used ({code} and others); `problems` may tell more"),
    }


def of_login() -> dict[str, dict[str, Operation]]:
    """Describe how a browser comes in."""
    page, form = {"type": "string"}, {"type": "object", "properties": {"key": {"type": "string"}}}
    sent_on = {303: {"description": "On to where the visitor wanted to go"}}
    shown = {**ok(page, "text/html"), **sent_on}
    refused = {403: {"description": "The form again: the key is not valid", "content": {"text/html": {"schema": page}}}}
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}}
    where = [query("next", "Path to go to afterwards.")]
    return {
        "/login": {
            **get("login_page", "login", "The page that asks for a key", shown, parameters=where),
            "post": operation("login", "login", "A cookie for a key", {**sent_on, **refused}, requestBody=body),
        },
        "/logout": {"post": operation("logout", "login", "Take the cookie away", sent_on)},
        "/session": get("session", "login", "Who one is", ok(answers.SessionSchema)),
    }
