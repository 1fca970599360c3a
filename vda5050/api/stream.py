"""`/stream`: a snapshot, then every update as Server-Sent Events, until the client leaves (WHATWG HTML, section 9.2).

A streaming Flask response over one subscription: what it yields is ready for the wire and shared by all clients of the
same filter, so a client costs a wake-up and a write. gzip where the client accepts it: the bytes are compressed once
for all (see `frames`), which is why this is not left to a proxy.
"""

import errno
import ssl
from typing import Any, Self

from flask import Blueprint, Response, request

from vda5050.api.auth import principal
from vda5050.api.clients import client_key
from vda5050.api.replies import accepted_wire, as_event_stream, headers_alone
from vda5050.broadcast import Filter, Peer, SocketWriter, StreamEnded, Subscription, set_tcp_options
from vda5050.service import Service

_LOGGED = ("REMOTE_ADDR", "REQUEST_METHOD", "RAW_URI", "SERVER_PROTOCOL")
"""What gunicorn's access log cannot do without when the stream has ended, where somebody turns that on."""


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


def _stream(service: Service, asked: Filter) -> Response:
    wanted = asked.within(principal().robots_source)
    wire = accepted_wire()
    if request.method == "HEAD":
        return as_event_stream(headers_alone(), wire)
    subscription = service.broadcaster.subscribe(wanted, wire, last_event_id(), client=client_key())
    return as_event_stream(Response(_Chunks(service, subscription, request.environ), direct_passthrough=True), wire)


def lose_key(subscription: Subscription, last_words: bytes = b"") -> None:
    """End the stream of a key that is no longer valid; called again, cut the connection that it is stuck in."""
    if subscription.end_reason != "key":
        subscription.withdraw(last_words, reason="key")
    elif subscription.cut is not None:
        subscription.cut()


class _Chunks:
    """What the client is to be sent, until it leaves or the stream is ended.

    An iterator of its own and not a generator: `close` must let the subscription go even if nothing was ever read.

    gunicorn is given the first piece, and writes it behind the head; the others are further chunks of the same body and
    do not go through gunicorn, which would copy each of them anew for every client.
    """

    __slots__ = ("_environ", "_has_begun", "_hold", "_peer", "_service", "_subscription", "_writer")

    def __init__(self, service: Service, subscription: Subscription, environ: dict[str, Any]) -> None:
        self._service = service
        self._subscription = subscription
        self._hold = service.keys.hold(principal(), lambda: lose_key(subscription))
        self._peer: Peer | None = None
        self._environ = environ
        self._has_begun = False
        self._writer: SocketWriter | None = None
        sock = environ.get("gunicorn.socket")  # another server does not give it, and notices at the next heartbeat
        if sock is not None:
            self._watch(sock)
            if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and not isinstance(sock, ssl.SSLSocket):
                self._writer = SocketWriter(sock, subscription.wire)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            if self._writer is not None and self._has_begun:
                self._subscription.writer = self._writer
                while True:
                    self._writer.write(self._subscription.take())
            if not self._has_begun:
                self._has_begun = True
                self._forget_request()
            return self._subscription.take()
        except StreamEnded as ended:
            self.close()
            if self._is_out_of_step():  # nothing more makes sense on this connection
                raise BrokenPipeError(errno.EPIPE, "the client left within a chunk, or sent what was dropped") from None
            if ended.last_words:
                return ended.last_words
            raise StopIteration from None

    def close(self) -> None:
        """Let the subscription go; the server calls it at the end, whatever the end was. May be called twice."""
        if self._peer is not None:
            self._peer.close()
        self._service.keys.release(self._hold)
        self._subscription.abandon()
        self._service.broadcaster.unsubscribe(self._subscription)

    def _is_out_of_step(self) -> bool:
        """Tell whether a chunk is on the wire in part, or part of what the client sent is gone."""
        is_unfinished = self._writer is not None and self._writer.is_unfinished
        return is_unfinished or (self._peer is not None and self._peer.has_dropped)

    def _forget_request(self) -> None:
        """Empty gunicorn's dict, which would be kept for as long as the stream lasts, days maybe."""
        if self._peer is not None:
            kept = {name: self._environ[name] for name in _LOGGED if name in self._environ}
            self._environ.clear()
            self._environ.update(kept)

    def _watch(self, sock: Any) -> None:
        settings = self._service.settings
        set_tcp_options(sock, timeout_s=settings.peer_timeout_s, heartbeat_s=settings.heartbeat_s)
        try:
            self._peer = Peer(sock, on_gone=self._subscription.abandon)
            self._subscription.cut = self._peer.cut
        except ValueError:  # closed before it could be watched
            self.close()
