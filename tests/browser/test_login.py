"""With keys: the page asks for one, shows whose it is, and is left by logging out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.api_keys import create_key
from tests.browser.robots import StartRobot, state
from tests.browser.rows import cell
from tests.browser.watch import Watch
from tests.services import LOOPBACK, Gateway, Service, wait_until
from tests.services import gateway as running_gateway


@pytest.fixture(scope="module")
def guarded(broker: Service) -> Iterator[tuple[Gateway, str]]:
    """Run a gateway that has a key; gives both."""
    with running_gateway(broker) as service:
        key = create_key(service, "shift leader")
        wait_until(lambda: service.get("/robots").status == 401, what="a key is needed")
        yield service, key


def test_login_shows_the_fleet_and_logout_ends_it(
    browser: Browser, guarded: tuple[Gateway, str], start_robot: StartRobot
) -> None:
    """Login leads to the page, its stream has the same right, and after logout the page is shut."""
    service, key = guarded
    watch = Watch(f"http://{LOOPBACK}:{service.port}")
    watch.expect_errors("401", "403")
    page = browser.new_context(base_url=watch.origin, locale="en-GB").new_page()
    watch.attach(page)
    start_robot("Key/1").say("state", state())
    page.goto("/")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#link")).to_have_text("Live")
    expect(cell(page, "Key/1", "state")).to_have_text("Idle")

    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Log out (shift leader)").click()

    expect(page.get_by_label("API key")).to_be_visible()
    page.goto("/")
    expect(page.get_by_label("API key")).to_be_visible()
    page.context.close()
    assert watch.unexpected_errors() == []
    assert watch.strangers == []
