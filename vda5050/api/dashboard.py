"""`/`: the page. Static files only; it reads the public API as any other client does."""

from flask import Blueprint, Response, render_template


def create_blueprint() -> Blueprint:
    """Build the route."""
    blueprint = Blueprint("dashboard", __name__)

    @blueprint.get("/")
    def page() -> Response:
        response = Response(render_template("index.html"))
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = (
            "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        return response

    return blueprint
