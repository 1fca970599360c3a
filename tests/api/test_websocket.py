"""/ws: the handshake, the client's own messages, and every way in which the connection ends.

The server's side runs in a greenlet on one end of a socket pair, as gunicorn's worker would run it; wsproto is the
client.
"""

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import gevent.socket
import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)

from vda5050.api import create_flask_app
from vda5050.api.websocket import MAX_EVENTS_AT_ONCE, RateAllowance
from vda5050.service import Service
from vda5050.settings import Settings

Receive = Callable[..., None]
DEADLINE_S = 5.0


class Session:
    """A client's WebSocket."""

    def __init__(self, client: FlaskClient, url: str = "/ws", *, raw_query: str = "", **headers: str) -> None:
        self._client = client
        self._url = url
        self._raw_query = raw_query
        self._server, self._socket = gevent.socket.socketpair()
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []
        handshake = self._connection.send(Request(host="localhost", target=url)).decode().split("\r\n")[1:]
        self._headers = dict(line.split(": ", 1) for line in handshake if line) | headers
        self.was_upgraded = False
        self._greenlet = gevent.spawn(self._serve)

    def next(self) -> Event:
        """Wait for the next event."""
        with gevent.Timeout(DEADLINE_S):
            while not self._events:
                data = self._socket.recv(65_536)
                assert data, "the connection was closed without a word"
                self._connection.receive_data(data)
                self._events += self._connection.events()
        return self._events.pop(0)

    def message(self) -> dict[str, Any]:
        """Wait for the next text message, and read it."""
        text = ""
        is_finished = False
        while not is_finished:
            event = self.next()
            assert isinstance(event, TextMessage)
            text += event.data
            is_finished = event.message_finished
        message: dict[str, Any] = orjson.loads(text)
        return message

    def send(self, *events: Event) -> None:
        """Send events in one write, and let the server read them."""
        self._socket.sendall(b"".join(self._connection.send(event) for event in events))

    def send_raw(self, data: bytes) -> None:
        """Send bytes that are no WebSocket frame."""
        self._socket.sendall(data)

    def close(self) -> None:
        """Go away without a word, and wait until the server has noticed."""
        self._socket.close()
        self._greenlet.join(DEADLINE_S)

    def ended(self) -> bool:
        """Wait until the server has let go."""
        self._greenlet.join(DEADLINE_S)
        return self.was_upgraded

    def _serve(self) -> None:
        environ = {"gunicorn.socket": self._server, **({"QUERY_STRING": self._raw_query} if self._raw_query else {})}
        try:
            self._client.get(self._url, headers=self._headers, environ_overrides=environ)
        except StopIteration:  # what tells gunicorn to leave the connection alone
            self.was_upgraded = True
        finally:
            self._server.close()  # as gunicorn does


@pytest.fixture
def connect(client: FlaskClient) -> Iterator[Callable[..., Session]]:
    """Give a function that opens a WebSocket and waits until it is accepted; all are closed at the end."""
    sessions: list[Session] = []

    def connect(url: str = "/ws", **options: str) -> Session:
        session = Session(client, url, **options)
        sessions.append(session)
        assert isinstance(session.next(), AcceptConnection)
        return session

    yield connect
    for session in sessions:
        session.close()


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def refused(client: FlaskClient, url: str = "/ws", headers: dict[str, str] | None = None) -> TestResponse:
    """Ask for an upgrade that is refused before anything is written to the socket."""
    return client.get(url, headers=HANDSHAKE | (headers or {}), environ_overrides={"gunicorn.socket": object()})


def test_messages(connect: Callable[..., Session], receive: Receive, flush: Callable[[], None]) -> None:
    """A WebSocket carries the stream's events, one object a message, each with its id."""
    receive(robot="KUKA/1")
    session = connect("/ws?robots=KUKA/*")
    snapshot = session.message()
    receive(robot="ABB/1")
    receive(robot="KUKA/1")
    flush()
    update = session.message()

    epoch, _, offset = snapshot["id"].partition("-")
    assert (snapshot["type"], list(snapshot["data"])) == ("snapshot", ["KUKA/1"])
    assert (update["type"], update["data"]["topic"]) == ("update", "KUKA/1")
    assert update["id"].partition("-")[0] == epoch
    assert int(update["id"].partition("-")[2]) > int(offset)


def test_resume(connect: Callable[..., Session], receive: Receive) -> None:
    """`last_event_id` resumes a WebSocket as it does a stream."""
    receive()
    epoch = connect().message()["id"].partition("-")[0]
    resumed, restarted = connect(f"/ws?last_event_id={epoch}-0"), connect("/ws?last_event_id=0-0")

    assert resumed.message()["type"] == "update"
    assert [restarted.message()["type"] for _ in range(2)] == ["reset", "snapshot"]


