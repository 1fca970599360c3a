"""Every route against every kind of key: nobody gets in who should not, and everybody who should."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.api.keys import Fleet
from tests.unit.builders import ROBOT
from vda5050.api.access import PUBLIC, ROUTES, needed_role
from vda5050.api_keys import Role

MANUFACTURER, SERIAL_NUMBER = ROBOT.split("/")
VALUES = {
    "manufacturer": MANUFACTURER,
    "serial_number": SERIAL_NUMBER,
    "version": "2.1.0",
    "topic": "state",
    "map_id": "hall",
    "filename": "css/theme.css",
}
"""What stands for each variable of a rule."""
HAS_ROLE = {"read": Role.READ, "filtered": Role.READ, "control": Role.CONTROL, "admin": Role.ADMIN}
NO_GOOD = {
    "no key": {},
    "empty": {"Authorization": "Bearer "},
    "garbage": {"Authorization": "Bearer vda5050_garbage"},
    "basic": {"Authorization": "Basic dXNlcjpwYXNz"},
    "garbage in X-API-Key": {"X-API-Key": "vda5050_aaaaaaaaaa_" + "A" * 43},
    "garbage cookie": {"Cookie": "vda5050_session=WyJhIiwxXQ.ZZZ.ZZZ"},
}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    """Build a gateway with keys of all kinds."""
    return Fleet()


@pytest.fixture(scope="module")
def off() -> FlaskClient:
    """Give a client of a gateway that asks nobody."""
    return Fleet(auth="off").app.test_client()


@pytest.fixture(scope="module")
def unread() -> Fleet:
    """Build a gateway that has not read its keys yet."""
    fleet = Fleet(database_url="sqlite:///nowhere/never-opened.db")
    fleet.service.keys.is_loaded = False
    return fleet


@pytest.fixture(scope="module")
def browser(fleet: Fleet) -> FlaskClient:
    """Log in, once."""
    return fleet.browser("admin")


@pytest.fixture(scope="module")
def locked_out() -> FlaskClient:
    """Log in with a key that is revoked then."""
    fleet = Fleet()
    browser = fleet.browser("read")
    fleet.revoke("read")
    return browser


def routes() -> list[tuple[str, str]]:
    """Give method and rule of everything that the app serves."""
    return sorted(
        (method, rule.rule)
        for rule in Fleet().app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.websocket
    )


def url_of(rule: str) -> str:
    """Fill a rule's variables."""
    for name, value in VALUES.items():
        rule = rule.replace(f"<path:{name}>", value).replace(f"<{name}>", value)
    assert "<" not in rule, f"a value is missing for {rule}"
    return rule


def ask(client: FlaskClient, method: str, rule: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Ask for a route; gives the status and a problem's code."""
    with client.open(url_of(rule), method=method, headers=headers) as answer:
        is_problem = answer.content_type == "application/problem+json"
        return answer.status_code, answer.get_json()["code"] if is_problem else ""


ROUTES_SERVED = routes()
GUARDED = [(method, rule) for method, rule in ROUTES_SERVED if needed_role(method, rule) is not PUBLIC]


@pytest.fixture
def client(fleet: Fleet) -> Iterator[FlaskClient]:
    """Give a client without cookies, which leaves no stream open."""
    yield fleet.app.test_client(use_cookies=False)  # so that it sends the Cookie header of a test
    assert fleet.service.broadcaster.stream_count == 0


def test_every_route_says_what_it_needs() -> None:
    """The table of roles and the app have the same routes."""
    assert sorted(ROUTES) == sorted(f"{method} {rule}" for method, rule in ROUTES_SERVED)


def test_a_route_that_says_nothing_needs_admin() -> None:
    """What was forgotten is shut."""
    assert needed_role("GET", "/forgotten") is Role.ADMIN


@pytest.mark.parametrize("kind", NO_GOOD)
@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_without_a_good_key(client: FlaskClient, method: str, rule: str, kind: str) -> None:
    """No key and no valid one get the same: 401."""
    assert ask(client, method, rule, NO_GOOD[kind]) == (401, "unauthorized")


@pytest.mark.parametrize("kind", ["expired", "revoked"])
@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_with_a_key_of_the_past(fleet: Fleet, client: FlaskClient, method: str, rule: str, kind: str) -> None:
    """A key that is expired or revoked gets what a wrong one gets, whatever its role was."""
    assert ask(client, method, rule, fleet.header(kind)) == (401, "unauthorized")


@pytest.mark.parametrize("kind", HAS_ROLE)
@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_with_a_good_key(fleet: Fleet, client: FlaskClient, method: str, rule: str, kind: str) -> None:
    """A valid key gets in exactly where its role does."""
    status, code = ask(client, method, rule, fleet.header(kind))
    role = needed_role(method, rule)

    assert role is not None
    if HAS_ROLE[kind].includes(role):
        assert status not in (401, 403, 500), code
    else:
        assert (status, code) == (403, "forbidden")


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_with_a_key_in_the_other_header(fleet: Fleet, client: FlaskClient, method: str, rule: str) -> None:
    """X-API-Key is as good as Authorization."""
    status, _ = ask(client, method, rule, {"X-API-Key": fleet.shown["admin"]})

    assert status not in (401, 403, 500)


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_with_a_cookie(browser: FlaskClient, method: str, rule: str) -> None:
    """A cookie gets in as its key does, from our own page; what changes something not from anywhere else."""
    own = ask(browser, method, rule, {"Origin": "http://localhost"})
    no_origin = ask(browser, method, rule)
    fetched = ask(browser, method, rule, {"Sec-Fetch-Site": "same-origin"})
    foreign = ask(browser, method, rule, {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})

    assert own[0] not in (401, 403, 500)
    assert fetched == own
    if method == "GET":
        assert no_origin == own
    else:
        assert no_origin == (403, "cross_site")
        assert foreign == (403, "foreign_origin")


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_with_the_cookie_of_a_revoked_key(locked_out: FlaskClient, method: str, rule: str) -> None:
    """A cookie dies with its key."""
    assert ask(locked_out, method, rule, {"Origin": "http://localhost"}) == (401, "unauthorized")


@pytest.mark.parametrize(("method", "rule"), [route for route in ROUTES_SERVED if route not in GUARDED])
def test_public_routes(client: FlaskClient, method: str, rule: str) -> None:
    """What needs no key is answered without one."""
    expected = {
        "/ready": 503,
        "/login": 200 if method == "GET" else 403,
        "/logout": 303,
    }  # no broker; a form without key

    assert ask(client, method, rule)[0] == expected.get(rule, 200)


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_nobody_gets_in_before_the_keys_are_known(unread: Fleet, method: str, rule: str) -> None:
    """Until the keys were read, it is not known whether one is needed: nobody is let in, local or not."""
    for headers in ({}, unread.header("admin")):
        assert ask(unread.app.test_client(), method, rule, headers) == (503, "keys_unknown")


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_off_on_purpose(off: FlaskClient, method: str, rule: str) -> None:
    """With AUTH=off everybody is let in, key or not."""
    assert ask(off, method, rule)[0] not in (401, 403, 500)
    assert ask(off, method, rule, NO_GOOD["garbage"])[0] not in (401, 403, 500)


def test_head_and_options(client: FlaskClient) -> None:
    """HEAD needs what GET needs; OPTIONS tells the methods and nothing else."""
    assert client.head("/robots").status_code == 401
    assert (client.options("/robots").status_code, client.options("/robots").data) == (204, b"")
