"""`/openapi.json`: the API described as OpenAPI 3.1, made from the marshmallow schemas; `/docs`: the same for people.

Takes the app with all its routes, and `operations`, which says of each what it takes and gives. flask-smorest puts
both together (docs/adr/0004-openapi.md). The page is our own and loads nothing from elsewhere: a hall may
have no internet.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, request
from flask_smorest import Api  # type: ignore[import-untyped]

from vda5050.api.access import PUBLIC, needed_role
from vda5050.api.dashboard import html_page
from vda5050.api.operations import PATH_PARAMETERS, Operation, operations_by_rule, refusals
from vda5050.api.sessions import COOKIE
from vda5050.schemas import SCHEMAS
from vda5050.validation import json_schema
from vda5050.version import VERSION

_ABOUT = """The live gateway between a VDA 5050 robot fleet and everything that watches it.

Robots are named manufacturer/serial_number, as in their MQTT topics. Every error is application/problem+json (RFC 9457)
with a stable `code`. Once a key was made, requests need one. The messages of VDA 5050 are the components named
`vda5050-<version>-<topic>`; `/schemas/<version>/<topic>` publishes each by itself. Streams pass on what robots send,
right or wrong: `/validate` and `/conformance` tell which."""

_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, as `Authorization: Bearer vda5050_...`.",
    },
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same, in a header of its own.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "What `/login` gave a browser for a key; over https its name begins with `__Host-`.",
    },
}
_SECURITY: list[dict[str, list[str]]] = [{name: []} for name in _SECURITY_SCHEMES]

_SHAPES_OF_SMOREST = ("Error", "PaginationMetadata")
"""What flask-smorest adds for its own errors and pages, which this API has not."""


def register(app: Flask) -> None:
    """Add the two routes that describe every route that the app has.

    To be called before `problems.register`: flask-smorest brings an error handler of its own, which ours then replaces.
    The description is made when it is first asked for: 0.2 s that no start has to wait for.
    """
    api = Api(
        app,
        spec_kwargs={
            "title": "VDA 5050 live gateway",
            "version": VERSION,
            "openapi_version": "3.1.0",
            "info": {"description": _ABOUT},
            "components": {"securitySchemes": _SECURITY_SCHEMES},
        },
    )

    @cache
    def document() -> bytes:
        _describe(app, api)
        return _write(api)

    app.register_blueprint(_create_blueprint(document))


def _create_blueprint(document: Callable[[], bytes]) -> Blueprint:
    blueprint = Blueprint("openapi", __name__)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        response = Response(document(), content_type="application/json")
        response.headers["Cache-Control"] = "no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    @blueprint.get("/docs")
    def docs() -> Response:
        return html_page("docs.html")

    return blueprint


def _write(api: Api) -> bytes:
    document = api.spec.to_dict()
    for unused in _SHAPES_OF_SMOREST:
        document["components"]["schemas"].pop(unused, None)
    document["components"]["schemas"] |= _message_schemas()
    return orjson.dumps(document)


@cache
def _message_schemas() -> dict[str, dict[str, Any]]:
    """Give the schemas of all messages under their names as components, where a schema has no name of its own."""
    return {
        f"vda5050-{version.text}-{topic}": {
            keyword: value for keyword, value in json_schema(version, topic).items() if not keyword.startswith("$")
        }
        for version, topics in SCHEMAS.items()
        for topic in topics
    }


def _describe(app: Flask, api: Api) -> None:
    operations = operations_by_rule()
    for rule in app.url_map.iter_rules():
        # /ws has a second rule for upgrades; both are one operation to a client. Files of the pages are no API.
        if rule.rule in operations and not rule.websocket:
            parameters = [
                {"in": "path", "name": name, "description": PATH_PARAMETERS[name]}
                for name in PATH_PARAMETERS
                if name in rule.arguments
            ]
            described = operations[rule.rule]
            for method, operation in described.items():
                _add_security(method, rule.rule, operation)
            api.spec.path(rule=rule, operations=described, parameters=parameters)


def _add_security(method: str, rule: str, operation: Operation) -> None:
    role = needed_role(method.upper(), rule)
    operation["security"] = [] if role is PUBLIC else _SECURITY
    if role is not PUBLIC:
        operation["responses"] = {**refusals(method, role), **operation["responses"]}
