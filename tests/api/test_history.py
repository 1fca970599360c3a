"""/history, /replay and /robots?at=: what happened, as it happened, page by page or once more."""

import io
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import quote

import gevent
import jsonschema_rs
import orjson
import pytest
from flask.testing import FlaskClient
from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]
from werkzeug.test import TestResponse

from tests.api.conftest import Stream
from tests.unit.builders import ROBOT, START_S, connection, state
from tests.unit.history.recorded import archive, record, without_checksum
from vda5050.api import create_flask_app
from vda5050.entries import Update
from vda5050.errors import DatabaseUnavailable
from vda5050.history import Reader, iso_time
from vda5050.history.stretch import MICROSECONDS
from vda5050.history.tables import MESSAGES
from vda5050.service import Service
from vda5050.settings import Settings

Fill = Callable[..., None]
URLS = ["/history", "/replay?from=-1m", "/robots?at=-1m", "/history/export", "/robots/a/b/timeline"]


def at(seconds: float) -> str:
    """Write a time after START_S, ready for a query."""
    return quote(iso_time(int((START_S + seconds) * MICROSECONDS)))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Build a gateway with a history in a folder, not started."""
    service = Service(Settings(auth="off", database_url=f"sqlite:///{tmp_path}/history.db"))
    yield service
    assert service.history is not None
    service.history.stop()


@pytest.fixture
def client(service: Service, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Give a client of a gateway that seems to run."""
    monkeypatch.setattr(service, "is_running", True)
    return create_flask_app(service).test_client()


@pytest.fixture
def fill(tmp_path: Path) -> Iterator[Fill]:
    """Give a function that stores records."""
    with archive(tmp_path) as kept:

        def fill(*records: Any) -> None:
            if records:
                kept.write(*records)

        yield fill


def offsets(answer: dict[str, Any]) -> list[int]:
    """Read the numbers of a page's messages."""
    return [int(message["event_id"].rpartition("-")[2]) for message in answer["messages"]]


def test_a_message(client: FlaskClient, fill: Fill) -> None:
    """A message is shown whole, its payload as the robot sent it."""
    payload = b'{"headerId" : 1.50,"a":"\xc3\xa9"}'
    fill(record(1, payload, is_retained=True))
    answer = client.get("/history")

    assert b'"payload":' + payload + b"}" in answer.data
    assert answer.headers["Cache-Control"] == "no-store"
    (message,) = answer.get_json()["messages"]
    del message["payload"]
    assert message == {
        "received_at": "2023-11-14T22:13:21.000000Z",
        "robot": ROBOT,
        "type": "state",
        "mqtt_topic": f"uagv/v2/{ROBOT}/state",
        "is_retained": True,
        "event_id": "e1-1",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [6, 5, 4, 3, 2, 1]),
        ("order=asc", [1, 2, 3, 4, 5, 6]),
        (f"robot={ROBOT}", [6, 5, 2, 1]),
        ("robots=ABB/*", [4, 3]),
        ("types=order,connection&order=asc", [2, 3]),
        (f"from={at(2)}&to={at(5)}", [4, 3, 2]),
        (f"from={at(5.5)}", [6]),
        ("from=-1m", []),
        ("robot=nobody/1", []),
        (f"from={at(3)}&to={at(3)}", []),
    ],
)
def test_filters(client: FlaskClient, fill: Fill, query: str, expected: list[int]) -> None:
    """Robots, topics and times leave what is asked for; `from` belongs to it and `to` does not."""
    fill(
        record(1),
        record(2, topic="order"),
        record(3, robot="ABB/1", topic="connection"),
        record(4, robot="ABB/1"),
        record(5),
        record(6),
    )

    assert offsets(client.get(f"/history?{query}").get_json()) == expected


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_are_stable_while_messages_come(client: FlaskClient, tmp_path: Path, order: str) -> None:
    """Pages joined are the whole, without a gap or a double, while further messages are stored."""
    found: list[int] = []
    with archive(tmp_path) as kept:
        kept.write(*(record(number, b"{}") for number in range(1, 101)))
        answer = client.get(f"/history?limit=7&order={order}").get_json()
        while answer["next"]:
            found += offsets(answer)
            kept.write(record(1_000 + len(found), b"{}"))
            answer = client.get(f"/history?limit=7&order={order}&to={at(500)}&cursor={answer['next']}").get_json()
    found += offsets(answer)

    assert found == (list(range(1, 101)) if order == "asc" else list(range(100, 0, -1)))


