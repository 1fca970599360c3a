"""One robot opened: its raw JSON, live, by mouse and by keyboard."""

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import field, row
from tests.browser.watch import OpenPage


def raw(page: Page) -> str:
    """Return the JSON that is shown."""
    return page.locator("#detail pre").inner_text()


def test_the_raw_json_opens_and_follows_the_robot(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A click shows the last message as it was sent, vendor's members included, and the next one replaces it."""
    page = open_page()
    robot = start_robot("KUKA/live")
    robot.say("state", state(x=1.0, vendorLiftState={"height": 0.2}))

    row(page, "KUKA/live").click()

    shown = page.locator("#detail pre")
    expect(shown).to_contain_text('"vendorLiftState"')
    assert json.loads(raw(page))["agvPosition"]["x"] == 1.0
    robot.say("state", state(x=8.5, vendorLiftState={"height": 1.5}))
    expect(shown).to_contain_text('"height": 1.5')
    assert json.loads(raw(page))["agvPosition"]["x"] == 8.5


def test_each_topic_has_its_own_json(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A topic's button shows that topic's last message; one that comes later gets a button too."""
    page = open_page()
    robot = start_robot("KUKA/topics")
    robot.say("state", state())
    row(page, "KUKA/topics").click()
    expect(page.locator("#detail pre")).to_contain_text("safetyState")

    page.get_by_role("button", name="connection", exact=True).click()

    expect(page.locator("#detail pre")).to_contain_text('"connectionState": "ONLINE"')
    robot.say("factsheet", {"typeSpecification": {"seriesName": "KR"}})
    page.get_by_role("button", name="factsheet", exact=True).click()
    expect(page.locator("#detail pre")).to_contain_text('"seriesName": "KR"')


def test_held_json_stays_while_the_robot_goes_on(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Hold keeps the text for reading; the rest of the page goes on, and letting go shows the newest."""
    page = open_page()
    robot = start_robot("KUKA/held")
    robot.say("state", state(x=1.0))
    row(page, "KUKA/held").click()
    expect(page.locator("#detail pre")).to_contain_text('"x": 1')
    hold = page.get_by_role("button", name="Hold")

    hold.click()
    robot.say("state", state(x=5.0))

    expect(field(page, "KUKA/held", "x")).to_have_text("5.00")
    expect(page.locator("#detail pre")).to_contain_text('"x": 1')
    hold.click()
    expect(page.locator("#detail pre")).to_contain_text('"x": 5')


def test_copy_gives_the_json_that_is_shown(open_page: OpenPage, start_robot: StartRobot) -> None:
    """What lies in the clipboard afterwards is the message."""
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    start_robot("KUKA/copied").say("state", state(x=6.25))
    row(page, "KUKA/copied").click()

    page.get_by_role("button", name="Copy", exact=True).click()

    expect(page.get_by_role("button", name="Copied", exact=True)).to_be_visible()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied["agvPosition"]["x"] == 6.25


def test_the_keyboard_opens_reads_and_closes(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Arrow keys go through the robots, Enter opens, Escape closes and gives the focus back."""
    page = open_page()
    for name in ("AAA/1", "AAA/2"):
        start_robot(name).say("state", state())
    first, second = (row(page, name).get_by_role("button") for name in ("AAA/1", "AAA/2"))
    expect(second).to_be_visible()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()

    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("#detail h2")).to_have_text("AAA/2")
    expect(second).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(second).to_be_focused()


def test_errors_are_told_in_words(open_page: OpenPage, start_robot: StartRobot) -> None:
    """An opened robot shows each error's level, type, description and hint."""
    page = open_page()
    error = {
        "errorType": "obstacleAhead",
        "errorLevel": "WARNING",
        "errorDescription": "Something stands there.",
        "errorHint": "Clear the way.",
    }
    start_robot("KUKA/faulty").say("state", state(errors=[error]))

    row(page, "KUKA/faulty").click()

    expect(page.locator("#detail .errors li")).to_have_text(
        re.compile("Warning.*obstacleAhead.*Something stands there.*Clear the way", re.DOTALL)
    )
