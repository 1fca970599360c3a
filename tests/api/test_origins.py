"""The gateway answers for its own names, and lets no other site's page use it but those it was told."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings

ALLOWED, STRANGER = "https://dashboard.example:8443", "https://evil.example"
PROXY = "192.0.2.1"


def client_of(**settings: object) -> FlaskClient:
    """Build a gateway with some settings."""
    return create_flask_app(Service(Settings(**{"auth": "off", **settings}))).test_client()  # type: ignore[arg-type]


def ask(client: FlaskClient, host: str, peer: str = "127.0.0.1", **headers: str) -> TestResponse:
    """Ask for something by a host."""
    named = {"Host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/health", headers=named, environ_overrides={"REMOTE_ADDR": peer})


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LOCALHOST.",
        "app.localhost",
        "127.0.0.1:8000",
        "[::1]:8000",
        "10.1.2.3",
        "fleet:80",
    ],
)
def test_own_hosts(host: str) -> None:
    """The loopback's names, the address listened on and every bare address are ours."""
    assert ask(client_of(bind="fleet:8000", auth="off"), host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_foreign_hosts(host: str) -> None:
    """A name that somebody pointed at us is refused, whatever is asked for: DNS rebinding gets nothing."""
    client = client_of()
    answers = [ask(client, host), *(client.get(url, headers={"Host": host}) for url in ("/", "/stream", "/nowhere"))]

    assert {(answer.status_code, answer.get_json()["code"]) for answer in answers} == {(421, "unknown_host")}


def test_allowed_hosts() -> None:
    """Names may be added, one by one or all under a name."""
    client = client_of(allowed_hosts=("fleet.example", "*.hall.example"))

    assert [ask(client, host).status_code for host in ("Fleet.Example:80", "a.b.hall.example")] == [200, 200]
    assert [ask(client, host).status_code for host in ("hall.example", "xhall.example", "example")] == [421] * 3


def test_any_host() -> None:
    """`*` turns the check off."""
    assert ask(client_of(allowed_hosts=("*",)), "evil.example").status_code == 200


def test_a_trusted_proxy_answers_for_its_names() -> None:
    """What it passes on is taken, unless the settings say which names there are."""
    trusting = client_of(trusted_proxies=(PROXY,))
    told = client_of(trusted_proxies=(PROXY,), allowed_hosts=("fleet.example",))

    def passed_on(client: FlaskClient, host: str, peer: str = PROXY) -> int:
        return ask(client, host, peer, X_Forwarded_For="203.0.113.5").status_code

    assert [passed_on(trusting, "evil.example", peer) for peer in (PROXY, "192.0.2.2")] == [200, 421]
    assert [passed_on(told, host) for host in ("fleet.example", "evil.example")] == [200, 421]


def test_a_browser_on_the_proxys_machine_is_no_proxy() -> None:
    """What comes from a trusted proxy's address, and was forwarded by nobody, may be a page with a name of its own."""
    client = client_of(trusted_proxies=("127.0.0.1",), auth="on", database_url="none")

    assert [ask(client, host).status_code for host in ("evil.example:8000", "127.0.0.1:8000")] == [421, 200]
    forged = {"Host": "evil.example:8000", "X-Forwarded-For": "127.0.0.1"}
    assert client.get("/robots", headers=forged).status_code == 401  # taken for a proxy's client, who needs a key


@pytest.mark.parametrize("url", ["/robots", "/nowhere", "/stream"])
def test_cors_is_off(url: str) -> None:
    """No page of another origin may read an answer."""
    with client_of().get(url, headers={"Origin": STRANGER}) as answer:
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("url", ["/robots", "/nowhere", "/stream", "/robots?types=x"])
def test_allowed_origin_may_read(url: str) -> None:
    """An allowed page may read answers and errors, with cookies; what is kept for it is not given to others."""
    with client_of(allowed_origins=(ALLOWED,)).get(url, headers={"Origin": ALLOWED}) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
        assert "Origin" in answer.vary


@pytest.mark.parametrize("origin", [STRANGER, "null", "https://dashboard.example", ALLOWED + ".evil.example", ""])
def test_other_origins_may_not_read(origin: str) -> None:
    """An allow-list lets nobody else in, and caches are told that the answer depends on who asks."""
    answer = client_of(allowed_origins=(ALLOWED,)).get("/robots", headers={"Origin": origin})

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.vary


def preflight(client: FlaskClient, origin: str, url: str = "/validate", method: str = "POST") -> TestResponse:
    """Ask what a browser asks before a page may send a request."""
    return client.options(url, headers={"Origin": origin, "Access-Control-Request-Method": method})


def test_preflight() -> None:
    """An allowed page is told methods and headers; it may remember that for a while."""
    answer = preflight(client_of(allowed_origins=(ALLOWED,)), ALLOWED)

    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert answer.headers["Access-Control-Allow-Methods"] == "OPTIONS, POST"
    assert {"authorization", "content-type", "last-event-id"} <= set(
        answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    )
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert {"origin", "access-control-request-method"} <= {name.lower() for name in answer.vary}


def test_preflight_of_a_stranger() -> None:
    """Any other page gets the plain answer to OPTIONS, which permits nothing."""
    answer = preflight(client_of(allowed_origins=(ALLOWED,)), STRANGER)

    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_preflight_of_nothing() -> None:
    """There is nothing to allow at an address that does not exist."""
    assert preflight(client_of(allowed_origins=(ALLOWED,)), ALLOWED, "/nowhere").status_code == 404


@pytest.mark.parametrize(
    ("origin", "status"), [(None, 200), ("http://localhost", 200), (ALLOWED, 200), (STRANGER, 403), ("null", 403)]
)
def test_only_own_and_allowed_pages_may_send(origin: str | None, status: int) -> None:
    """A page of another site cannot have a visitor's browser change anything, whether or not it may read the answer."""
    client = client_of(allowed_origins=(ALLOWED,))
    answer = client.post("/validate?topic=state", data=b"{}", headers={} if origin is None else {"Origin": origin})

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("origin", "scheme", "status"),
    [
        ("https://fleet.example", "https", 200),
        ("http://fleet.example", "https", 403),
        ("http://fleet.example", "http", 200),
        ("https://fleet.example", "http", 200),  # a proxy ended TLS and does not say so
        ("https://fleet.example:8443", "https", 403),
        ("https://other.example", "https", 403),
        ("javascript://fleet.example", "http", 403),
    ],
)
@pytest.mark.parametrize("url", ["/validate?topic=state", "/ws"])
def test_a_page_over_plain_http_is_a_stranger_to_https(origin: str, scheme: str, status: int, url: str) -> None:
    """What a page of the same name may send goes by the scheme too, which a trusted proxy tells; so for a WebSocket."""
    client = client_of(trusted_proxies=(PROXY,))
    told = {"X-Forwarded-For": "203.0.113.5", "X-Forwarded-Proto": scheme, "X-Forwarded-Host": "fleet.example"}
    peer = {"REMOTE_ADDR": PROXY}
    if url == "/ws":
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
        answer = client.get(url, headers={**told, **upgrade, "Origin": origin}, environ_overrides=peer)
        assert (answer.status_code == 403) == (status == 403)
    else:
        answer = client.post(url, data=b"{}", headers={**told, "Origin": origin}, environ_overrides=peer)
        assert answer.status_code == status