@pytest.fixture
def damaged(fill: Fill, tmp_path: Path) -> range:
    """Give the numbers of more unreadable messages than a page has, in the middle of 1,203."""
    fill(*(record(number) for number in range(1_203)))
    numbers = range(100, 1_150)
    with archive(tmp_path) as kept:
        values = MESSAGES.update().values(payload=b"\x00\x11\x22\x33")
        damage = values.where(MESSAGES.c.stream_offset.between(numbers[0], numbers[-1]))
        kept.lane.write(lambda connection: connection.execute(damage))
    return numbers


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_go_on_behind_damaged_messages(client: FlaskClient, damaged: range, order: str) -> None:
    """Pages joined have all that can be read, although one of them has nothing that can."""
    found: list[int] = []
    answer: dict[str, Any] = {"next": ""}
    while answer["next"] is not None:
        answer = client.get(f"/history?limit=200&order={order}&cursor={answer['next']}").get_json()
        found += offsets(answer)

    assert sorted(found) == sorted(set(range(1_203)) - set(damaged))


def test_files_and_replays_go_on_behind_damaged_messages(client: FlaskClient, damaged: range) -> None:
    """Export, timeline and replay leave out what cannot be read, and go on behind it to their end."""
    stretch = f"from={at(-1)}&to={at(2_000)}"
    left = 1_203 - len(damaged)
    replayed = client.get(f"/replay?{stretch}&speed=10000")

    assert len(client.get(f"/history/export?{stretch}").data.splitlines()) == left
    assert (
        ParquetFile(io.BytesIO(client.get(f"/history/export?{stretch}&format=parquet").data)).metadata.num_rows == left
    )
    assert client.get(f"/robots/{ROBOT}/timeline?{stretch}").get_json()["messages"] == left
    assert Stream(replayed).reader.read(replayed.data)[-1].data["messages"] == left


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("from=yesterday", "from"),
        ("to=2023-11-14T22:13:20", "to"),
        (f"from={at(2)}&to={at(1)}", "to"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("order=up", "order"),
        ("cursor=x", "cursor"),
        ("types=finding", "types"),
        ("types=stat", "types"),
        ("robot=a/1&robots=a/2", "robot"),
    ],
)
def test_refused(client: FlaskClient, query: str, parameter: str) -> None:
    """What cannot be used is refused as a problem that names the parameter."""
    response = client.get(f"/history?{query}")

    assert response.content_type == "application/problem+json"
    assert (response.status_code, response.get_json()["parameter"]) == (400, parameter)


def test_the_fleet_as_it_was(client: FlaskClient, fill: Fill) -> None:
    """`at` shows each robot as its last messages before had made it, stale where it had been silent by then."""
    fill(
        record(1, connection(), topic="connection"),
        record(2, state(driving=True)),
        record(3, robot="ABB/1"),
        record(90, state(driving=False)),
        record(100, state(driving=True)),
    )

    then = client.get(f"/robots?at={at(90)}").get_json()
    assert set(then) == {ROBOT, "ABB/1"}
    assert then[ROBOT]["messages"] == {"connection": connection(), "state": state(driving=False)}
    assert (then[ROBOT]["is_stale"], then["ABB/1"]["is_stale"]) == (False, True)
    assert then[ROBOT]["last_seen"] == "2023-11-14T22:14:50.000Z"
    assert then[ROBOT]["connection_state"] == "ONLINE"
    assert then[ROBOT]["view"]["driving"] is False
    assert set(client.get(f"/robots?at={at(2)}").get_json()) == {ROBOT}
    assert set(client.get(f"/robots?at={at(99)}&robots=ABB/*&types=state").get_json()) == {"ABB/1"}
    assert client.get(f"/robots?at={at(0)}").get_json() == {}
    assert client.get("/robots?at=").status_code == 400