def test_change_filter(connect: Callable[..., Session], receive: Receive) -> None:
    """A client that sends a filter continues with it, after a reset and a snapshot."""
    receive(robot="KUKA/1")
    receive(robot="ABB/1")
    session = connect("/ws?robots=KUKA/*")
    session.message()
    session.send(TextMessage('{"robots":"ABB/*","types":"state","interval":"100"}'))

    assert session.message() == {"type": "reset"}
    assert list(session.message()["data"]) == ["ABB/1"]


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("hello", "message"),
        ("[]", "message"),
        ('{"robot":"KUKA/1"}', "message"),
        ('{"robots":["KUKA/1"]}', "message"),
        ('{"interval":500}', "message"),
        ('{"types":"speed"}', "types"),
        ('{"interval":"fast"}', "interval"),
    ],
)
def test_bad_filter(
    connect: Callable[..., Session], receive: Receive, flush: Callable[[], None], text: str, parameter: str
) -> None:
    """A message that is no filter is answered with a problem; the stream goes on as it was."""
    session = connect()
    session.message()
    session.send(TextMessage(text))
    problem = session.message()
    receive()
    flush()

    assert (problem["type"], problem["data"]["code"], problem["data"]["parameter"]) == (
        "problem",
        "bad_filter",
        parameter,
    )
    assert session.message()["type"] == "update"


def test_filter_in_pieces(connect: Callable[..., Session]) -> None:
    """A message may come in several frames."""
    session = connect()
    session.message()
    session.send(TextMessage('{"rob', message_finished=False), TextMessage('ots":"A/1"}'))

    assert session.message() == {"type": "reset"}


def test_ping(connect: Callable[..., Session]) -> None:
    """A client's ping is answered with what it carried."""
    session = connect()
    session.message()
    session.send(Ping(b"are you there"))

    event = session.next()
    assert isinstance(event, Pong)
    assert event.payload == b"are you there"


def test_answers_are_given_whatever_else_is_dropped(connect: Callable[..., Session]) -> None:
    """A ping and a message that is no filter are answered also where a change of filter drops what waits."""
    session = connect()
    session.message()
    session.send(TextMessage("{}"), TextMessage("nonsense"), Ping(b"still there"))

    assert session.message()["type"] == "problem"
    pong = session.next()
    assert isinstance(pong, Pong)
    assert pong.payload == b"still there"
    assert [session.message()["type"] for _ in range(2)] == ["reset", "snapshot"]


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    ("event", "code"),
    [(BytesMessage(b"\x00"), 1003), (TextMessage("x" * 5_000), 1009), (TextMessage("é" * 4_097), 1009)],
)
def test_messages_that_end_it(
    connect: Callable[..., Session], service: Service, event: Event, code: int, times: int
) -> None:
    """A client that sends bytes or too much is told so by the close code, however much of it it sends at once."""
    session = connect()
    session.message()
    session.send(*[event] * times)
    close = session.next()

    assert isinstance(close, CloseConnection)
    assert close.code == code
    assert session.ended()
    assert service.broadcaster.stream_count == 0


def test_client_closes(connect: Callable[..., Session], service: Service) -> None:
    """A client that closes is answered with its own code, and forgotten."""
    session = connect()
    session.message()
    session.send(CloseConnection(1000))
    close = session.next()

    assert isinstance(close, CloseConnection)
    assert close.code == 1000
    assert session.ended()
    assert service.broadcaster.stream_count == 0


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 50, b"\x81\x02hi"])
def test_broken_protocol(connect: Callable[..., Session], service: Service, data: bytes) -> None:
    """A client that breaks the protocol is let go, and nothing else happens."""
    session = connect()
    session.message()
    session.send_raw(data)

    assert session.ended()
    assert service.broadcaster.stream_count == 0


def test_client_vanishes(connect: Callable[..., Session], service: Service) -> None:
    """A client whose connection breaks is noticed without a write."""
    session = connect()
    session.message()
    session.close()

    assert session.ended()
    assert service.broadcaster.stream_count == 0


def test_end(connect: Callable[..., Session], service: Service, receive: Receive) -> None:
    """When the gateway stops, a client gets what waits, and a close that says that the server goes away."""
    session = connect()
    session.message()
    receive()
    service.broadcaster.stop()

    update, close = session.message(), session.next()
    assert update["type"] == "update"
    assert isinstance(close, CloseConnection)
    assert close.code == 1001
    assert session.ended()


def test_without_upgrade(client: FlaskClient) -> None:
    """Who opens the address as a page is told what it is."""
    response = client.get("/ws")

    assert (response.status_code, response.headers["Upgrade"]) == (426, "websocket")


def test_server_without_websocket(client: FlaskClient) -> None:
    """A server that gives no socket answers 501: the development server cannot upgrade."""
    response = client.get("/ws", headers={"Connection": "Upgrade", "Upgrade": "websocket"})

    assert (response.status_code, response.get_json()["code"]) == (501, "no_websocket")


