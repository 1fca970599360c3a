"""With keys: the page asks for one, shows whose it is, and is left by logging out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.api_keys import create_key
from tests.browser.robots import StartRobot, state
from tests.browser.rows import cell, row
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


@pytest.fixture
def context(browser: Browser, guarded: tuple[Gateway, str]) -> Iterator[BrowserContext]:
    """Open a browser that is not logged in; its tabs share what one browser shares."""
    context = browser.new_context(base_url=f"http://{LOOPBACK}:{guarded[0].port}", locale="en-GB")
    yield context
    context.close()


@pytest.fixture(scope="module")
def narrow_key(guarded: tuple[Gateway, str]) -> str:
    """Make a key for one maker's robots."""
    service, _ = guarded
    key = create_key(service, "one maker", robots="Mine/*")
    wait_until(lambda: service.get("/robots", headers={"X-API-Key": key}).status == 200, what="the key is known")
    return key


def open_streams(service: Gateway, key: str) -> float:
    """Count the gateway's streams, as one who has a key is told."""
    lines = service.get("/metrics", headers={"X-API-Key": key}).body.decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("vda5050_streams{"))


def log_in(page: Page, key: str) -> None:
    """Log in where the page asks for a key, and wait for its stream."""
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#link")).to_have_text("Live")


def test_logout_ends_every_tab(
    context: BrowserContext, guarded: tuple[Gateway, str], narrow_key: str, start_robot: StartRobot
) -> None:
    """Logging out in one tab takes the fleet from all, their stream too; who logs in next sees nothing of it."""
    service, key = guarded
    for name in ("Mine/1", "Secret/1"):
        start_robot(name).say("state", state())
    first, second = context.new_page(), context.new_page()
    first.goto("/")
    log_in(first, key)
    expect(row(first, "Secret/1")).to_be_visible()
    second.goto("/")
    expect(row(second, "Secret/1")).to_be_visible()

    second.get_by_role("button", name="Menu").click()
    second.get_by_role("button", name="Log out (shift leader)").click()

    expect(first.get_by_label("API key")).to_be_visible()
    wait_until(lambda: open_streams(service, key) == 0, what="the stream has ended")
    log_in(second, narrow_key)
    expect(row(second, "Mine/1")).to_be_visible()
    expect(row(second, "Secret/1")).to_have_count(0)


def test_two_keys_share_nothing(
    context: BrowserContext, guarded: tuple[Gateway, str], narrow_key: str, start_robot: StartRobot
) -> None:
    """A login with another key shows what that may see and no more, in this tab and in those that were open."""
    for name in ("Mine/2", "Secret/2"):
        start_robot(name).say("state", state())
    first, second = context.new_page(), context.new_page()
    first.goto("/")
    second.goto("/")
    log_in(first, guarded[1])
    expect(row(first, "Secret/2")).to_be_visible()

    log_in(second, narrow_key)

    for page in (second, first):
        expect(row(page, "Mine/2")).to_be_visible()
        expect(row(page, "Secret/2")).to_have_count(0)
    late = start_robot("Secret/3")
    late.say("state", state())
    start_robot("Mine/3").say("state", state())
    for page in (second, first):
        expect(row(page, "Mine/3")).to_be_visible()
        expect(row(page, "Secret/3")).to_have_count(0)


def test_a_page_that_the_browser_kept_is_loaded_anew(context: BrowserContext, guarded: tuple[Gateway, str]) -> None:
    """On a way back the browser may show a page as it was left, maybe by another key."""
    page = context.new_page()
    page.goto("/")
    log_in(page, guarded[1])
    page.evaluate("window.wasKept = true")

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    page.wait_for_function("window.wasKept === undefined")
    expect(page.locator("#link")).to_have_text("Live")
