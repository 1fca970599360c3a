"""The time bar: the whole page as it was, played, and back to now. One database for this module."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import cell, robot_address
from tests.browser.watch import OpenPage
from tests.services import wait_until

_NOW = "() => new Date().toISOString()"


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Keep a history."""
    path: Path = tmp_path_factory.mktemp("history") / "history.db"
    return f"sqlite:///{path}"


def wait_until_stored(page: Page, text: str) -> None:
    """Return when the history has a message that holds `text`."""
    address = urljoin(page.url, "history?limit=20")
    wait_until(lambda: text in page.request.get(address).text(), what=f"{text} is in the history", deadline_s=20)


def at(page: Page, moment: str, rest: str = "#/fleet") -> None:
    """Go to a moment by the address."""
    page.goto(f"{page.url.partition('#')[0]}{rest}{'&' if '?' in rest else '?'}t={moment}")


def test_the_whole_page_goes_back_and_to_now_in_one_click(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A moment of the past shows what was then, on every view; what happens meanwhile waits for the click on live."""
    page = open_page()
    robot = start_robot("Past/1")
    robot.say("state", state(orderId="before", batteryState={"batteryCharge": 70.0, "charging": False}))
    wait_until_stored(page, '"before"')
    page.wait_for_timeout(1_100)
    moment = page.evaluate(_NOW)
    page.wait_for_timeout(1_100)
    robot.say("state", state(orderId="after", batteryState={"batteryCharge": 60.0, "charging": False}))
    expect(cell(page, "Past/1", "order")).to_contain_text("after")
    wait_until_stored(page, '"after"')
    page.reload()  # the history that was empty when the page was opened is there now
    expect(page.locator("#time")).to_be_visible()

    at(page, moment)

    expect(cell(page, "Past/1", "order")).to_contain_text("before")
    expect(page.locator("#link")).to_have_text("Past")
    at(page, moment, robot_address("Past/1"))
    expect(page.locator("#robot .figures")).to_contain_text("70 %")
    expect(page.locator("#robot .charts canvas")).to_have_attribute("aria-label", re.compile(r"Battery 70\s%"))
    at(page, moment, f"{robot_address('Past/1')}?tab=messages")
    expect(page.locator("#robot .json")).to_contain_text('"before"')
    page.get_by_role("button", name="Back to live").click()
    expect(page.locator("#robot .json")).to_contain_text('"after"')
    expect(page.locator("#link")).to_have_text("Live")
    assert "t=" not in page.url.partition("#")[2].replace("tab=", "")


def test_play_goes_on_faster_than_it_happened(open_page: OpenPage, start_robot: StartRobot) -> None:
    """At 20 times the moment after comes soon, and a shared address opens at the same moment."""
    page = open_page()
    robot = start_robot("Past/play")
    robot.say("state", state(orderId="slow-1"))
    wait_until_stored(page, '"slow-1"')
    page.wait_for_timeout(500)
    moment = page.evaluate(_NOW)
    page.wait_for_timeout(3_000)
    robot.say("state", state(orderId="slow-2"))
    wait_until_stored(page, '"slow-2"')
    page.reload()
    at(page, moment)
    expect(cell(page, "Past/play", "order")).to_contain_text("slow-1")

    page.get_by_label("How fast").select_option("20")
    page.get_by_role("button", name="Play").click()

    expect(cell(page, "Past/play", "order")).to_contain_text("slow-2")


def test_a_finding_leads_to_its_moment(open_page: OpenPage, start_robot: StartRobot) -> None:
    """From a finding one click shows the page a little before it was seen."""
    page = open_page()
    start_robot("Past/finding").say("state", state() | {"driving": "yes", "orderId": "faulty"})
    wait_until_stored(page, '"faulty"')
    page.goto(f"{page.url.partition('#')[0]}{robot_address('Past/finding')}")
    page.reload()
    expect(page.locator("#time")).to_be_visible()

    page.get_by_role("button", name="Show that moment").first.click()

    expect(page.locator("#link")).to_have_text("Past")
    assert "t=20" in page.url
