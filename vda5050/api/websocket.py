"""`/ws`: the stream's events over a WebSocket (RFC 6455), one JSON object a text message.

wsproto does the handshake and reads what the client sends; what the client gets are frames that `frames` prepared once
for all, written by this connection's one writer, the request's greenlet. What is read is read in the hub (see
`broadcast.peer`), which never writes: a pong, a problem or a close goes through the subscription's queue.

The client may send a JSON object with `robots`, `types`, `interval`, `view` (strings, as in the query): its stream
continues with that filter, after `reset` and a snapshot.

A key that is revoked or has expired closes the connection with 1008.

gunicorn gives its socket in the environ and is told by a StopIteration to leave the connection alone afterwards.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import orjson
from flask import Blueprint, Response, request
from gevent.event import Event
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage
from wsproto.events import Event as ProtocolEvent
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from vda5050.api.auth import principal
from vda5050.api.clients import client_key
from vda5050.api.problems import problem
from vda5050.api.stream import last_event_id, lose_key
from vda5050.broadcast import Filter, Peer, SocketWriter, StreamEnded, Subscription, set_tcp_options
from vda5050.errors import FilterError
from vda5050.frames import Wire, websocket_text
from vda5050.logs import get_logger
from vda5050.service import Service

log = get_logger(__name__)

MAX_MESSAGE_CHARS = 4_096
MAX_EVENTS_AT_ONCE, EVENTS_PER_S = 50, 5
"""Messages, fragments and pings that a client may send at once, and in the long run: each costs the hub some time."""
LINGER_S = 1.0
"""How long the client has to close after our goodbye, while what it still sends is read and dropped: closed with bytes
unread, the connection would be reset, and the goodbye lost with it."""
_GOING_AWAY, _UNSUPPORTED_DATA, _POLICY_VIOLATION, _TOO_BIG = 1001, 1003, 1008, 1009


def create_blueprint(service: Service) -> Blueprint:
    """Build the route for a service."""
    blueprint = Blueprint("websocket", __name__)

    @blueprint.route("/ws", websocket=True)
    def websocket() -> Response:
        """Upgrade, then stream until either side closes. Raises FilterError, TooManyStreams."""
        sock = request.environ.get("gunicorn.socket")
        if sock is None:
            return problem(
                501, "no_websocket", "This server cannot upgrade a connection; run the gateway with gunicorn."
            )
        asked = Filter.parse(**{name: request.args.get(name, "") for name in ("robots", "types", "interval", "view")})
        wanted = asked.within(principal().robots_source)
        connection = WSConnection(ConnectionType.SERVER)
        try:
            connection.receive_data(_handshake())
            accepted = connection.send(_accept(connection))
        except (RemoteProtocolError, LocalProtocolError) as error:
            return problem(400, "bad_handshake", str(error))
        subscription = service.broadcaster.subscribe(wanted, Wire.WEBSOCKET, last_event_id(), client=client_key())
        return _Upgraded(service, subscription, connection, sock, accepted)

    @blueprint.get("/ws")
    def not_a_websocket() -> Response:
        response = problem(426, "upgrade_required", "Open this address as a WebSocket.")
        response.headers["Upgrade"] = "websocket"
        return response

    return blueprint


def _handshake() -> bytes:
    """Write the request again for wsproto to read; it has no use for the query."""
    lines = ["GET /ws HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _accept(connection: WSConnection) -> AcceptConnection:
    for event in connection.events():
        if isinstance(event, Request):
            return AcceptConnection()
    raise RemoteProtocolError("no WebSocket handshake")


class _Upgraded(Response):
    """The rest of the connection in the place of a response."""

    def __init__(
        self, service: Service, subscription: Subscription, connection: WSConnection, sock: Any, accepted: bytes
    ) -> None:
        super().__init__()
        self._service = service
        self._subscription = subscription
        self._allowed = principal().robots_source
        self._hold = service.keys.hold(principal(), self._lost_key)
        self._connection = connection
        self._socket = sock
        self._writer = SocketWriter(sock, Wire.WEBSOCKET)
        self._accepted = accepted
        self._text = ""
        self._is_closing = False
        self._has_gone = Event()
        self._allowance = RateAllowance(MAX_EVENTS_AT_ONCE, EVENTS_PER_S, clock=time.monotonic)

    def __call__(self, _environ: Any, _start_response: Any) -> NoReturn:
        """Serve until the end; StopIteration tells gunicorn that there is no answer to write."""
        peer = None
        settings = self._service.settings
        set_tcp_options(self._socket, timeout_s=settings.peer_timeout_s, heartbeat_s=settings.heartbeat_s)
        try:
            peer = Peer(self._socket, on_gone=self._gone, on_data=self._received)
            self._subscription.cut = peer.cut
            self._socket.sendall(self._accepted)
            self._subscription.writer = self._writer
            while True:
                self._writer.write(self._subscription.take())
        except StreamEnded as ended:
            self._say_goodbye(ended.last_words)
            self._has_gone.wait(LINGER_S)
        except (OSError, ValueError) as error:  # ValueError: the socket was closed before it could be watched
            log.debug("a WebSocket client left", error=error)
        finally:
            if peer is not None:
                peer.close()
            self._service.keys.release(self._hold)
            self._service.broadcaster.unsubscribe(self._subscription)
        raise StopIteration

    def _gone(self) -> None:
        self._has_gone.set()
        self._subscription.abandon()

    def _say_goodbye(self, last_words: bytes) -> None:
        if self._writer.is_unfinished:  # the client left within a frame
            return
        self._is_closing = True
        try:
            self._socket.sendall(last_words or self._connection.send(CloseConnection(_GOING_AWAY)))
        except (OSError, LocalProtocolError) as error:
            log.debug("a WebSocket client had left before the close", error=error)

    def _received(self, data: bytes) -> None:
        """Read what the client sent; runs in the hub, so nothing here may block, raise or take long."""
        if self._is_closing:
            self._look_for_close(data)
            return
        try:
            self._connection.receive_data(data)
            self._handle_all(self._connection.events())
        except (RemoteProtocolError, LocalProtocolError) as error:
            log.debug("a WebSocket client broke the protocol", error=error)
            self._is_closing = True
            self._subscription.abandon()

    def _look_for_close(self, data: bytes) -> None:
        """Read on after our goodbye until the client's own."""
        try:
            self._connection.receive_data(data)
            is_closed = any(isinstance(event, CloseConnection) for event in self._connection.events())
        except (RemoteProtocolError, LocalProtocolError):  # nothing that makes sense will come any more
            is_closed = True
        if is_closed:
            self._has_gone.set()

    def _handle_all(self, events: Iterable[ProtocolEvent]) -> None:
        ping = None
        for event in events:
            if not (isinstance(event, CloseConnection) or self._allowance.take()):
                self._close(_POLICY_VIOLATION, f"at most {EVENTS_PER_S} messages a second")
                return
            if isinstance(event, Ping):
                ping = event
            else:
                self._handle(event)
            if self._is_closing:
                return
        if ping is not None:  # the newest answers all (RFC 6455, section 5.5.3)
            self._subscription.notify(self._connection.send(ping.response()))

    def _handle(self, event: object) -> None:
        if isinstance(event, CloseConnection):
            self._is_closing = True
            self._has_gone.set()
            self._subscription.end(self._connection.send(event.response()), reason="closed")
        elif isinstance(event, BytesMessage):
            self._close(_UNSUPPORTED_DATA, "text only")
        elif isinstance(event, TextMessage):
            if len(self._text) + len(event.data) > MAX_MESSAGE_CHARS:
                self._close(_TOO_BIG, f"at most {MAX_MESSAGE_CHARS} characters")
                return
            self._text += event.data
            if event.message_finished:
                text, self._text = self._text, ""
                self._change_filter(text)

    def _close(self, code: int, reason: str) -> None:
        self._is_closing = True
        self._subscription.end(self._connection.send(CloseConnection(code, reason)), reason="refused")

    def _lost_key(self) -> None:
        """End at once, the key being revoked or expired; the code tells a client not to come back by itself."""
        goodbye = b""
        if not self._is_closing:
            self._is_closing = True
            goodbye = self._connection.send(CloseConnection(_POLICY_VIOLATION, "the key is no longer valid"))
        lose_key(self._subscription, goodbye)

    def _change_filter(self, text: str) -> None:
        try:
            wanted = _read_filter(text)
        except FilterError as error:
            facts = {"status": 400, "code": "bad_filter", "parameter": error.parameter, "detail": error.problem}
            self._subscription.notify(websocket_text(orjson.dumps({"type": "problem", "data": facts})))
        else:
            self._subscription.change_filter(wanted.within(self._allowed))


class RateAllowance:
    """What may happen `burst` times at once and `per_s` times a second in the long run."""

    __slots__ = ("_burst", "_clock", "_left", "_per_s", "_since")

    def __init__(self, burst: float, per_s: float, *, clock: Callable[[], float]) -> None:
        self._burst = self._left = burst
        self._per_s = per_s
        self._clock = clock
        self._since = clock()

    def take(self) -> bool:
        """Tell whether it may happen now, and count it if so."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._since) * self._per_s)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _read_filter(text: str) -> Filter:
    """Read what a client sends to change its filter. Raises FilterError."""
    try:
        wanted = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FilterError("message", "not JSON") from error
    known = {"robots", "types", "interval", "view"}
    if (
        not isinstance(wanted, dict)
        or not wanted.keys() <= known
        or not all(isinstance(v, str) for v in wanted.values())
    ):
        raise FilterError("message", "an object with the strings robots, types, interval and view is understood")
    return Filter.parse(**wanted)
