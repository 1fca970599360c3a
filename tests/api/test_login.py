"""The login page gives a cookie for a key; the cookie is worth what the key is, and no more."""

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.keys import Fleet
from vda5050.api import sessions


@pytest.fixture
def fleet() -> Fleet:
    """Build a gateway with keys."""
    return Fleet()


@pytest.fixture
def client(fleet: Fleet) -> FlaskClient:
    """Give a browser that has not logged in."""
    return fleet.app.test_client()


Elapse = Callable[[float], None]


@pytest.fixture
def elapse(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Elapse:
    """Give what lets time pass, for the ring and for the signature."""
    passed = [0.0]
    time_time = time.time
    monkeypatch.setattr(fleet.service.keys, "_clock", lambda: time_time() + passed[0])
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: time_time() + passed[0])

    def elapse(seconds: float) -> None:
        passed[0] += seconds

    return elapse


def log_in(client: FlaskClient, key: str, url: str = "/login", **more: str) -> TestResponse:
    """Send the form."""
    return client.post(url, data={"key": key, **more})


def test_a_page_that_needs_no_script(client: FlaskClient) -> None:
    """The page is a form in plain HTML, its files from here, no inline style; its one script tells the other tabs."""
    answer = client.get("/login?next=/docs")
    html = answer.get_data(as_text=True)

    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "text/html", "no-store")
    assert re.findall(r"<script.*", html) == ['<script type="module" src="static/js/login.js"></script>']
    assert "style=" not in html
    assert 'name="next" value="/docs"' in html
    for href in re.findall(r'(?:href|src)="(static/[^"]+)"', html):
        with client.get(f"/{href}") as file:
            assert file.status_code == 200


def test_logging_in(fleet: Fleet, client: FlaskClient) -> None:
    """A key is given for a cookie that no script reads and no other site sends; then pages and data are there."""
    answer = log_in(client, f" {fleet.shown['read']}\n", next="/docs?x=1")
    cookie = answer.headers["Set-Cookie"]

    assert (answer.status_code, answer.headers["Location"]) == (303, "/docs?x=1")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={sessions.IDLE_S}"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert client.get("/robots").status_code == 200
    assert client.get("/session").get_json()["can_log_out"]


def test_the_cookie_holds_no_secret(fleet: Fleet, client: FlaskClient) -> None:
    """Neither the key nor its hash is in the cookie, nor is it in any answer."""
    answer = log_in(client, fleet.shown["read"])
    secret = fleet.shown["read"].split("_", 2)[2]

    assert secret not in str(answer.headers)
    assert secret not in client.get("/session").get_data(as_text=True)


def test_over_https(fleet: Fleet, client: FlaskClient) -> None:
    """Over https the cookie is Secure and `__Host-`; one that came by plain http is not taken there."""
    plain = fleet.browser("read")
    cookie = client.post("/login", data={"key": fleet.shown["read"]}, base_url="https://localhost").headers[
        "Set-Cookie"
    ]

    assert cookie.startswith("__Host-vda5050_session=")
    assert "Secure" in cookie
    assert client.get("/robots", base_url="https://localhost").status_code == 200
    assert plain.get("/robots", base_url="https://localhost").status_code == 401


