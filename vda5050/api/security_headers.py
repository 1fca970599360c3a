"""What every answer tells browsers not to do with it.

A page may load and reach this gateway alone, and run no script that is not one of its files: a robot's name that got
into the page as markup by mistake would still not run. Everything else is data: nothing in it may run, and no other
site may frame or embed it. An answer may set any of these itself (`setdefault`).
"""

from flask import Flask, Response

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; font-src 'self'; "
    "img-src 'self' data: blob:; "  # a floor plan, or a picture made in the page
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",  # a robot's JSON is no page, whatever it looks like
    "X-Frame-Options": "DENY",  # as frame-ancestors, for old browsers
    "Referrer-Policy": "no-referrer",  # robots' names are in our addresses
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",  # does not touch CORS, which says itself who may read
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def register(app: Flask) -> None:
    """Set the headers on every answer of the app."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    headers = response.headers
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    is_page = response.mimetype in ("text/html", "text/javascript")  # a worker obeys its own script's policy
    headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else _DATA_POLICY)
    return response
