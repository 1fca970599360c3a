"""What every answer tells browsers not to do with it.

A page may load and reach this gateway alone, and run no script that is not one of its files: a robot's name that got
into the page as markup by mistake would still not run. Everything else is data: nothing in it may run, and no other
site may frame or embed it. An answer may have a policy of its own.
"""

from typing import Any

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; font-src 'self'; "
    "img-src 'self' data: blob:; "  # a floor plan, or a picture made in the page
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),  # a robot's JSON is no page, whatever it looks like
    ("X-Frame-Options", "DENY"),  # as frame-ancestors, for old browsers
    # Robots' names are in our addresses. Not no-referrer: with that a browser sends its own forms with `Origin: null`.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),  # does not touch CORS, which says itself who may read
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_POLICY = "Content-Security-Policy"
OF_DATA = (*_HEADERS, (_POLICY, "default-src 'none'; frame-ancestors 'none'"))
_OF_PAGE = (*_HEADERS, (_POLICY, PAGE_POLICY))


class SecurityHeaders:
    """The app with these headers on every answer.

    Around the app and not in it: seven headers through Werkzeug's cost a request 15 times what they cost here.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Let the app answer, and add the headers."""

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            # A 304's headers replace those that the browser has: without a type it cannot know which policy is right.
            more = _HEADERS if status.startswith("304") else _for(headers)
            return start_response(status, [*headers, *more], *rest)

        return self._app(environ, start)


def _for(headers: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    protection = OF_DATA
    for name, value in headers:
        if name == _POLICY:
            return _HEADERS
        if name == "Content-Type" and value.startswith(("text/html", "text/javascript")):  # a worker obeys its script's
            protection = _OF_PAGE
    return protection