@pytest.mark.parametrize("kind", ["expired", "revoked", "garbage", "empty"])
def test_a_bad_key(fleet: Fleet, client: FlaskClient, kind: str) -> None:
    """A key that opens nothing gets the form again, in the same words whatever is wrong with it, and no cookie."""
    shown = {**fleet.shown, "garbage": "<script>alert(1)</script>", "empty": ""}[kind]
    answer = log_in(client, shown)
    html = answer.get_data(as_text=True)

    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert "This key is not valid." in html
    assert "alert(1)" not in html


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "", "/a\r\nX-Y: z"],
)
def test_nobody_is_sent_elsewhere(fleet: Fleet, client: FlaskClient, wanted: str) -> None:
    """After the login one is on this gateway, whatever the link said."""
    answer = log_in(client, fleet.shown["read"], next=wanted)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_pages_lead_to_the_login(client: FlaskClient) -> None:
    """A person who opens a page is led to the form and back; a program gets its 401."""
    answer = client.get("/docs?a=b&c=/d", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/docs%3Fa%3Db%26c%3D/d")
    assert client.get("/docs", headers={"Accept": "*/*"}).status_code == 401
    assert client.get("/stream", headers={"Accept": "text/event-stream"}).status_code == 401


def test_a_wrong_header_is_no_right_cookie(fleet: Fleet) -> None:
    """Who shows a key is judged by that one, whatever cookie comes along."""
    browser = fleet.browser("admin")

    assert browser.get("/robots", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert browser.get("/session", headers=fleet.header("read")).get_json()["role"] == "read"


def test_another_site_logs_nobody_in(fleet: Fleet, client: FlaskClient) -> None:
    """A form on another site's page neither logs a visitor in, with somebody else's key, nor out."""
    foreign = {"Origin": "https://evil.example"}

    assert client.post("/login", data={"key": fleet.shown["read"]}, headers=foreign).status_code == 403
    assert fleet.browser("read").post("/logout", headers=foreign).status_code == 403


def test_logging_out(fleet: Fleet) -> None:
    """After logging out the browser has no cookie any more."""
    browser = fleet.browser("read")
    answer = browser.post("/logout", headers={"Origin": "http://localhost"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert browser.get("/robots").status_code == 401


def test_it_ends_when_it_is_not_used(fleet: Fleet, elapse: Elapse) -> None:
    """An unused cookie is worth nothing after half a day."""
    headers = {"Cookie": _cookie(fleet.browser("read"))}
    client = fleet.app.test_client(use_cookies=False)
    elapse(sessions.IDLE_S - 10)
    before = client.get("/robots", headers=headers).status_code
    elapse(20)

    assert (before, client.get("/robots", headers=headers).status_code) == (200, 401)


def test_use_renews_it(fleet: Fleet, elapse: Elapse) -> None:
    """Who uses it gets a new one, at most every quarter of an hour, and never where a cache would share it."""
    browser = fleet.browser("read")
    at_once = browser.get("/robots")
    elapse(sessions.RENEW_AFTER_S + 1)
    cached, later, again = browser.get("/schemas"), browser.get("/robots"), browser.get("/robots")

    assert ["Set-Cookie" in answer.headers for answer in (at_once, cached, later, again)] == [False, False, True, False]


def test_it_ends_in_any_case(fleet: Fleet, elapse: Elapse) -> None:
    """However often it is renewed, a week after the login one logs in again."""
    browser = fleet.browser("read")
    for _ in range(int(sessions.MAX_S / sessions.IDLE_S * 2)):
        elapse(sessions.IDLE_S / 2 - 1)
        assert browser.get("/robots").status_code == 200

    elapse(sessions.IDLE_S / 2)

    assert browser.get("/robots").status_code == 401


def test_it_ends_with_the_key(elapse: Elapse, fleet: Fleet) -> None:
    """A cookie lives no longer than its key, and dies when that is revoked."""
    expiring, revoked = fleet.browser("read"), fleet.browser("admin")
    fleet.keys["read"] = replace(fleet.keys["read"], expires_at=int(time.time()) + 60)
    fleet.revoke("admin")
    before = expiring.get("/robots").status_code
    elapse(3_600)

    assert (before, expiring.get("/robots").status_code, revoked.get("/robots").status_code) == (200, 401, 401)


def test_a_cookie_of_another_secret(fleet: Fleet) -> None:
    """What somebody else signed is worth nothing."""
    forged = _cookie(Fleet(session_secret="t" * 32).browser("read"))
    own = _cookie(fleet.browser("read"))
    client = fleet.app.test_client(use_cookies=False)

    assert client.get("/robots", headers={"Cookie": forged}).status_code == 401
    assert client.get("/robots", headers={"Cookie": own[:-1]}).status_code == 401
    assert client.get("/robots", headers={"Cookie": own}).status_code == 200


def test_a_form_that_is_too_long(client: FlaskClient) -> None:
    """Nobody needs megabytes to log in."""
    assert log_in(client, "x" * 10_000).status_code == 413


@pytest.mark.parametrize("settings", [{"auth": "off"}])
def test_where_no_key_is_needed(settings: dict[str, str]) -> None:
    """Where everybody is let in, the form leads on."""
    answer = Fleet(**settings).app.test_client().get("/login?next=/docs")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/docs")


def _cookie(browser: FlaskClient) -> str:
    cookie = browser.get_cookie(sessions.COOKIE)
    assert cookie is not None
    return f"{sessions.COOKIE}={cookie.value}"


def test_guessing() -> None:
    """Wrong keys of one address, in the form or a header, are counted together; who has a right one is let in still."""
    fleet = Fleet(max_failed_logins=3)
    client = fleet.app.test_client()
    headers = {"X-API-Key": "nonsense"}
    asked = [
        log_in(client, "nonsense").status_code,
        *(client.get("/robots", headers=headers).status_code for _ in "ab"),
    ]
    refused = [log_in(client, "nonsense"), client.get("/robots", headers=headers)]

    assert asked == [403, 401, 401]
    assert [(answer.status_code, answer.get_json()["code"]) for answer in refused] == [
        (429, "too_many_failed_logins")
    ] * 2
    assert client.get("/robots", headers=fleet.header("read")).status_code == 200
    assert log_in(client, fleet.shown["read"]).status_code == 303


def test_a_key_counts_by_itself() -> None:
    """Requests are counted by key where there is one: behind one address, one key's requests use up no other's."""
    fleet = Fleet(max_requests_per_minute=2)
    client = fleet.app.test_client()
    asked = [
        client.get("/robots", headers=fleet.header(kind)).status_code for kind in ("read", "read", "read", "admin")
    ]

    assert asked == [200, 200, 429, 200]
    assert [client.get("/robots").status_code for _ in range(3)] == [401, 401, 429]
