"""What several routes answer: JSON that no cache keeps, an event stream, a robot that nobody knows."""

import orjson
from flask import Response, request

from vda5050.api.problems import problem
from vda5050.frames import Wire

_STREAM_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx: pass every event on at once
    "Vary": "Accept-Encoding",
}


def json_reply(body: object, status: int = 200) -> Response:
    """Answer with JSON, which `body` is where it is bytes."""
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    response = Response(text, status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def unknown_robot() -> Response:
    """Answer that there is no such robot, or none that the key may see."""
    return problem(404, "unknown_robot", "No message of this robot has arrived.")


def accepted_wire() -> Wire:
    """Tell what a client of an event stream can read."""
    return Wire.SSE_GZIP if request.accept_encodings["gzip"] > 0 else Wire.SSE


def as_event_stream(response: Response, wire: Wire) -> Response:
    """Give an answer the headers of an event stream."""
    response.content_type = "text/event-stream; charset=utf-8"
    response.headers.update(_STREAM_HEADERS)
    if wire is Wire.SSE_GZIP:
        response.headers["Content-Encoding"] = "gzip"
    return response


def headers_alone() -> Response:
    """Answer HEAD for a body whose length nobody knows before it is written."""
    response = Response()
    response.automatically_set_content_length = False
    return response
