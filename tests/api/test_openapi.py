"""/openapi.json is OpenAPI 3.1, describes what there is and nothing else, and what it says of answers is true."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.unit.builders import ROBOT, connection, state
from vda5050.robot_view import RobotViewSchema

Receive = Callable[..., None]

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
NOT_DESCRIBED = {"/static/<path:filename>"}
"""Files of the gateway's own pages."""

# OpenAPI 3.1.0, section 4.8: the objects that this document has, and what they must hold.
_TEXT = {"type": "string", "minLength": 1}
_CONTENT = {
    "type": "object",
    "propertyNames": {"pattern": "^[a-z]+/[a-z0-9.+-]+$"},
    "additionalProperties": {"type": "object", "required": ["schema"], "properties": {"schema": {"type": "object"}}},
}
_PARAMETER = {
    "type": "object",
    "required": ["name", "in", "schema", "description"],
    "properties": {"name": _TEXT, "in": {"enum": ["query", "header", "path", "cookie"]}, "description": _TEXT},
    "if": {"properties": {"in": {"const": "path"}}},
    "then": {"required": ["required"], "properties": {"required": {"const": True}}},
}
_OPERATION = {
    "type": "object",
    "required": ["operationId", "summary", "tags", "responses"],
    "additionalProperties": False,
    "properties": {
        "operationId": _TEXT,
        "summary": _TEXT,
        "tags": {"type": "array", "items": _TEXT, "minItems": 1},
        "parameters": {"type": "array", "items": _PARAMETER},
        "security": {"type": "array", "items": {"type": "object"}},
        "requestBody": {"type": "object", "required": ["content"], "properties": {"content": _CONTENT}},
        "responses": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^([1-5][0-9][0-9]|default)$"},
            "additionalProperties": {
                "type": "object",
                "required": ["description"],
                "properties": {"description": _TEXT, "content": _CONTENT},
                "additionalProperties": False,
            },
        },
    },
}
_DOCUMENT = {
    "type": "object",
    "required": ["openapi", "info", "paths", "components"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"]},
        "paths": {
            "type": "object",
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "parameters": {"type": "array", "items": _PARAMETER},
                    **dict.fromkeys(METHODS, _OPERATION),
                },
                "additionalProperties": False,
            },
        },
        "components": {"type": "object", "propertyNames": {"enum": ["schemas", "securitySchemes"]}},
    },
}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    """Read the description."""
    answer: dict[str, Any] = client.get("/openapi.json").get_json()
    return answer


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give path, method and operation of each."""
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Give every member of every object within."""
    if isinstance(value, dict):
        yield from value.items()
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from members(part)


def schema_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Give a shape of the document as a JSON Schema that stands alone."""
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def test_is_openapi_3_1(document: dict[str, Any]) -> None:
    """The document has the structure that OpenAPI 3.1 asks for."""
    assert [error.message for error in jsonschema_rs.iter_errors(_DOCUMENT, document)] == []


def test_shapes_are_json_schema(document: dict[str, Any]) -> None:
    """Every schema in it is one of JSON Schema 2020-12, the dialect of OpenAPI 3.1."""
    schemas = [value for name, value in members(document) if name == "schema"]
    for schema in [*schemas, *document["components"]["schemas"].values()]:
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})

    assert len(schemas) > 30


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    """Every reference has its shape, and every shape is used, but for the standard's own messages."""
    names = {name for name in document["components"]["schemas"] if not name.startswith("vda5050-")}
    known = {f"#/components/schemas/{name}" for name in names}
    used = {value for name, value in members(document) if name == "$ref"}

    assert used == known


def test_messages_are_described_as_published(document: dict[str, Any], client: FlaskClient) -> None:
    """The schema of each topic in each version is a component, the same that is published by itself."""
    published = client.get("/schemas").get_json()["schemas"]
    components = {name: schema for name, schema in document["components"]["schemas"].items() if "vda5050-" in name}

    assert len(components) == len(published) == 25
    for one in published:
        schema = client.get(one["url"]).get_json(force=True)
        own_name = {"$schema", "$id"}
        assert components[f"vda5050-{one['version']}-{one['topic']}"] == {
            keyword: value for keyword, value in schema.items() if keyword not in own_name
        }


