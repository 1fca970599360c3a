"""`/stream`: a snapshot, then every update as Server-Sent Events, until the client leaves (WHATWG HTML, section 9.2).

A streaming Flask response over one subscription: what it yields is ready for the wire and shared by all clients of the
same filter, so a client costs a wake-up and a write. gzip where the client accepts it: the bytes are compressed once
for all (see `frames`), which is why this is not left to a proxy.
"""

from typing import Any, Self

from flask import Blueprint, Response, request

from vda5050.api.clients import client_key
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
        return _stream(service, Filter.parse(robots=request.args.get("robots", ""), **_rest_of_filter()))

    @blueprint.get("/stream/<manufacturer>/<serial_number>")
    def stream_one(manufacturer: str, serial_number: str) -> Response:
        """One robot, which need not have been heard yet. Raises FilterError, TooManyStreams."""
        return _stream(service, Filter.one_robot(f"{manufacturer}/{serial_number}", **_rest_of_filter()))

    return blueprint


def _rest_of_filter() -> dict[str, str]:
    return {name: request.args.get(name, "") for name in ("types", "interval", "view")}


def last_event_id() -> str | None:
    """Read the id to resume from: EventSource sends a header, others may use `?last_event_id=`."""
    return request.headers.get("Last-Event-ID") or request.args.get("last_event_id")


def _stream(service: Service, wanted: Filter) -> Response:
    wire = Wire.SSE_GZIP if request.accept_encodings["gzip"] > 0 else Wire.SSE
    if request.method == "HEAD":
        response = Response()
    else:
        subscription = service.broadcaster.subscribe(wanted, wire, last_event_id(), client=client_key())
        response = Response(_Chunks(service, subscription, request.environ), direct_passthrough=True)
    response.content_type = "text/event-stream; charset=utf-8"
    response.headers.update(_HEADERS)
    if wire is Wire.SSE_GZIP:
        response.headers["Content-Encoding"] = "gzip"
    return response


class _Chunks:
    """What the client is to be sent, until it leaves or the stream is ended.

    An iterator of its own and not a generator: `close` must let the subscription go even if nothing was ever read.
    """

    __slots__ = ("_peer", "_service", "_subscription")

    def __init__(self, service: Service, subscription: Subscription, environ: dict[str, Any]) -> None:
        self._service = service
        self._subscription = subscription
        self._peer: Peer | None = None
        environ.pop("werkzeug.request", None)  # a stream may last for days: let the request go
        sock = environ.get("gunicorn.socket")  # another server does not give it, and notices at the next heartbeat
        if sock is not None:
            self._watch(sock)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return self._subscription.take()
        except StreamEnded as ended:
            self.close()
            if ended.last_words:
                return ended.last_words
            raise StopIteration from None

    def close(self) -> None:
        """Let the subscription go; the server calls it at the end, whatever the end was. May be called twice."""
        if self._peer is not None:
            self._peer.close()
        self._subscription.abandon()
        self._service.broadcaster.unsubscribe(self._subscription)

    def _watch(self, sock: Any) -> None:
        try:
            self._peer = Peer(sock, on_gone=self._subscription.abandon)
            self._subscription.cut = self._peer.cut
        except ValueError:  # closed before it could be watched
            self.close()
