"""The login page shows what a link or a form says as text, and leads nowhere but to this gateway."""

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api_keys import create_key
from tests.browser.watch import Watch
from tests.services import LOOPBACK, Gateway, Service, wait_until
from tests.services import gateway as running_gateway

RUN = "window.hasRun=1"
PLACES = [
    f'"><script>{RUN}</script>',
    f'/"><img src=x onerror={RUN}>',
    f"javascript:{RUN}",
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "/\r\nLocation: https://evil.example",
    "/\x00",
    "/%0d%0aevil",
]


@pytest.fixture(scope="module")
def guarded(broker: Service) -> Iterator[tuple[Gateway, str]]:
    """Run a gateway that has a key; gives both."""
    with running_gateway(broker) as service:
        key = create_key(service, "somebody")
        wait_until(lambda: service.get("/robots").status == 401, what="a key is needed")
        yield service, key


@pytest.fixture
def page(browser: Browser, guarded: tuple[Gateway, str]) -> Iterator[Page]:
    """Open a browser that is not logged in; nothing may have run in it, or have been sent elsewhere."""
    service, _ = guarded
    watch = Watch(f"http://{LOOPBACK}:{service.port}")
    watch.expect_errors("403", "404", "429")
    context = browser.new_context(base_url=watch.origin)
    page = context.new_page()
    watch.attach(page)
    yield page
    assert page.evaluate("window.hasRun") is None
    context.close()
    assert watch.unexpected_errors() == []
    assert watch.strangers == []


@pytest.mark.parametrize("place", PLACES)
def test_login_leads_nowhere_else(page: Page, guarded: tuple[Gateway, str], place: str) -> None:
    """Whatever a link to the login page says, it runs nothing, and the login ends on a page of this gateway."""
    service, key = guarded
    page.goto(f"/login?next={quote(place)}")
    page.get_by_label("API key").fill(f"<script>{RUN}</script>")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("This key is not valid.")

    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login" not in url)

    assert urlsplit(page.url).netloc == f"{LOOPBACK}:{service.port}"
