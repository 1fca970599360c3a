"""`/maps`: what is drawn under the robots: for each map a layout (LIF) and a floor plan, shown, uploaded, deleted."""

from collections.abc import Mapping

from flask import Blueprint, Response, request

from vda5050.api.auth import principal
from vda5050.api.bodies import read_body
from vda5050.api.problems import problem
from vda5050.api.replies import json_reply
from vda5050.api_keys import Role
from vda5050.service import Service
from vda5050.site_maps import FLOOR_PLAN, LAYOUT, MAX_LAYOUT_BYTES, Placement, SiteMapError

_IMAGE_POLICY = "default-src 'none'; sandbox"
"""An image is looked at and nothing else, also where somebody opens it by itself."""
_PLACEMENT = ("metres_per_pixel", "origin_x", "origin_y", "rotation")
_STATUS = {"too_large": 413, "bad_placement": 400, "bad_map_id": 400, "no_database": 409, "too_many_files": 409}
"""All others are 422: the file is not what it should be."""


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service. Each may raise DatabaseUnavailable."""
    blueprint = Blueprint("maps", __name__)
    blueprint.register_error_handler(SiteMapError, _refused)

    @blueprint.get("/maps")
    def maps() -> Response:
        """List what there is for each map, and say whether who asks may change it."""
        may_change = service.site_maps.takes_uploads and principal().role.includes(Role.ADMIN)
        response = json_reply({"maps": service.site_maps.facts(), "may_change": may_change})
        response.add_etag()
        return _revalidated(response)

    _add_layout_routes(blueprint, service)
    _add_floor_plan_routes(blueprint, service)
    return blueprint


def _add_layout_routes(blueprint: Blueprint, service: Service) -> None:
    @blueprint.get("/maps/<map_id>/layout")
    def layout(map_id: str) -> Response:
        found = service.site_maps.layout(map_id)
        if found is None:
            return _no_layout()
        response = Response(found.body, content_type="application/json")
        response.set_etag(found.facts["digest"])
        return _revalidated(response)

    @blueprint.put("/maps/<map_id>/layout")
    def put_layout(map_id: str) -> Response:
        """Take a LIF file as the map's layout. Raises SiteMapError."""
        service.site_maps.uploads.put_layout(map_id, _body())
        return _one(service, map_id)

    @blueprint.delete("/maps/<map_id>/layout")
    def delete_layout(map_id: str) -> Response:
        """Forget what was uploaded; one that the settings name is shown again."""
        is_gone = service.site_maps.uploads.delete(map_id, LAYOUT)
        return _one(service, map_id) if is_gone else _no_layout()


def _add_floor_plan_routes(blueprint: Blueprint, service: Service) -> None:
    @blueprint.get("/maps/<map_id>/floor-plan")
    def floor_plan(map_id: str) -> Response:
        found = service.site_maps.floor_plan(map_id)
        if found is None:
            return _no_floor_plan()
        response = Response(found.body, content_type=found.image.media_type)
        response.headers["Content-Security-Policy"] = _IMAGE_POLICY
        response.set_etag(found.facts["digest"])
        return _revalidated(response)

    @blueprint.put("/maps/<map_id>/floor-plan")
    def put_floor_plan(map_id: str) -> Response:
        """Take an image as the map's floor plan, placed as the query says. Raises SiteMapError."""
        placement = _placement(request.args)
        service.site_maps.uploads.put_floor_plan(map_id, _body(), placement)
        return _one(service, map_id)

    @blueprint.patch("/maps/<map_id>/floor-plan")
    def place_floor_plan(map_id: str) -> Response:
        """Place the uploaded floor plan elsewhere. Raises SiteMapError."""
        found = service.site_maps.uploads.place_floor_plan(map_id, _placement(request.args))
        return _no_floor_plan() if found is None else _one(service, map_id)

    @blueprint.delete("/maps/<map_id>/floor-plan")
    def delete_floor_plan(map_id: str) -> Response:
        """Forget what was uploaded; one that the settings name is shown again."""
        is_gone = service.site_maps.uploads.delete(map_id, FLOOR_PLAN)
        return _one(service, map_id) if is_gone else _no_floor_plan()


def _body() -> bytes:
    """Read an upload. Raises SiteMapError."""
    body = read_body(MAX_LAYOUT_BYTES)  # an image may be as large
    if body is None:
        raise SiteMapError("too_large", f"An upload may have {MAX_LAYOUT_BYTES} bytes.")
    return body


def _placement(query: Mapping[str, str]) -> Placement:
    """Read where a floor plan lies. Raises SiteMapError."""
    try:
        values = {name: float(query[name]) for name in _PLACEMENT if name in query}
        return Placement(**values)
    except (ValueError, TypeError) as error:
        detail = "metres_per_pixel is needed; origin_x, origin_y (metres) and rotation (radians) may be given: numbers."
        raise SiteMapError("bad_placement", detail) from error


def _one(service: Service, map_id: str) -> Response:
    return json_reply(service.site_maps.facts().get(map_id, {LAYOUT: None, FLOOR_PLAN: None}))


def _no_layout() -> Response:
    return problem(404, "unknown_layout", "There is no such layout for this map.")


def _no_floor_plan() -> Response:
    return problem(404, "unknown_floor_plan", "There is no such floor plan for this map.")


def _refused(error: SiteMapError) -> Response:
    more = {"problems": error.problems} if error.problems else {}
    return problem(_STATUS.get(error.code, 422), error.code, error.detail, **more)


def _revalidated(response: Response) -> Response:
    """Let a browser keep it, and ask each time whether it still holds."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