@pytest.mark.parametrize("missing", ["Sec-WebSocket-Key", "Sec-WebSocket-Version"])
def test_bad_handshake(client: FlaskClient, service: Service, missing: str) -> None:
    """A handshake that RFC 6455 does not allow is refused, and opens nothing."""
    headers = {name: value for name, value in HANDSHAKE.items() if name != missing}
    response = client.get("/ws", headers=headers, environ_overrides={"gunicorn.socket": object()})

    assert (response.status_code, response.get_json()["code"]) == (400, "bad_handshake")
    assert service.broadcaster.stream_count == 0


def test_old_version(client: FlaskClient) -> None:
    """A version of the protocol from before the standard is refused."""
    assert refused(client, headers={"Sec-WebSocket-Version": "8"}).status_code == 400


class GoneSocket:
    """A socket that was closed before the stream began."""

    def fileno(self) -> int:
        """Give no descriptor."""
        return -1

    def setsockopt(self, *_: object) -> None:
        """Fail."""
        raise OSError

    def sendall(self, _: bytes) -> None:
        """Fail."""
        raise OSError


def test_client_that_is_gone_already(client: FlaskClient, service: Service) -> None:
    """A client whose socket is closed before the first byte takes no place among the streams for ever."""
    with pytest.raises((StopIteration, RuntimeError, ValueError, OSError)):
        client.get("/ws", headers=HANDSHAKE, environ_overrides={"gunicorn.socket": GoneSocket()})

    assert service.broadcaster.stream_count == 0


@pytest.mark.parametrize(("query", "status"), [("types=speed", 400), ("interval=x", 400)])
def test_bad_query(client: FlaskClient, query: str, status: int) -> None:
    """A filter that cannot be used is refused before the upgrade, as on /stream."""
    response = refused(client, f"/ws?{query}")

    assert (response.status_code, response.get_json()["code"]) == (status, "bad_filter")


@pytest.mark.parametrize("query", ["robots=\u4e2d/*", "robots=%E4%B8%AD/*"])
def test_names_in_any_script(connect: Callable[..., Session], receive: Receive, query: str) -> None:
    """A filter may name robots in any script, percent-encoded or, as some programs send it, not."""
    receive(robot="\u4e2d/1")
    receive()

    raw_query = query.encode().decode("latin-1")  # as WSGI passes bytes on
    assert list(connect(raw_query=raw_query).message()["data"]) == ["\u4e2d/1"]


def test_query_that_is_no_text(client: FlaskClient, service: Service) -> None:
    """A query whose bytes are no text is refused before the upgrade."""
    environ = {"gunicorn.socket": object(), "QUERY_STRING": "robots=\xff"}
    response = client.get("/ws", headers=HANDSHAKE, environ_overrides=environ)

    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert service.broadcaster.stream_count == 0


def test_limit(client: FlaskClient, connect: Callable[..., Session]) -> None:
    """A worker full of streams refuses the upgrade with 503 and when to ask again."""
    sessions = [connect() for _ in range(3)]
    response = refused(client)

    assert len(sessions) == 3
    assert (response.status_code, response.get_json()["code"]) == (503, "too_many_streams")
    assert "Retry-After" in response.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:81"]
)
def test_foreign_origin(client: FlaskClient, service: Service, origin: str) -> None:
    """A page of another origin may not open a WebSocket: browsers would let it."""
    response = refused(client, headers={"Origin": origin})

    assert (response.status_code, response.get_json()["code"]) == (403, "foreign_origin")
    assert service.broadcaster.stream_count == 0


@pytest.mark.parametrize("origin", [None, "http://localhost", "https://localhost", "https://page.example"])
def test_allowed_origin(origin: str | None) -> None:
    """The gateway's own pages, those of allowed origins, and programs may."""
    service = Service(Settings(allowed_origins=("https://page.example",), auth="off"))
    session = Session(create_flask_app(service).test_client(), **({"Origin": origin} if origin else {}))

    accepted = session.next()
    session.close()
    assert isinstance(accepted, AcceptConnection)


@pytest.mark.parametrize("event", [Ping(), TextMessage("{}"), TextMessage("", message_finished=False)])
def test_a_client_that_talks_too_much(connect: Callable[..., Session], service: Service, event: Event) -> None:
    """Messages, fragments of one and pings are all counted; a client that sends without end is closed (1008)."""
    session = connect()
    session.send(*[event] * (MAX_EVENTS_AT_ONCE + 1))

    with gevent.Timeout(DEADLINE_S):
        last = session.next()
        while not isinstance(last, CloseConnection):
            last = session.next()
    assert last.code == 1008
    assert session.ended()
    assert service.broadcaster.stream_count == 0


def test_rate_allowance() -> None:
    """What may happen fifty times at once and five times a second does, and no more."""
    now = [0.0]
    allowance = RateAllowance(50, 5, clock=lambda: now[0])
    at_once = sum(allowance.take() for _ in range(100))
    now[0] = 2.0
    later = sum(allowance.take() for _ in range(100))
    now[0] = 1_000.0
    rested = sum(allowance.take() for _ in range(100))

    assert (at_once, later, rested) == (50, 10, 50)
