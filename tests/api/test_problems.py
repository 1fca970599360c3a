"""Every error is application/problem+json, and tells nothing of the inside."""

import logging
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import (
    HTTPException,
    NotAcceptable,
    RequestEntityTooLarge,
    RequestHeaderFieldsTooLarge,
    ServiceUnavailable,
    TooManyRequests,
    UnprocessableEntity,
    UnsupportedMediaType,
)

from vda5050.service import Service

URLS = [
    "/", "/docs", "/openapi.json", "/health", "/ready", "/metrics", "/robots", "/robots/KUKA/1", "/stream",
    "/stream/KUKA/1", "/ws", "/conformance", "/robots/KUKA/1/conformance", "/schemas", "/schemas/2.1.0/state",
    "/static/favicon.svg",
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/robots/", 404, "not_found"),
        ("GET", "/robots/a/b/c", 404, "not_found"),
        ("GET", "/static/nothing.js", 404, "not_found"),
        ("GET", "/static/../../app.py", 404, "not_found"),
        ("GET", "/robots/KUKA/unknown", 404, "unknown_robot"),
        ("POST", "/stream", 405, "method_not_allowed"),
        ("DELETE", "/robots", 405, "method_not_allowed"),
        ("POST", "/ws", 405, "method_not_allowed"),
        ("TRACE", "/robots", 405, "method_not_allowed"),
        ("GET", "/robots//1", 404, "not_found"),
        ("OPTIONS", "/nowhere", 404, "not_found"),
        ("GET", "/stream?types=speed", 400, "bad_filter"),
        ("GET", "/robots?types=speed", 400, "bad_filter"),
        ("GET", "/ws", 426, "upgrade_required"),
        ("GET", "/ready", 503, "not_ready"),
    ],
)
def test_every_error_has_the_same_shape(client: FlaskClient, method: str, url: str, status: int, code: str) -> None:
    """An error is a problem object with a stable code, and is not cached."""
    response = client.open(url, method=method)

    problem = response.get_json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == "about:blank"
    assert problem["title"] == response.status.partition(" ")[2].title().replace("Url", "URL")
    assert problem["detail"]
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("url", ["/stream", "/robots", "/stream/KUKA/1"])
def test_query_that_is_no_text(client: FlaskClient, service: Service, url: str) -> None:
    """A query whose bytes are no text is a bad request, not a fault of ours."""
    response = client.get(url, environ_overrides={"QUERY_STRING": "robots=\xff"})

    assert (response.status_code, response.get_json()["code"]) == (400, "bad_query")
    assert service.broadcaster.stream_count == 0


def test_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    """Who uses a wrong method is told which are allowed."""
    allowed = client.post("/robots").headers["Allow"].split(", ")

    assert set(allowed) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (NotAcceptable(), "not_acceptable"),
        (RequestEntityTooLarge(), "too_large"),
        (UnsupportedMediaType(), "unsupported_media_type"),
        (UnprocessableEntity(), "unprocessable"),
        (TooManyRequests(retry_after=7), "too_many_requests"),
        (ServiceUnavailable(), "service_unavailable"),
        (RequestHeaderFieldsTooLarge(), "request_header_fields_too_large"),
    ],
)
def test_faults_that_a_library_raises(app: Flask, fault: HTTPException, code: str) -> None:
    """An error that Flask or an extension raises has the one shape too, and keeps its headers."""

    def fail() -> NoReturn:
        raise fault

    app.add_url_rule("/fault", view_func=fail)
    response = app.test_client().get("/fault")

    assert (response.status_code, response.get_json()["code"]) == (fault.code, code)
    assert response.headers.get("Retry-After") == ("7" if fault.code == 429 else None)


def test_what_is_wrong_with_each_parameter(app: Flask) -> None:
    """Where webargs has read the parameters, what it found is told for each of them."""

    def fail() -> NoReturn:
        fault = UnprocessableEntity()
        vars(fault)["data"] = {"messages": {"query": {"from": ["Not a valid datetime."]}}}
        raise fault

    app.add_url_rule("/fault", view_func=fail)

    assert app.test_client().get("/fault").get_json()["errors"] == {"query": {"from": ["Not a valid datetime."]}}


@pytest.mark.parametrize("url", URLS)
def test_head_is_get_without_the_body(client: FlaskClient, service: Service, url: str) -> None:
    """HEAD answers what GET answers, without its body; of a stream too, which it does not open."""
    with client.head(url) as head:
        assert service.broadcaster.stream_count == 0
        assert head.data == b""
    with client.get(url) as get:
        assert (head.status_code, head.content_type) == (get.status_code, get.content_type)


@pytest.mark.parametrize("url", [*URLS, "/validate"])
def test_options_tells_the_methods(client: FlaskClient, url: str) -> None:
    """OPTIONS names the methods of an address, and has no content."""
    response = client.options(url)

    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert ("POST" if url == "/validate" else "GET") in response.headers["Allow"].split(", ")
    assert "Content-Security-Policy" in response.headers


def test_own_faults_tell_nothing(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the gateway's own is logged with its stack, and the client learns only that there was one."""

    def fail(*_: object) -> bytes:
        raise RuntimeError("secret of /etc/gateway")

    monkeypatch.setattr(service.robots, "get_robots", fail)
    response = client.get("/robots")

    body = response.get_data(as_text=True)
    assert response.status_code == 500
    assert response.content_type == "application/problem+json"
    assert response.get_json()["code"] == "internal_server_error"
    assert not any(word in body for word in ("secret", "RuntimeError", "Traceback", "vda5050", ".py"))
    (record,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert isinstance(record.msg, dict)
    assert (record.levelno, str(record.msg["exc_info"])) == (logging.ERROR, "secret of /etc/gateway")


def test_fault_while_a_stream_opens(
    client: FlaskClient, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that cannot be opened for a fault of ours is a problem too, and takes no place among the streams."""

    def fail(*_: object) -> bytes:
        raise RuntimeError("secret")

    monkeypatch.setattr(service.robots, "get_snapshot", fail)
    response = client.get("/stream")

    assert response.status_code == 500
    assert "secret" not in response.get_data(as_text=True)
    assert caplog.records
    assert service.broadcaster.stream_count == 0


@pytest.mark.parametrize("debug", [False, True])
def test_faults_tell_nothing_in_debug_mode_either(app: Flask, service: Service, *, debug: bool) -> None:
    """`flask --debug` shows the stack in the log, not to clients."""
    app.debug = debug
    vars(service)["dependencies"] = lambda: 1 / 0

    response = app.test_client().get("/ready")
    assert response.status_code == 500
    assert "ZeroDivision" not in response.get_data(as_text=True)
