"""/robots: the fleet as it is."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.unit.builders import ROBOT, connection, state

Receive = Callable[..., None]


@pytest.fixture
def _fleet(receive: Receive) -> None:
    """Let three robots be there."""
    receive(connection(), robot="KUKA/1", topic="connection")
    receive(state(driving=True), robot="KUKA/1")
    receive(robot="KUKA/2")
    receive(connection(), robot="ABB/1", topic="connection")


def test_empty_fleet(client: FlaskClient) -> None:
    """Without robots the fleet is an empty object."""
    response = client.get("/robots")

    assert (response.status_code, response.get_json()) == (200, {})
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("_fleet")
def test_fleet(client: FlaskClient) -> None:
    """Every robot is there with its last message of each topic."""
    robots = client.get("/robots").get_json()

    assert set(robots) == {"KUKA/1", "KUKA/2", "ABB/1"}
    assert robots["KUKA/1"]["messages"] == {"connection": connection(), "state": state(driving=True)}
    assert robots["KUKA/1"]["payload"] == state(driving=True)
    assert robots["KUKA/1"]["connection_state"] == "ONLINE"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("robots=KUKA/*", {"KUKA/1": {"connection", "state"}, "KUKA/2": {"state"}}),
        ("robots=*/1&types=connection", {"KUKA/1": {"connection"}, "ABB/1": {"connection"}}),
        ("types=state", {"KUKA/1": {"state"}, "KUKA/2": {"state"}}),
        ("robots=KUKA/2,ABB/*", {"KUKA/2": {"state"}, "ABB/1": {"connection"}}),
        ("robots=KUKA%2F2", {"KUKA/2": {"state"}}),
        ("robots=nobody", {}),
        ("robots=&types=", {"KUKA/1": {"connection", "state"}, "KUKA/2": {"state"}, "ABB/1": {"connection"}}),
    ],
)
@pytest.mark.usefixtures("_fleet")
def test_filters(client: FlaskClient, query: str, expected: dict[str, set[str]]) -> None:
    """`robots` and `types` leave the robots and messages that are asked for."""
    robots = client.get(f"/robots?{query}").get_json()

    assert {robot: set(entry["messages"]) for robot, entry in robots.items()} == expected


@pytest.mark.parametrize(("query", "parameter"), [("types=x", "types"), ("robots=" + "x" * 2_001, "robots")])
def test_bad_filter(client: FlaskClient, query: str, parameter: str) -> None:
    """A filter that cannot be used is refused by the parameter's name."""
    response = client.get(f"/robots?{query}")

    assert (response.status_code, response.get_json()["parameter"]) == (400, parameter)


@pytest.mark.usefixtures("_fleet")
def test_one_robot(client: FlaskClient) -> None:
    """One robot has the shape that it has among all."""
    response = client.get("/robots/KUKA/1")

    assert response.status_code == 200
    assert response.get_json() == client.get("/robots").get_json()["KUKA/1"]


def test_unknown_robot(client: FlaskClient, receive: Receive) -> None:
    """A robot that was never heard is a problem, 404."""
    receive()
    response = client.get(f"/robots/{ROBOT}X")

    assert (response.status_code, response.get_json()["code"]) == (404, "unknown_robot")


@pytest.mark.parametrize(
    ("name", "path"), [("a%2Fb", "a%252Fb"), ("<script>", "%3Cscript%3E"), ("é\n", "%C3%A9%0A"), ("a b", "a%20b")]
)
def test_strange_names(client: FlaskClient, receive: Receive, name: str, path: str) -> None:
    """A robot of any name has its own address."""
    receive(robot=f"{name}/1")

    assert client.get(f"/robots/{path}/1").get_json()["manufacturer"] == name


def test_a_name_cannot_be_read_as_a_page(client: FlaskClient, receive: Receive) -> None:
    """What a robot calls itself is JSON to a browser, never HTML."""
    receive(robot="<script>alert(1)</script>".replace("/", "") + "/1")
    response = client.get("/robots")

    assert response.content_type == "application/json"


def test_head(client: FlaskClient) -> None:
    """HEAD has the headers and no body."""
    response = client.head("/robots")

    assert (response.status_code, response.data, response.content_type) == (200, b"", "application/json")
