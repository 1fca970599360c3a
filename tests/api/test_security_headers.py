"""Browsers are told what they must not do with an answer."""

import pytest
from flask.testing import FlaskClient

DATA = ["/robots", "/health", "/nowhere", "/openapi.json", "/static/css/theme.css", "/schemas/2.1.0/state"]
PAGES = ["/", "/docs"]


@pytest.mark.parametrize("url", DATA + PAGES)
def test_every_answer_is_what_it_says(client: FlaskClient, url: str) -> None:
    """No answer is taken for something else, framed by another site, embedded there, or told where one came from."""
    with client.get(url) as answer:
        headers = answer.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("url", PAGES)
def test_a_page_runs_its_own_files_only(client: FlaskClient, url: str) -> None:
    """A page's policy knows no inline script or style, no eval, and no other place than the gateway."""
    policy = client.get(url).headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))

    assert rules.pop("img-src") == "'self' data: blob:"
    assert rules["default-src"] == rules["base-uri"] == "'none'"
    assert set(rules.values()) == {"'self'", "'none'"}


@pytest.mark.parametrize("url", DATA)
def test_data_is_no_page(client: FlaskClient, url: str) -> None:
    """An answer that is no page may run and load nothing at all."""
    with client.get(url) as answer:
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_scripts_have_the_pages_policy(client: FlaskClient) -> None:
    """A worker obeys the policy of its own script: with that of data it could neither import nor connect."""
    with client.get("/static/js/worker.js") as answer:
        assert answer.headers["Content-Security-Policy"] == client.get("/").headers["Content-Security-Policy"]


def test_not_modified_leaves_the_policy_as_it_was(client: FlaskClient) -> None:
    """The headers of a 304 replace those that the browser has kept: a worker would lose its right to connect."""
    with client.get("/static/js/worker.js") as first:
        tag = first.headers["ETag"]

    with client.get("/static/js/worker.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status_code == 304
        assert "Content-Security-Policy" not in answer.headers