def test_a_start_on_damaged_messages(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No message keeps a gateway from starting: one that is none is left out, so is one that cannot be shown."""
    robots = ["KUKA/1", "KUKA/2", "ABB/1", "ABB/2"]
    with archive(tmp_path) as kept:
        kept.write(
            *(record(number, connection(), robot=robot, topic="connection") for number, robot in enumerate(robots))
        )
        damage = MESSAGES.update().where(MESSAGES.c.stream_offset == 0).values(payload=without_checksum(b'{"a":1'))
        kept.lane.write(lambda connection: connection.execute(damage))
    restore = service.robots.restore

    def refuse(update: Update) -> None:
        if update.address.robot == "ABB/1":
            raise ValueError("a fault of ours")
        restore(update)

    monkeypatch.setattr(service.robots, "restore", refuse)
    assert service.history is not None
    service.history.restore(service.robots)

    assert [robot in service.robots for robot in robots] == [False, True, False, True]
    assert ["damaged" in caplog.text, "a fault of ours" in caplog.text] == [True, True]


def test_replay(client: FlaskClient, fill: Fill) -> None:
    """A replay is a snapshot as of its start, the messages after it as the live stream has them, and an end."""
    payloads = [b'{"headerId" : %d}' % number for number in range(1, 8)]
    fill(*(record(number, payload) for number, payload in enumerate(payloads, 1)))
    response = client.get(f"/replay?from={at(3)}&to={at(6)}&speed=1000")
    text = response.data

    events = Stream(response).reader.read(text)
    assert [event.type for event in events] == ["snapshot", "update", "update", "update", "end"]
    assert events[0].data[ROBOT]["payload"] == {"headerId": 2}
    assert [event.data for event in events[1:4]] == [
        {"topic": ROBOT, "type": "state", "payload": orjson.loads(payload)} for payload in payloads[2:5]
    ]
    assert all(payload in text for payload in payloads[2:5])
    assert [event.id for event in events[1:]] == [
        *(f"replay-{int(START_S + number) * MICROSECONDS}" for number in (3, 4, 5)),
        "replay-end",
    ]
    assert events[-1].data["messages"] == 3


def test_replay_goes_on(client: FlaskClient, fill: Fill) -> None:
    """A client that comes back with an id gets what follows; one that has seen the end is told to stay away."""
    fill(*(record(number, b"{}") for number in range(1, 6)))
    query = f"/replay?from={at(0)}&to={at(6)}&speed=10000"
    first = client.get(query)
    seen = Stream(first).reader.read(first.data)
    again = client.get(query, headers={"Last-Event-ID": seen[3].id or ""})

    rest = Stream(again).reader.read(again.data)
    assert [event.id for event in rest] == [event.id for event in seen[4:]]
    assert client.get(query, headers={"Last-Event-ID": "replay-end"}).status_code == 204


def test_replay_of_views(client: FlaskClient, fill: Fill) -> None:
    """With view=1 snapshot and updates are robots' views, each made of all that the robot had said by then."""
    fill(
        record(1, connection(), topic="connection"),
        record(2, state(orderId="first")),
        record(3, state(orderId="second")),
        record(4, connection(connectionState="OFFLINE"), topic="connection"),
    )
    response = client.get(f"/replay?from={at(2.5)}&to={at(6)}&speed=1000&view=1")

    snapshot, *updates, end = Stream(response).reader.read(response.data)
    assert snapshot.data[ROBOT] == client.get(f"/robots?at={at(2.5)}").get_json()[ROBOT]["view"]
    assert [event.data["type"] for event in updates] == ["view"]
    assert updates[-1].data["payload"] == client.get(f"/robots?at={at(4)}").get_json()[ROBOT]["view"]
    assert updates[-1].id == f"replay-{int(START_S + 4) * MICROSECONDS}"
    assert end.data["messages"] == 2


def test_views_at_an_interval(client: FlaskClient, fill: Fill) -> None:
    """Of the views within one interval only the newest of each robot comes, and those in the order of time."""
    fill(*(record(number, robot=f"ABB/{number % 2}", at_s=number) for number in range(1, 41)))
    response = client.get(f"/replay?from={at(0)}&to={at(45)}&speed=200&view=1&interval=100")

    updates = Stream(response).reader.read(response.data)[1:-1]
    assert [event.data["topic"] for event in updates] == ["ABB/1", "ABB/0"] * 2
    assert [int((event.id or "").partition("-")[2]) for event in updates] == [
        int(START_S + number) * MICROSECONDS for number in (19, 20, 39, 40)
    ]


def test_views_go_on(client: FlaskClient, fill: Fill) -> None:
    """A client that comes back gets views that know what was said before, and no snapshot."""
    fill(
        record(1, connection(), topic="connection"), record(2, state(orderId="first")), record(3, state(orderId="2nd"))
    )
    seen = f"replay-{int(START_S + 2) * MICROSECONDS}"
    response = client.get(f"/replay?from={at(0)}&to={at(4)}&speed=1000&view=1", headers={"Last-Event-ID": seen})

    events = Stream(response).reader.read(response.data)
    assert [event.type for event in events] == ["update", "end"]
    assert events[0].data["payload"]["connection_state"] == "ONLINE"


def test_a_replay_that_is_stopped_has_no_end(
    client: FlaskClient, fill: Fill, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who plays while the worker stops is not told that this was all, and so comes back to the next one."""
    fill(record(1))
    response = client.get(f"/replay?from={at(0)}&to={at(600)}&speed=100")
    stream = Stream(response)
    assert [event.type for event in stream.next(2)] == ["snapshot", "update"]

    monkeypatch.setattr(service, "is_running", False)

    assert stream.rest() == []


@pytest.mark.parametrize("sent", [b"", b"the rest of a body"])
def test_what_a_client_sends_during_a_replay(client: FlaskClient, fill: Fill, sent: bytes) -> None:
    """Where something was read and dropped, the connection is given up: what follows would be taken for a request."""
    fill(record(1))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        url = f"/replay?from={at(0)}&to={at(2)}&speed=100"
        response = client.get(url, environ_overrides={"gunicorn.socket": ours})

        with pytest.raises(BrokenPipeError) if sent else nullcontext():
            list(response.iter_encoded())


def test_replay_as_gzip(client: FlaskClient, fill: Fill) -> None:
    """A client that takes gzip gets the same, compressed."""
    fill(*(record(number, state(headerId=number)) for number in range(1, 50)))
    plain = client.get(f"/replay?from={at(0)}&to={at(60)}&speed=10000")
    packed = client.get(f"/replay?from={at(0)}&to={at(60)}&speed=10000", headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert Stream(packed).reader.read(packed.data) == Stream(plain).reader.read(plain.data)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("", "from"), ("from=-1m&speed=0", "speed"), ("from=-1m&speed=nan", "speed"), ("from=-1m&speed=x", "speed")],
)
def test_replay_refused(client: FlaskClient, query: str, parameter: str) -> None:
    """A replay needs its start, and a speed that is one."""
    response = client.get(f"/replay?{query}")

    assert (response.status_code, response.get_json()["parameter"]) == (400, parameter)


LONG = [
    ("/history/export", 5, 2),
    ("/history/export?format=csv", 5, 2),
    (f"/robots/{ROBOT}/timeline?from={at(0)}&to={at(60)}", 4, 2),
    (f"/replay?from={at(0)}&to={at(2)}&speed=0.01", 50, 20),
]
"""What takes long, how much of it a worker does at a time, and for one client."""


def ask_at_once(client: FlaskClient, urls: list[tuple[str, str]]) -> list[TestResponse]:
    """Ask as (address, url) says, all before the first is answered; a body is not read."""
    asked = [
        gevent.spawn(client.get, url, environ_overrides={"REMOTE_ADDR": address}, buffered=False)
        for address, url in urls
    ]
    return [greenlet.get(timeout=30) for greenlet in asked]


@pytest.mark.parametrize(("url", "most", "most_of_client"), LONG)
def test_who_comes_at_once_is_counted(
    client: FlaskClient, fill: Fill, url: str, most: int, most_of_client: int
) -> None:
    """What takes long is bounded for a client and for the worker, also where many ask at the same moment.

    A place is free again when an answer is closed, whether or not it was ever read.
    """
    fill(record(1))
    crowd = [(f"192.0.2.{number}", url) for number in range(most + 5)]

    for _ in range(2):
        of_one = ask_at_once(client, [("192.0.2.1", url)] * (most_of_client + 5))
        statuses = sorted(answer.status_code for answer in of_one)
        assert statuses == [200] * most_of_client + [429] * 5
        refused = next(answer for answer in of_one if answer.status_code == 429)
        assert refused.get_json()["code"] == "too_many_streams_of_client"
        assert "Retry-After" in refused.headers
        for answer in of_one:
            answer.close()

        of_many = ask_at_once(client, crowd)
        assert sorted(answer.status_code for answer in of_many) == [200] * most + [503] * 5
        for answer in of_many:
            answer.close()


@pytest.mark.parametrize(("url", "_most", "most_of_client"), LONG)
def test_what_fails_takes_no_place(
    client: FlaskClient, service: Service, fill: Fill, url: str, _most: int, most_of_client: int
) -> None:
    """Neither a question that cannot be answered nor one for the headers alone keeps others out."""
    fill(record(1))
    assert service.history is not None

    with pytest.MonkeyPatch.context() as patch:
        for name in ("page", "last_messages"):
            patch.setattr(Reader, name, Mock(side_effect=DatabaseUnavailable("gone")))
        failed = [client.get(url).status_code for _ in range(most_of_client + 1)]
    for _ in range(most_of_client + 1):
        client.head(url).close()

    assert failed == [503] * (most_of_client + 1)
    with client.get(url, buffered=False) as answer:
        assert answer.status_code == 200


def test_a_replay_ends_now(client: FlaskClient, fill: Fill) -> None:
    """What is to come is not played: nobody keeps a place until then."""
    fill(record(1))
    response = client.get("/replay?from=-1s&to=2100-01-01T00:00:00Z&speed=10000")

    end = Stream(response).reader.read(response.data)[-1]
    assert (end.type, end.data["to"] <= iso_time(int(time.time() * MICROSECONDS))) == ("end", True)
    assert client.get("/replay?from=2100-01-01T00:00:00Z&to=2101-01-01T00:00:00Z").status_code == 200


@pytest.mark.parametrize(("is_gone", "status", "pages"), [(False, 200, 3), (True, 499, 1)])
def test_a_timeline_for_nobody(
    client: FlaskClient, service: Service, fill: Fill, *, is_gone: bool, status: int, pages: int
) -> None:
    """A timeline is read no further once its client has left; what a client sends meanwhile is left alone."""
    fill(*(record(number) for number in range(1_100)))
    ours, theirs = socket.socketpair()
    theirs.sendall(b"" if is_gone else b"GET /next")
    if is_gone:
        theirs.close()
    with pytest.MonkeyPatch.context() as patch:
        assert service.history is not None
        read = Mock(side_effect=service.history.reader.page)
        patch.setattr(service.history.reader, "page", read)
        answer = client.get(
            f"/robots/{ROBOT}/timeline?from={at(-1)}&to={at(2_000)}", environ_overrides={"gunicorn.socket": ours}
        )

    assert (answer.status_code, read.call_count) == (status, pages)
    assert is_gone or ours.recv(100) == b"GET /next"
    theirs.close()
    ours.close()


def test_answers_are_as_described(client: FlaskClient, fill: Fill) -> None:
    """A page has the shape that the API's description gives for it."""
    fill(record(1), record(2))
    document = client.get("/openapi.json").get_json()
    schema = {"$ref": "#/components/schemas/HistoryPage", "components": document["components"]}
    pages = [client.get(url).get_json() for url in ("/history", "/history?limit=1")]

    assert [len(page["messages"]) for page in pages] == [2, 1]
    assert [jsonschema_rs.is_valid(schema, page) for page in pages] == [True, True]


@pytest.mark.parametrize(
    "url", ["/history", "/replay?from=-1m", "/robots?at=-1m", "/history/export", "/robots/a/b/timeline"]
)
def test_without_a_history(url: str) -> None:
    """A gateway that keeps nothing says so."""
    response = create_flask_app(Service(Settings(database_url="none"))).test_client().get(url)

    assert (response.status_code, response.get_json()["code"]) == (404, "no_history")


@pytest.mark.parametrize(
    "url", ["/history", "/replay?from=-1m", "/robots?at=-1m", "/history/export", "/robots/a/b/timeline"]
)
def test_without_its_database(tmp_path: Path, url: str) -> None:
    """While the database is away the answer is 503, and says when to ask again."""
    (tmp_path / "var").write_text("a file in the way")
    service = Service(Settings(auth="off", database_url=f"sqlite:///{tmp_path}/var/gateway.db"))
    response = create_flask_app(service).test_client().get(url)

    assert (response.status_code, response.get_json()["code"]) == (503, "database_unavailable")
    assert "Retry-After" in response.headers


@pytest.mark.parametrize("count", [0, 3, 1_203])
def test_export_as_lines(client: FlaskClient, fill: Fill, count: int) -> None:
    """An NDJSON file has every message, in order, as /history shows it."""
    fill(*(record(number, b'{"n" :%d}' % number) for number in range(count)))
    response = client.get(f"/history/export?from={at(-1)}&to={at(5_000)}")

    assert response.content_type == "application/x-ndjson"
    lines = response.data.splitlines()
    assert [line.rpartition(b'"payload":')[2] for line in lines] == [b'{"n" :%d}}' % number for number in range(count)]
    if count == 3:
        assert [orjson.loads(line) for line in lines] == client.get("/history?order=asc").get_json()["messages"]


def test_export_as_table(client: FlaskClient, fill: Fill) -> None:
    """A CSV has a row for each state; other topics where they are asked for."""
    fill(record(1, state(driving=True)), record(2, connection(), topic="connection"), record(3))
    table = client.get(f"/history/export?format=csv&from={at(0)}")
    connections = client.get(f"/history/export?format=csv&types=connection&from={at(0)}")

    rows = table.get_data(as_text=True).split("\r\n")
    assert (rows[0].split(",")[:5], len(rows)) == (
        ["received_at", "manufacturer", "serial_number", "type", "version"],
        4,
    )
    assert "true" in rows[1]
    assert "ONLINE" in connections.get_data(as_text=True)
    assert table.headers["Content-Disposition"] == 'attachment; filename="history.csv"'


def test_export_as_parquet(client: FlaskClient, fill: Fill) -> None:
    """A Parquet file has the same rows, typed, and the message as text; pages are row groups."""
    fill(*(record(number, state(headerId=number, driving=bool(number % 2))) for number in range(1_203)))
    data = client.get(f"/history/export?format=parquet&from={at(-1)}&to={at(5_000)}").data
    file = ParquetFile(io.BytesIO(data))

    rows = file.read().to_pylist()
    assert (file.num_row_groups, len(rows)) == (3, 1_203)
    assert rows[5]["driving"] is True
    assert rows[5]["received_at"].timestamp() == START_S + 5
    assert orjson.loads(rows[5]["payload"]) == state(headerId=5, driving=True)


def test_export_without_pyarrow(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow a Parquet file is refused with the reason."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    response = client.get("/history/export?format=parquet")

    assert (response.status_code, response.get_json()["code"]) == (501, "no_parquet")


def test_timeline(client: FlaskClient, fill: Fill) -> None:
    """A robot's timeline has the shape that the API's description gives for it."""
    node = {"nodeId": "n2", "sequenceId": 2, "released": True}
    error = {"errorType": "e", "errorLevel": "FATAL"}
    fill(
        record(1, connection(), topic="connection"),
        record(2, state(orderId="o1", nodeStates=[node], errors=[error], batteryState={"charging": True})),
        record(3, robot="ABB/1"),
    )
    answer = client.get(f"/robots/{ROBOT}/timeline?from={at(0)}&to={at(60)}").get_json()
    document = client.get("/openapi.json").get_json()

    jsonschema_rs.validate({"$ref": "#/components/schemas/Timeline", "components": document["components"]}, answer)
    assert (answer["robot"], answer["messages"]) == (ROBOT, 2)
    assert [order["order_id"] for order in answer["orders"]] == ["o1"]
    assert answer["seconds"]["error"] == 45
    assert client.get(f"/robots/nobody/1/timeline?from={at(0)}&to={at(60)}").status_code == 404


def test_timeline_of_a_robot_that_is_new(client: FlaskClient, service: Service) -> None:
    """A robot that the gateway has heard, and the history has nothing of yet, has a timeline with nothing in it."""
    service.ingest.receive("uagv/v2/NEW/1/state", b"{}")

    answer = client.get("/robots/NEW/1/timeline").get_json()

    assert (answer["messages"], answer["orders"], answer["errors"]) == (0, [], [])


@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("/history/export?format=xml", "format"),
        ("/history/export?from=-1", "from"),
        (f"/robots/{ROBOT}/timeline?from=-8d", "from"),
        (f"/robots/{ROBOT}/timeline?from=now&to=-1d", "from"),
    ],
)
def test_files_refused(client: FlaskClient, url: str, parameter: str) -> None:
    """What cannot be used is refused as a problem that names the parameter."""
    response = client.get(url)

    assert (response.status_code, response.get_json()["parameter"]) == (400, parameter)