def test_path_parameters_are_described(document: dict[str, Any]) -> None:
    """What stands in braces in a path is a parameter, and the other way round."""
    for path, item in document["paths"].items():
        described = {parameter["name"] for parameter in item.get("parameters", ()) if parameter["in"] == "path"}
        for method in METHODS & item.keys():
            own = item[method].get("parameters", ())
            described |= {parameter["name"] for parameter in own if parameter["in"] == "path"}
        assert described == set(re.findall(r"\{(\w+)\}", path)), path


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    """Each operationId is there once."""
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(set(names)) == len(names)


def test_every_route_is_described(app: Flask, document: dict[str, Any]) -> None:
    """What the app serves is in the document, and nothing else."""
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule not in NOT_DESCRIBED
        for method in (rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}
    }

    assert {(path, method) for path, method, _ in operations(document)} == served


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    """Every operation says that its errors are application/problem+json; the login form alone comes again instead."""
    for path, _, operation in operations(document):
        if path == "/login":
            continue
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "4"}
        assert "default" in errors, path
        assert all(set(answer["content"]) == {"application/problem+json"} for answer in errors.values()), path


def test_robot_view_is_in_it(document: dict[str, Any]) -> None:
    """The robot view is described member by member."""
    view = document["components"]["schemas"]["RobotView"]

    assert set(view["properties"]) == set(RobotViewSchema().fields)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/health", "Health"),
        (f"/robots/{ROBOT}", "Robot"),
        ("/conformance", "Conformance"),
        (f"/robots/{ROBOT}/conformance", "RobotConformance"),
        ("/schemas", "PublishedSchemas"),
        ("/maps", "SiteMaps"),
        ("/ready", "Problem"),
        ("/nowhere", "Problem"),
        ("/robots/a/b", "Problem"),
        ("/stream?interval=x", "Problem"),
    ],
)
def test_answers_are_as_described(
    client: FlaskClient, receive: Receive, document: dict[str, Any], url: str, name: str
) -> None:
    """An answer fits the shape that the document gives for it, and has no member that it does not name."""
    receive(state(headerId=1, errors=[{"errorType": "e", "errorLevel": "FATAL"}]))
    receive(state(headerId=9, batteryState={"charging": "no"}))
    receive(connection(), topic="connection")
    answer = client.get(url).get_json()

    jsonschema_rs.validate(schema_of(document, name), answer)
    assert set(answer) <= set(document["components"]["schemas"][name]["properties"])


def test_verdicts_are_as_described(client: FlaskClient, document: dict[str, Any]) -> None:
    """A verdict with problems fits its shape."""
    answer = client.post("/validate?topic=state", data=orjson.dumps(state(driving=1))).get_json()

    assert answer["problems"]
    jsonschema_rs.validate(schema_of(document, "Verdict"), answer)


def test_description_is_revalidated(client: FlaskClient) -> None:
    """A client that has the document already is told so."""
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})

    assert first.content_type == "application/json"
    assert (again.status_code, again.data) == (304, b"")


def test_docs_load_nothing_from_elsewhere(client: FlaskClient) -> None:
    """The page works in a hall without internet: it and its files name no other host, and its policy forbids any."""
    page = client.get("/docs")
    html = page.get_data(as_text=True)
    files = re.findall(r'(?:src|href)="(static/[^"]+)"', html)
    texts = [html]
    for name in files:
        with client.get(f"/{name}") as file:
            texts.append(file.get_data(as_text=True))

    assert page.content_type == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "static/js/docs.js" in files
    assert not any(re.search(r"(?<!xmlns=\")https?://", text) for text in texts)
    assert "<script>" not in html
    assert "style=" not in html


def test_own_errors_stay(client: FlaskClient) -> None:
    """flask-smorest's error handler does not take the place of ours."""
    response = client.get("/nowhere")

    assert response.content_type == "application/problem+json"
    assert response.get_json()["code"] == "not_found"
