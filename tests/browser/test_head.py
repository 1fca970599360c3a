"""The page's head, and the page before there is a fleet. One test: what it counts is the whole fleet."""

from playwright.sync_api import expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import row
from tests.browser.watch import OpenPage
from tests.services import Service


def test_an_empty_page_says_what_to_do_until_a_robot_speaks(
    open_page: OpenPage, start_robot: StartRobot, broker: Service
) -> None:
    """Without a robot there is the broker's address and a command; the first robot takes their place."""
    page = open_page()
    expect(page.locator("#empty")).to_contain_text("python scripts/multi_robot_demo.py")
    expect(page.locator("#empty")).to_contain_text(f"mqtt://127.0.0.1:{broker.port}")
    expect(page.locator("#fleet")).to_be_hidden()

    start_robot("A/first").say("state", state())

    expect(row(page, "A/first")).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()
