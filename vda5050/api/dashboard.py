"""`/`: the page. Static files only; it reads the public API as any other client does.

The policy lets it load and reach nothing but this gateway, and run no script that is not one of its files: a robot's
name that got into the page as markup by mistake would still not run.
"""

from flask import Blueprint, Response, render_template

_CONTENT_SECURITY_POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'"


def create_blueprint() -> Blueprint:
    """Build the route."""
    blueprint = Blueprint("dashboard", __name__)

    @blueprint.get("/")
    def page() -> Response:
        return html_page("index.html")

    return blueprint


def html_page(template: str) -> Response:
    """Write a page under the policy above."""
    response = Response(render_template(template))
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    return response
