"""While no key was ever made, this machine's own requests are let in, and nobody else's."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.keys import Fleet
from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings


def client_of(**settings: Any) -> FlaskClient:
    """Build a gateway that has read its keys, and found none."""
    return create_flask_app(Service(Settings(database_url="none", **settings))).test_client()


def ask(client: FlaskClient, peer: str = "127.0.0.1", **headers: str) -> int:
    """Ask for the robots from an address."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/robots", headers=named, environ_overrides={"REMOTE_ADDR": peer}).status_code


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_let_in(peer: str) -> None:
    """`make run` needs no login."""
    assert ask(client_of(), peer) == 200


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", ""])
def test_nobody_else_is(peer: str) -> None:
    """Neither another machine, nor what comes by a Unix socket, which is a proxy."""
    assert ask(client_of(), peer) == 401


@pytest.mark.parametrize(
    "header",
    ["X_Forwarded_For", "Forwarded", "X_Real_IP", "X_Forwarded_Host", "X_Forwarded_Proto", "Via"],
)
@pytest.mark.parametrize("trusted", [(), ("127.0.0.1",)])
def test_a_proxy_on_this_machine_is_not_let_in(header: str, trusted: tuple[str, ...]) -> None:
    """What a proxy passes on looks local and is not, trusted or not, whatever it claims."""
    assert ask(client_of(trusted_proxies=trusted), **{header: "127.0.0.1"}) == 401


@pytest.mark.parametrize("bind", ["0.0.0.0:8000", "[::]:8000", "unix:/run/gateway.sock", "10.0.0.1:80"])
def test_where_others_could_come_nobody_is_let_in(bind: str) -> None:
    """A gateway that others can reach lets in nobody without a key, this machine neither."""
    assert ask(client_of(bind=bind)) == 401


def test_a_name_that_was_pointed_here(client: FlaskClient) -> None:
    """A page that rebinds its name to the loopback gets nothing."""
    assert ask(client, Host="evil.example") == 421


def test_a_page_of_another_site_changes_nothing(client: FlaskClient) -> None:
    """Without keys too, what may change something is refused where another site's page sends it."""
    answer = client.post("/validate?topic=state", data=b"{}", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403


def test_the_last_key_revoked_locks_everybody_out() -> None:
    """Once a key was made, one is needed, also when none is valid any more."""
    fleet = Fleet()
    for kind in list(fleet.keys):
        fleet.revoke(kind)
    client = fleet.app.test_client()

    assert ask(client) == 401
    assert client.get("/robots", headers=fleet.header("admin")).status_code == 401


def test_whether_it_is_ready_is_told_to_all_and_why_to_some() -> None:
    """A load balancer needs no key; where the broker is, is told to those who may read."""
    fleet = Fleet(mqtt_url="mqtt://inner-broker.example")
    client = fleet.app.test_client()
    answers = [client.get("/ready", headers=headers) for headers in ({}, fleet.header("revoked"), fleet.header("read"))]
    browser = fleet.browser("read").get("/ready")

    assert [answer.status_code for answer in answers] == [503] * 3
    assert ["inner-broker" in answer.get_data(as_text=True) for answer in [*answers, browser]] == [
        False, False, True, True,
    ]  # fmt: skip
    assert all("broker" in answer.get_json()["dependencies"] for answer in answers)
