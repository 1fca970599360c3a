"""A client that asks too much is told to wait, and nobody else is."""

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from tests.api.keys import Fleet
from vda5050.api import create_flask_app
from vda5050.api.rate_limits import failed_logins
from vda5050.service import Service
from vda5050.settings import Settings

ONE, OTHER = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}


def refused(service: Service, reason: str) -> float:
    """Read the metric."""
    return service.metrics.registry.get_sample_value("vda5050_requests_refused_total", {"reason": reason}) or 0.0


@pytest.fixture
def service() -> Service:
    """Build a gateway that allows little."""
    return Service(Settings(max_requests_per_minute=3, max_failed_logins=2, max_streams_per_client=1, auth="off"))


def statuses(client: FlaskClient, url: str, environ: dict[str, str], count: int) -> list[int]:
    """Ask some times."""
    return [client.get(url, environ_overrides=environ).status_code for _ in range(count)]


def test_too_many_requests(client: FlaskClient, service: Service) -> None:
    """All requests of an address count together; beyond the limit it is told when to come back."""
    asked = [status for url in ("/robots", "/schemas", "/nowhere") for status in statuses(client, url, ONE, 1)]
    answer = client.get("/robots", environ_overrides=ONE)

    assert asked == [200, 200, 404]
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many_requests")
    assert answer.get_json()["limit"] == 3
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.content_type == "application/problem+json"
    assert refused(service, "requests") == 1


def test_others_are_not_held_up(client: FlaskClient) -> None:
    """One client's limit is not another's."""
    assert statuses(client, "/robots", ONE, 4)[-1] == 429
    assert statuses(client, "/robots", OTHER, 1) == [200]


def test_addresses_of_one_ipv6_network_count_together(client: FlaskClient) -> None:
    """Who has a /64 cannot use another address for each request."""
    asked = [statuses(client, "/robots", {"REMOTE_ADDR": f"2001:db8::{n}"}, 1)[0] for n in range(1, 5)]

    assert asked == [200, 200, 200, 429]
    assert statuses(client, "/robots", {"REMOTE_ADDR": "2001:db8:0:1::1"}, 1) == [200]


@pytest.mark.parametrize("url", ["/health", "/metrics", "/static/favicon.svg"])
def test_whoever_watches_is_never_locked_out(client: FlaskClient, url: str) -> None:
    """What tells how the gateway is, and its pages' files, are not counted and not refused."""
    for _ in range(5):
        with client.get(url, environ_overrides=ONE) as answer:
            assert answer.status_code == 200
    assert statuses(client, "/robots", ONE, 4) == [200, 200, 200, 429]
    with client.get(url, environ_overrides=ONE) as answer:
        assert answer.status_code == 200


def test_no_limit() -> None:
    """0 turns a limit off."""
    client = create_flask_app(Service(Settings(max_requests_per_minute=0, auth="off"))).test_client()

    assert set(statuses(client, "/schemas", ONE, 30)) == {200}


def test_a_storm_of_browsers_is_no_attack() -> None:
    """By default, a thousand clients of one address may come at once, and again a minute's while later."""
    settings = Settings()

    assert settings.max_streams_per_client >= 2 * 1_000
    assert settings.max_requests_per_minute >= 10 * 1_000


def test_streams_of_one_client(client: FlaskClient, service: Service) -> None:
    """A client has a limit of its own, so that it cannot take the place of all others; its answer is its own too."""
    with client.get("/stream", environ_overrides=ONE):
        again = client.get("/stream", environ_overrides=ONE)
        with client.get("/stream", environ_overrides=OTHER) as other:
            assert other.status_code == 200

    assert (again.status_code, again.get_json()["code"]) == (429, "too_many_streams_of_client")
    assert "Retry-After" in again.headers
    assert service.broadcaster.stream_count == 0
    with client.get("/stream", environ_overrides=ONE) as after:
        assert after.status_code == 200


@pytest.fixture
def logins(app: Flask) -> FlaskClient:
    """Add a login that always fails, as whoever guesses sees it."""

    @app.get("/guess")
    def guess() -> Response:
        failed_logins().check()
        failed_logins().count()
        return Response(status=401)

    return app.test_client()


def test_too_many_failed_logins(logins: FlaskClient, service: Service) -> None:
    """An address that has guessed too often is refused before its next guess is looked at."""
    asked = statuses(logins, "/guess", ONE, 2)
    answer = logins.get("/guess", environ_overrides=ONE)

    assert asked == [401, 401]
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many_failed_logins")
    assert 1 <= int(answer.headers["Retry-After"]) <= 300
    assert statuses(logins, "/guess", OTHER, 1) == [401]
    assert refused(service, "logins") == 1


def test_a_fault_in_counting_refuses_nobody(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Limits are there to keep the gateway up; they must not take it down."""

    def fail(*_: object) -> int:
        raise RuntimeError("no count")

    monkeypatch.setattr("vda5050.api.counters.WindowCounts.incr", fail)

    assert statuses(client, "/robots", ONE, 2) == [200, 200]
    assert caplog.records


def test_the_holder_of_a_key_counts_by_the_key() -> None:
    """Two keys behind one address have a limit each, and one key has one limit wherever it comes from."""
    fleet = Fleet(max_requests_per_minute=2, max_streams_per_client=1)
    client = fleet.app.test_client()

    def ask(kind: str, environ: dict[str, str], url: str = "/schemas") -> int:
        with client.get(url, headers=fleet.header(kind), environ_overrides=environ) as answer:
            return answer.status_code

    assert [ask("read", ONE), ask("read", OTHER), ask("read", ONE), ask("control", ONE)] == [200, 200, 429, 200]
    with client.get("/stream", headers=fleet.header("admin"), environ_overrides=ONE):
        assert ask("admin", OTHER, "/stream") == 429
        assert ask("filtered", ONE, "/stream") == 200
