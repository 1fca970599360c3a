"""/validate judges one message; /schemas shows by which schema."""

import io
from typing import Any

import jsonschema_rs
import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.unit.builders import connection, state
from vda5050.api import create_flask_app
from vda5050.schemas import SCHEMAS, Version
from vda5050.service import Service
from vda5050.settings import Settings

PUBLISHED = [(version.text, topic) for version, topics in SCHEMAS.items() for topic in topics]


def ask(client: FlaskClient, document: Any, query: str = "topic=state") -> TestResponse:
    """Have a message judged; bytes are sent as they are."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return client.post(f"/validate?{query}", data=body, content_type="application/json")


@pytest.fixture
def small_client() -> FlaskClient:
    """Give a client of a gateway whose messages are short."""
    return create_flask_app(Service(Settings(max_payload_bytes=100, auth="off"))).test_client()


def test_valid_message(client: FlaskClient) -> None:
    """A message without fault is valid, by the version it states."""
    response = ask(client, state())

    assert response.status_code == 200
    assert response.get_json() == {"valid": True, "version": "2.1.0", "topic": "state", "problems": []}
    assert response.headers["Cache-Control"] == "no-store"


def test_missing_member(client: FlaskClient) -> None:
    """A problem names the place, what is wrong there, and what it contradicts."""
    document = state()
    del document["batteryState"]
    answer = ask(client, document).get_json()

    assert answer["valid"] is False
    assert answer["problems"] == [
        {
            "path": "/batteryState",
            "message": "is missing",
            "contradicts": "both",
            "severity": "error",
            "code": "required",
        }
    ]


def test_leniencies_do_not_refuse(client: FlaskClient) -> None:
    """What is read leniently is told, and the message is valid all the same."""
    answer = ask(client, state(operatingMode="automatic", zoneSetId=None)).get_json()

    assert answer["valid"] is True
    assert {(problem["code"], problem["severity"]) for problem in answer["problems"]} == {
        ("enum_case", "info"),
        ("null_member", "info"),
    }


def test_leniencies_at_the_beginning_of_a_long_message_hide_no_error(client: FlaskClient) -> None:
    """A word that the standard lacks is told behind a hundred nulls that are read as absent."""
    node = {"nodeId": "n", "sequenceId": 0, "released": True, "nodeDescription": None}
    actions = [{"actionId": f"a{number}", "actionStatus": "WAITING"} for number in range(5)]
    actions.append({"actionId": "a5", "actionStatus": "BROKEN"})
    answer = ask(client, state(nodeStates=[node] * 120, actionStates=actions)).get_json()

    assert answer["valid"] is False
    assert answer["problems"][0]["path"] == "/actionStates/5/actionStatus"


@pytest.mark.parametrize(
    ("query", "stated", "version"),
    [
        ("topic=connection", "2.0.0", "2.0.0"),
        ("topic=connection", "3.0.1", "3.0.0"),
        ("topic=connection", "nonsense", "2.1.0"),
        ("topic=connection", "9" * 5_000 + ".9.0", "2.1.0"),
        ("topic=connection&version=1.1.0", "2.1.0", "1.1.0"),
        ("topic=connection&version=2.1", "3.0.0", "2.1.0"),
        ("topic=connection&version=", "2.0.0", "2.0.0"),
    ],
)
def test_version(client: FlaskClient, query: str, stated: str, version: str) -> None:
    """The version that was asked for is taken, else the one that the message shows."""
    assert ask(client, connection(version=stated), query).get_json()["version"] == version


def test_versions_differ(client: FlaskClient) -> None:
    """The same message may be valid in one version and not in another."""
    document = connection(connectionState="HIBERNATING")

    assert ask(client, document, "topic=connection&version=3.0.0").get_json()["valid"] is True
    assert ask(client, document, "topic=connection&version=2.1.0").get_json()["valid"] is False


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "topic"),
        ("topic=speed", "topic"),
        ("topic=state&version=4.0.0", "version"),
        ("topic=state&version=x", "version"),
        ("topic=state&version=" + "9" * 4_400 + ".0", "version"),
        ("topic=zoneSet&version=2.1.0", "topic"),
        ("topic=factsheet&version=1.1.0", "topic"),
    ],
)
def test_bad_parameter(client: FlaskClient, query: str, parameter: str) -> None:
    """A topic or version that there is not is refused by the parameter's name."""
    response = ask(client, state(), query)

    problem = response.get_json()
    assert (response.status_code, problem["code"], problem["parameter"]) == (400, "bad_parameter", parameter)
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"{", "json"),
        (b"[1]", "not_object"),
        (b'"state"', "not_object"),
        (b'{"a":NaN}', "nan"),
        (b'{"a":"\xff"}', "encoding"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "depth"),
    ],
)
def test_unreadable_body(client: FlaskClient, body: bytes, reason: str) -> None:
    """A body that is no JSON object is a problem with the reason, not a verdict."""
    response = ask(client, body)

    problem = response.get_json()
    assert (response.status_code, problem["code"], problem["reason"]) == (400, "unreadable_message", reason)


