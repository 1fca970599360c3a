"""`/validate`: one message put to the rules of its schema; `/schemas`: these schemas, published.

A message is valid where nothing in it is an error: what was read leniently (`info`) and what contradicts only the
official schema, not the text (`warning`), is told beside that.
"""

from dataclasses import asdict
from functools import cache

import orjson
from flask import Blueprint, Response, request

from vda5050.api.bodies import read_body
from vda5050.api.problems import problem
from vda5050.api.replies import json_reply
from vda5050.errors import RejectedMessage
from vda5050.payloads import parse_payload
from vda5050.schemas import SCHEMAS, Version
from vda5050.service import Service
from vda5050.topics import TOPICS
from vda5050.validation import detect_version, json_schema, validate

_CACHE_CONTROL = "public, max-age=3600"
"""Seconds: a schema changes with the gateway's release only, and the ETag then tells."""


def create_blueprint(service: Service) -> Blueprint:
    """Build the routes for a service."""
    blueprint = Blueprint("validation", __name__)

    @blueprint.post("/validate")
    def validate_message() -> Response:
        """Judge the message in the body as `topic` of `version`, which is detected where it is not given."""
        limit = service.settings.max_payload_bytes
        body = read_body(limit)
        if body is None:
            return problem(413, "too_large", f"A message may have {limit} bytes, as over MQTT.", limit=limit)
        return _judge(body, topic=request.args.get("topic", ""), stated=request.args.get("version", ""))

    @blueprint.get("/schemas")
    def schemas() -> Response:
        """List the published schemas."""
        return _cacheable(_list_of_schemas(), "application/json")

    @blueprint.get("/schemas/<version>/<topic>")
    def schema(version: str, topic: str) -> Response:
        """Show a topic's JSON Schema."""
        try:
            body = _written_schema(Version(version), topic)
        except (ValueError, KeyError):
            return problem(404, "unknown_schema", "There is no such schema; /schemas lists those there are.")
        return _cacheable(body, "application/schema+json")

    return blueprint


def _judge(body: bytes, *, topic: str, stated: str) -> Response:
    if topic not in TOPICS:
        return _bad_parameter("topic", f"must be one of {', '.join(sorted(TOPICS))}")
    version = Version.from_text(stated)
    if stated and version is None:
        return _bad_parameter("version", f"must be one of {', '.join(known.text for known in Version)}")
    try:
        document, _ = parse_payload(body)
    except RejectedMessage as rejected:
        return problem(400, "unreadable_message", f"The body is no message: {rejected.detail}.", reason=rejected.reason)
    version = version or detect_version(document, None)
    if topic not in SCHEMAS[version]:
        return _bad_parameter("topic", f"VDA 5050 {version.text} has no {topic}")
    problems = validate(document, version, topic)
    answer = {
        "valid": all(found.severity != "error" for found in problems),
        "version": version.text,
        "topic": topic,
        "problems": [asdict(found) for found in problems],
    }
    return json_reply(answer)


def _bad_parameter(parameter: str, detail: str) -> Response:
    return problem(400, "bad_parameter", detail, parameter=parameter)


@cache
def _list_of_schemas() -> bytes:
    listed = [
        {"version": version.text, "topic": topic, "url": f"/schemas/{version.text}/{topic}"}
        for version, topics in SCHEMAS.items()
        for topic in topics
    ]
    return orjson.dumps({"schemas": listed})


@cache
def _written_schema(version: Version, topic: str) -> bytes:
    return orjson.dumps(json_schema(version, topic), option=orjson.OPT_INDENT_2)


def _cacheable(body: bytes, content_type: str) -> Response:
    response = Response(body, content_type=content_type)
    response.headers["Cache-Control"] = _CACHE_CONTROL
    response.add_etag()
    response.make_conditional(request)
    return response
