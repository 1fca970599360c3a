"""Every error is application/problem+json, and tells nothing of the inside."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from vda5050.service import Service


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
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("url", ["/stream", "/robots", "/stream/KUKA/1"])
def test_query_that_is_no_text(client: FlaskClient, service: Service, url: str) -> None:
    """A query whose bytes are no text is a bad request, not a fault of ours."""
    response = client.get(url, environ_overrides={"QUERY_STRING": "robots=\xff"})

    assert (response.status_code, response.get_json()["code"]) == (400, "bad_query")
    assert service.broadcaster.stream_count == 0


def test_browsers_do_not_guess(client: FlaskClient) -> None:
    """No answer is taken for something else than it says: a robot's name may look like a page."""
    headers = [client.get(url).headers["X-Content-Type-Options"] for url in ("/robots", "/health", "/nowhere", "/")]

    assert set(headers) == {"nosniff"}


def test_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    """Who uses a wrong method is told which are allowed."""
    allowed = client.post("/robots").headers["Allow"].split(", ")

    assert set(allowed) == {"GET", "HEAD", "OPTIONS"}


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
    assert [(record.levelno, bool(record.exc_info)) for record in caplog.records] == [(logging.ERROR, True)]


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
