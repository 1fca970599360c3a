"""Who the client is, is a trusted proxy's word or the socket's, and nobody else's."""

from typing import Any

import pytest
from flask import Flask, request

from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings

PROXY, OTHER, CLIENT = "192.0.2.1", "10.1.2.3", "203.0.113.5"


@pytest.fixture
def app() -> Flask:
    """Build a gateway behind two proxies, which tells how it sees a request."""
    settings = Settings(trusted_proxies=(PROXY, "10.0.0.0/8"), allowed_hosts=("*",), auth="off")
    app = create_flask_app(Service(settings))
    app.add_url_rule("/seen", "seen", view_func=lambda: [request.remote_addr, request.scheme, request.host])
    app.add_url_rule("/headers", "headers", view_func=lambda: dict(request.headers))
    return app


def seen(app: Flask, peer: str, **headers: str) -> Any:
    """Give address, scheme and host of a request as the gateway sees it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get("/seen", headers=named, environ_overrides={"REMOTE_ADDR": peer}).get_json()


def test_a_trusted_proxy_is_believed(app: Flask) -> None:
    """Address, scheme and host are the client's."""
    told = {"X_Forwarded_For": CLIENT, "X_Forwarded_Proto": "https", "X_Forwarded_Host": "fleet.example"}

    assert seen(app, PROXY, **told) == [CLIENT, "https", "fleet.example"]


def test_nobody_else_is_believed(app: Flask) -> None:
    """A client that reaches the gateway past the proxy is who its socket says."""
    told = {"X_Forwarded_For": "10.0.0.1", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "fleet.example"}

    assert seen(app, CLIENT, **told) == [CLIENT, "http", "localhost"]


@pytest.mark.parametrize("peer", [PROXY, CLIENT])
def test_nothing_behind_reads_the_headers(app: Flask, peer: str) -> None:
    """What was forwarded is used once and taken out."""
    headers = {
        "X-Forwarded-For": CLIENT, "X-Forwarded-Host": "a", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/a",
        "X-Forwarded-Port": "1", "X-Real-IP": "1.2.3.4", "Forwarded": "for=1.2.3.4",
    }  # fmt: skip
    answer = app.test_client().get("/headers", headers=headers, environ_overrides={"REMOTE_ADDR": peer})

    assert not any("forwarded" in name.lower() or "real" in name.lower() for name in answer.get_json())


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        (f"1.2.3.4, {CLIENT}", CLIENT),  # what stands before the first address that is no proxy, anybody may have sent
        (f"{CLIENT}, {OTHER}", CLIENT),
        (f"{OTHER}, {CLIENT}, {OTHER}", CLIENT),
        (OTHER, OTHER),
        (f"{CLIENT}:4711", CLIENT),
        ("[2001:db8::5]:80", "2001:db8::5"),
        ("::ffff:203.0.113.5", CLIENT),
        ("", PROXY),
        ("unknown", PROXY),
        (f"<script>, {CLIENT}", CLIENT),
        (f"{CLIENT}, <script>", PROXY),
        (f"{CLIENT}, unknown, {OTHER}", OTHER),
        (",,,", PROXY),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(app: Flask, forwarded_for: str, client: str) -> None:
    """The walk goes from the proxy towards the client, and ends where it meets no address."""
    assert seen(app, PROXY, X_Forwarded_For=forwarded_for)[0] == client


@pytest.mark.parametrize("sent", ["ftp", "javascript", "", "https, http"])
def test_a_scheme_that_is_none(app: Flask, sent: str) -> None:
    """Of several schemes the proxy's own is the last; another than http and https is none."""
    assert seen(app, PROXY, X_Forwarded_Proto=sent)[1] == "http"


@pytest.mark.parametrize("sent", ["a b", "a/b", "a\u00e4", "x" * 300, "<b>", ""])
def test_a_host_that_is_none(app: Flask, sent: str) -> None:
    """What cannot be a host is not taken for one."""
    assert seen(app, PROXY, X_Forwarded_Host=sent)[2] == "localhost"


def test_no_proxy_is_trusted_by_default() -> None:
    """The loopback is no proxy until somebody says so."""
    app = create_flask_app(Service(Settings(auth="off")))
    app.add_url_rule("/seen", "seen", view_func=lambda: [request.remote_addr, request.scheme, request.host])

    assert seen(app, "127.0.0.1", X_Forwarded_For=CLIENT, X_Forwarded_Proto="https") == [
        "127.0.0.1",
        "http",
        "localhost",
    ]
