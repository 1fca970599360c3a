"""`/health` (is the process alive), `/ready` (can it do its job), `/metrics` (Prometheus)."""

from flask import Blueprint, Response

from vda5050 import metrics
from vda5050.api.auth import may_read
from vda5050.api.problems import problem
from vda5050.api.replies import json_reply
from vda5050.service import Service


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health")
    def health() -> Response:
        return Response(b'{"status":"ok"}', content_type="application/json")

    @blueprint.get("/ready")
    def ready() -> Response:
        """200 while every required dependency is ready, else 503; `dependencies` tells of each in both.

        A load balancer needs no key; where things are and why they fail is told to those who may read.
        """
        is_told = may_read()
        states = {
            name: {
                "ready": dependency.is_ready,
                "required": dependency.is_required,
                "detail": dependency.detail if is_told else "",
            }
            for name, dependency in service.dependencies().items()
        }
        missing = [name for name, state in states.items() if state["required"] and not state["ready"]]
        if missing:
            return problem(503, "not_ready", f"not ready: {', '.join(missing)}", dependencies=states)
        return json_reply({"ready": True, "dependencies": states})

    @blueprint.get("/metrics")
    def prometheus() -> Response:
        return Response(service.scrape.render(), content_type=metrics.CONTENT_TYPE)

    return blueprint
