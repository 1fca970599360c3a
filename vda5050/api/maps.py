"""`/maps`: what is drawn under the robots: for each map a layout (LIF) and a floor plan."""

import orjson
from flask import Blueprint, Response, request

from vda5050.api.problems import problem
from vda5050.service import Service

_IMAGE_POLICY = "default-src 'none'; sandbox"
"""An image is looked at and nothing else, also where somebody opens it by itself."""


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("maps", __name__)

    @blueprint.get("/maps")
    def maps() -> Response:
        """List what there is for each map."""
        response = Response(orjson.dumps({"maps": service.site_maps.facts()}), content_type="application/json")
        response.add_etag()
        return _revalidated(response)

    @blueprint.get("/maps/<map_id>/layout")
    def layout(map_id: str) -> Response:
        found = service.site_maps.layouts.get(map_id)
        if found is None:
            return problem(404, "unknown_layout", "There is no layout for this map.")
        response = Response(found.body, content_type="application/json")
        response.set_etag(found.facts["digest"])
        return _revalidated(response)

    @blueprint.get("/maps/<map_id>/floor-plan")
    def floor_plan(map_id: str) -> Response:
        found = service.site_maps.floor_plans.get(map_id)
        if found is None:
            return problem(404, "unknown_floor_plan", "There is no floor plan for this map.")
        response = Response(found.body, content_type=found.image.media_type)
        response.headers["Content-Security-Policy"] = _IMAGE_POLICY
        response.set_etag(found.facts["digest"])
        return _revalidated(response)

    return blueprint


def _revalidated(response: Response) -> Response:
    """Let a browser keep it, and ask each time whether it still holds."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
