"""A key with a robot filter never sees another robot: in no answer, no event, no snapshot, no replay, no finding."""

from collections.abc import Iterator

import orjson
import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Stream
from tests.api.keys import FILTER, Fleet
from tests.unit import builders
from tests.unit.builders import state
from vda5050.broadcast import Subscription

SEEN, HIDDEN = "KUKA/KR_1", "ABB/SECRET_1"


class Hall(Fleet):
    """A gateway with a robot that the filtered key may see, and one that it may not."""

    def __init__(self) -> None:
        super().__init__()
        for robot in (SEEN, HIDDEN):
            self.send(robot)

    def send(self, robot: str, **changes: object) -> None:
        """Let a state arrive; a header id that steps back is a finding."""
        self.service.ingest.receive(f"uagv/v2/{robot}/state", orjson.dumps(state(**changes)))

    def flush(self) -> None:
        """Flush what has arrived."""
        builders.flush(self.service.broadcaster, self.service.keys.now())

    def open(self, url: str, kind: str = "filtered", **headers: str) -> Stream:
        """Open a stream with a key."""
        return Stream(self.app.test_client().get(url, headers=self.header(kind) | headers))


@pytest.fixture
def hall() -> Hall:
    """Build it."""
    return Hall()


@pytest.fixture
def client(hall: Hall) -> Iterator[FlaskClient]:
    """Give a client that shows the filtered key with every request."""
    client = hall.app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = hall.header("filtered")["Authorization"]
    yield client
    assert hall.service.broadcaster.stream_count == 0


@pytest.mark.parametrize(
    "url",
    [
        "/robots",
        "/robots?robots=*",
        f"/robots?robots={HIDDEN}",
        "/robots?robots=ABB/*,KUKA/*",
        "/conformance",
        f"/conformance?robots={HIDDEN}",
        f"/robots/{HIDDEN}",
        f"/robots/{HIDDEN}/conformance",
        "/metrics",
        "/ready",
        "/openapi.json",
        "/session",
        "/",
        "/maps",
    ],
)
def test_no_answer_names_a_hidden_robot(hall: Hall, client: FlaskClient, url: str) -> None:
    """Whatever is asked for, and however, the other robot's name is not in the answer."""
    hall.send(HIDDEN, headerId=-5)  # a finding
    text = client.get(url).get_data(as_text=True)

    assert "SECRET" not in text.replace(HIDDEN, "" if url.endswith(HIDDEN) else HIDDEN)


def test_what_may_be_seen_is_seen(client: FlaskClient) -> None:
    """The robots of the filter are all there, as for a key without one."""
    assert list(client.get("/robots").get_json()) == [SEEN]
    assert client.get(f"/robots/{SEEN}").status_code == 200
    assert client.get(f"/robots/{SEEN}/conformance").status_code == 200
    assert client.get("/session").get_json()["robots"] == FILTER


@pytest.mark.parametrize("path", ["", "/conformance"])
def test_a_hidden_robot_is_as_one_that_does_not_exist(client: FlaskClient, path: str) -> None:
    """The answers for a robot that is hidden and for one that never was differ in nothing but the request's id."""
    hidden, missing = (client.get(f"/robots/{robot}{path}") for robot in (HIDDEN, "ABB/NEVER_THERE"))

    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.get_json() | {"request_id": ""} == missing.get_json() | {"request_id": ""}


@pytest.mark.parametrize(
    "url",
    [
        "/stream",
        "/stream?robots=*",
        "/stream?robots=ABB/*",
        "/stream?view=1",
        "/stream?types=finding,state",
        "/stream?interval=1",
        f"/stream?robots={HIDDEN}",
        f"/stream?robots={SEEN},{HIDDEN}",
        f"/stream/{HIDDEN}",
        f"/stream/{HIDDEN}?view=1",
    ],
)
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_no_event_is_of_a_hidden_robot(hall: Hall, url: str, encoding: str) -> None:
    """Snapshot, updates, views and findings are of the filter's robots alone, whatever the stream asks for."""
    stream = hall.open(url, **({"Accept-Encoding": encoding} if encoding else {}))
    for robot in (HIDDEN, SEEN, HIDDEN, SEEN):
        hall.send(robot, headerId=-7)
    hall.flush()
    hall.service.broadcaster.stop()
    events = [*stream.next(1), *stream.rest()]

    assert events[0].type == "snapshot"
    assert "SECRET" not in str(events)
    asks_for_seen = "ABB" not in url or SEEN in url
    assert (SEEN in str(events[1:])) == asks_for_seen
    stream.response.close()


def test_replay_is_filtered_too(hall: Hall) -> None:
    """Who comes back with the id of another key's stream gets what it missed of its own robots alone."""
    other = hall.open("/stream", kind="read")
    (snapshot,) = other.next(1)
    assert snapshot.id is not None
    for robot in (HIDDEN, SEEN, HIDDEN, SEEN):
        hall.send(robot)
    hall.flush()

    resumed = hall.open("/stream", **{"Last-Event-ID": snapshot.id})
    missed = resumed.next(2)

    assert [event.data["topic"] for event in missed] == [SEEN, SEEN]
    for stream in (other, resumed):
        stream.response.close()


def test_streams_of_different_keys_share_nothing(hall: Hall) -> None:
    """Two keys that ask for the same have a filter each, so that neither gets the other's batches; equal ones share."""
    streams = [hall.open("/stream", kind=kind) for kind in ("read", "filtered", "admin")]
    filters = {repr(stream.filter) for stream in _subscriptions(hall)}

    assert len(filters) == 2
    for stream in streams:
        stream.response.close()


def _subscriptions(hall: Hall) -> list[Subscription]:
    return [
        subscription
        for group in hall.service.broadcaster._routes  # noqa: SLF001 - the sharing is what is looked at
        for members in group.members.values()
        for subscription in members
    ]


@pytest.mark.parametrize("url", ["/stream", f"/stream/{SEEN}"])
def test_a_stream_ends_with_its_key(hall: Hall, url: str) -> None:
    """When the key is revoked, its stream ends without what still waited; others go on."""
    stream, other = hall.open(url), hall.open(url, kind="read")
    stream.next(1)
    other.next(1)
    hall.send(SEEN)
    hall.flush()
    hall.revoke("filtered")
    hall.service.keys.end_lost()

    assert stream.rest() == []
    assert [event.type for event in other.next(1)] == ["update"]
    assert hall.service.broadcaster.stream_count == 1
    other.response.close()
    assert not hall.service.keys._holds  # noqa: SLF001 - nothing may be left behind