def test_too_large(small_client: FlaskClient) -> None:
    """A body longer than a message may be is refused with the limit."""
    response = ask(small_client, state())

    problem = response.get_json()
    assert (response.status_code, problem["code"], problem["limit"]) == (413, "too_large", 100)


def test_too_large_without_a_length(small_client: FlaskClient) -> None:
    """A body that does not say how long it is is read no further than the limit either."""
    body = io.BytesIO(orjson.dumps(state()))
    response = small_client.post(
        "/validate?topic=state",
        input_stream=body,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert (response.status_code, response.get_json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("headers", [{}, {"Transfer-Encoding": "chunked"}])
def test_as_large_as_allowed(small_client: FlaskClient, headers: dict[str, str]) -> None:
    """A body of just the limit is judged."""
    body = io.BytesIO(b'{"a":"' + b"x" * 92 + b'"}')
    response = small_client.post(
        "/validate?topic=state", input_stream=body, headers=headers, environ_overrides={"wsgi.input_terminated": True}
    )

    assert (response.status_code, body.tell()) == (200, 100)


def test_any_content_type(client: FlaskClient) -> None:
    """`curl --data @state.json` works as it is, though it says that it sends a form."""
    body = orjson.dumps(state())
    response = client.post("/validate?topic=state", data=body, content_type="application/x-www-form-urlencoded")

    assert response.get_json()["valid"] is True


def test_list_of_schemas(client: FlaskClient) -> None:
    """Every schema is listed with its address."""
    listed = client.get("/schemas").get_json()["schemas"]

    assert [(entry["version"], entry["topic"]) for entry in listed] == PUBLISHED
    assert all(client.get(entry["url"]).status_code == 200 for entry in listed)


@pytest.mark.parametrize(("version", "topic"), PUBLISHED)
def test_published_schema(client: FlaskClient, version: str, topic: str) -> None:
    """A published schema is JSON Schema, says where it is, and may be cached."""
    response = client.get(f"/schemas/{version}/{topic}")

    schema = orjson.loads(response.data)
    jsonschema_rs.meta.validate(schema)
    assert schema["$id"] == f"/schemas/{version}/{topic}"
    assert response.content_type == "application/schema+json"
    assert "max-age" in response.headers["Cache-Control"]
    again = client.get(f"/schemas/{version}/{topic}", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_published_schema_judges_alike(client: FlaskClient) -> None:
    """Who takes the published schema comes to the same verdict."""
    schema = orjson.loads(client.get(f"/schemas/{Version.V2_1.text}/state").data)

    assert jsonschema_rs.is_valid(schema, state())
    assert not jsonschema_rs.is_valid(schema, state(driving="no"))


@pytest.mark.parametrize("path", ["2.1/state", "4.0.0/state", "2.1.0/speed", "1.1.0/factsheet", "2.1.0/zoneSet"])
def test_unknown_schema(client: FlaskClient, path: str) -> None:
    """A schema that there is not is a problem, 404."""
    response = client.get(f"/schemas/{path}")

    assert (response.status_code, response.get_json()["code"]) == (404, "unknown_schema")
