"""Every request has a name, which its answer, its problem and what is logged meanwhile have in common."""

import logging
import re

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings

PROXY = "192.0.2.1"
FROM_PROXY = {"REMOTE_ADDR": PROXY}


@pytest.fixture
def client() -> FlaskClient:
    """Build a gateway that trusts a proxy."""
    return create_flask_app(Service(Settings(trusted_proxies=(PROXY,)))).test_client()


@pytest.mark.parametrize("url", ["/health", "/robots", "/nowhere", "/static/favicon.svg", "/"])
def test_every_answer_has_an_id_of_its_own(client: FlaskClient, url: str) -> None:
    """Two answers never have the same id."""
    with client.get(url) as first, client.get(url) as second:
        one, other = (answer.headers["X-Request-ID"] for answer in (first, second))

    assert re.fullmatch("[0-9a-f]{32}", one)
    assert one != other


def test_problem_and_log_have_the_answers_id(app: Flask) -> None:
    """The id that a client reports is found in the problem and is bound to what is logged for that request."""
    app.add_url_rule("/log", view_func=lambda: structlog.contextvars.get_contextvars()["request_id"])
    client = app.test_client()

    logged, problem = client.get("/log"), client.get("/nowhere")

    assert logged.get_data(as_text=True) == logged.headers["X-Request-ID"]
    assert problem.get_json()["request_id"] == problem.headers["X-Request-ID"]


def test_a_trusted_proxys_id_is_kept(client: FlaskClient) -> None:
    """One id runs through the proxy's log and ours."""
    answer = client.get("/health", headers={"X-Request-ID": "3f2a-b.C_9"}, environ_overrides=FROM_PROXY)

    assert answer.headers["X-Request-ID"] == "3f2a-b.C_9"


def test_nobody_elses_id_is_kept(client: FlaskClient) -> None:
    """A client cannot give its request another's name."""
    answer = client.get("/health", headers={"X-Request-ID": "3f2ab3C9"})

    assert answer.headers["X-Request-ID"] != "3f2ab3C9"


@pytest.mark.parametrize("sent", ["", "short", "x" * 65, "two words", "a\u00e4bcdefgh", "<script>x", 'a"b"c"d"e'])
def test_an_id_that_is_none_is_replaced(client: FlaskClient, sent: str, caplog: pytest.LogCaptureFixture) -> None:
    """What a proxy passes on without a look does not get into the log either."""
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/health", headers={"X-Request-ID": sent}, environ_overrides=FROM_PROXY)

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
