"""`/`: the page. Static files only; it reads the public API as any other client does (see `security_headers`).

Every module that the first look needs is named in the page's head, so that the browser asks for all of them at once
instead of learning of one from the other.
"""

from pathlib import Path

from flask import Blueprint, Response, render_template

from vda5050.api.auth import principal
from vda5050.service import Service

_STATIC = Path(__file__).parent / "static"
_NOT_OF_THE_PAGE = ("docs.css", "login.css", "docs.js", "early.js", "login.js", "worker.js")
_LOADED_LATER = ("alerts/", "map/", "robot/", "time/", "later.js")


def create_blueprint(service: Service) -> Blueprint:
    """Build the route."""
    blueprint = Blueprint("dashboard", __name__)
    sheets, modules = _files("css"), _files("js")

    @blueprint.get("/")
    def page() -> Response:
        facts = {"stale_after_s": service.settings.stale_after_s, "has_history": service.history is not None}
        response = html_page("index.html", sheets=sheets, modules=modules, key=principal().key_id or "", **facts)
        response.headers["Cache-Control"] = "no-store"  # kept, it would come again after a login with another key
        return response

    return blueprint


def html_page(template: str, **values: object) -> Response:
    """Write a page, without its indentation: no template has text in which blanks at the begin of a line count."""
    text = render_template(template, **values)
    response = Response("\n".join(line.strip() for line in text.splitlines()), content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


def _files(kind: str) -> list[str]:
    """List the page's files of one kind below its folder; theme.css, which the others build on, comes first."""
    folder = _STATIC / kind
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob(f"*.{kind}"))
    wanted = [name for name in found if name not in _NOT_OF_THE_PAGE and not name.startswith(_LOADED_LATER)]
    return sorted(wanted, key=lambda name: name != "theme.css")
