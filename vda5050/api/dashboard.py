"""`/`: the page. Static files only; it reads the public API as any other client does (see `security_headers`)."""

from flask import Blueprint, Response, render_template


def create_blueprint() -> Blueprint:
    """Build the route."""
    blueprint = Blueprint("dashboard", __name__)

    @blueprint.get("/")
    def page() -> Response:
        return html_page("index.html")

    return blueprint


def html_page(template: str) -> Response:
    """Write a page."""
    response = Response(render_template(template))
    response.headers["Cache-Control"] = "no-cache"
    return response
