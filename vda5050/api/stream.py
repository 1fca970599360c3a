"""`/stream`: a snapshot, then every update as Server-Sent Events, until the client leaves (WHATWG HTML, section 9.2).

A streaming Flask response over one subscription: what it yields is ready for the wire and shared by all clients of the
same filter, so a client costs a wake-up and a write. gzip where the client accepts it: the bytes are compressed once
for all (see `frames`), which is why this is not left to a proxy.
"""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from vda5050.broadcast import Filter, Peer, StreamEnded, Subscription
from vda5050.frames import Wire
from vda5050.service import Service

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx: pass every event on at once
    "Vary": "Accept-Encoding",
}


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("stream", __name__)

    @blueprint.get("/stream")
    def stream() -> Response:
        """All robots, or those of `robots`. Raises FilterError, TooManyStreams."""
        return _stream(service, Filter.parse(robots=request.args.get("robots", ""), **_types_and_interval()))

    @blueprint.get("/stream/<manufacturer>/<serial_number>")
    def stream_one(manufacturer: str, serial_number: str) -> Response:
        """One robot, which need not have been heard yet. Raises FilterError, TooManyStreams."""
        return _stream(service, Filter.one_robot(f"{manufacturer}/{serial_number}", **_types_and_interval()))

    return blueprint


def _types_and_interval() -> dict[str, str]:
    return {"types": request.args.get("types", ""), "interval": request.args.get("interval", "")}


def last_event_id() -> str | None:
    """Read the id to resume from: EventSource sends a header, others may use `?last_event_id=`."""
    return request.headers.get("Last-Event-ID") or request.args.get("last_event_id")


def _stream(service: Service, wanted: Filter) -> Response:
    wire = Wire.SSE_GZIP if request.accept_encodings["gzip"] > 0 else Wire.SSE
    if request.method == "HEAD":
        response = Response()
    else:
        subscription = service.broadcaster.subscribe(wanted, wire, last_event_id())
        chunks = _chunks(service, subscription, request.environ)
        response = Response(chunks, direct_passthrough=True)
        response.call_on_close(lambda: service.broadcaster.unsubscribe(subscription))
    response.content_type = "text/event-stream; charset=utf-8"
    response.headers.update(_HEADERS)
    if wire is Wire.SSE_GZIP:
        response.headers["Content-Encoding"] = "gzip"
    return response


def _chunks(service: Service, subscription: Subscription, environ: dict[str, Any]) -> Iterator[bytes]:
    """Yield what the client is to be sent, until it leaves or the stream is ended."""
    environ.pop("werkzeug.request", None)  # a stream may last for days: let the request go
    peer = None
    try:
        peer = _watch(service, subscription, environ)
        while True:
            yield subscription.take()
    except StreamEnded as ended:
        if ended.last_words:
            yield ended.last_words
    finally:
        if peer is not None:
            peer.close()
        service.broadcaster.unsubscribe(subscription)


def _watch(service: Service, subscription: Subscription, environ: dict[str, Any]) -> Peer | None:
    """Watch the worker's socket; another server than gunicorn does not give it, and notices at the next heartbeat."""
    sock = environ.get("gunicorn.socket")
    if sock is None:
        return None
    return Peer(sock, timeout_s=service.settings.peer_timeout_s, on_gone=subscription.abandon)
