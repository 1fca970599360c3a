"""A robot may be called anything: its name is text, wherever it is shown, and runs nothing."""

import json

from playwright.sync_api import expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import cell, robot_address, row
from tests.browser.watch import OpenPage

_NAMES = [
    "<script>alert(1)<",  # no closing tag: a slash would be a topic level of its own
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "%2F",
    "..%2f..",
    "a\"b'c`d",
    "&lt;b&gt;&amp;",
    "javascript:alert(1)",
    "${alert(1)}{{7*7}}",
    "__proto__",
    "\N{ROBOT FACE}\N{DELIVERY TRUCK}",
]


def test_hostile_names_are_shown_as_text_and_run_nothing(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The name stands in the table, on the robot's page and in its JSON exactly as it was given."""
    page = open_page()
    for name in _NAMES:
        position = {"x": 1, "y": 1, "theta": 0, "mapId": name}
        errors = [{"errorType": name, "errorLevel": name, "errorDescription": name}]
        body = state(agvPosition=position, orderId=name, errors=errors, version=name)

        start_robot(f"{name}/{name}").say("state", body)

        robot = f"{name}/{name}"
        for part in ("robot", "order", "map", "errors"):
            expect(cell(page, robot, part)).to_contain_text(name)
        row(page, robot).click()
        expect(page.locator("#robot h1")).to_have_text(robot)
        expect(page.locator("#robot .card-errors strong")).to_have_text(name)
        page.get_by_role("tab", name="Messages").click()
        expect(page.locator("#robot .json")).to_contain_text(json.dumps(name, ensure_ascii=False))
        page.goto(f"{page.url.partition('#')[0]}#/fleet")
    assert page.locator("main :is(script, img, iframe, object, svg[onload])").count() == 0


def test_the_address_of_a_robot_leads_to_it(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Names are encoded into the address, so that a shared link finds the robot again."""
    page = open_page()
    for name in ("%2F", "<b>", "a\"b'c", "?x&y z"):
        start_robot(f"Make/{name}").say("state", state())
        row(page, f"Make/{name}").click()
        expect(page.locator("#robot h1")).to_have_text(f"Make/{name}")
        assert page.url.endswith(robot_address(f"Make/{name}"))

        page.reload()

        expect(page.locator("#robot h1")).to_have_text(f"Make/{name}")
        page.goto(f"{page.url.partition('#')[0]}#/fleet")


def test_marks_that_turn_the_writing_are_made_visible(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A name with direction marks cannot look like another robot's; in the JSON they are escaped."""
    page = open_page()
    start_robot("\u202eEVIL/\u2066rtl").say("state", state())

    expect(cell(page, "\u202eEVIL/\u2066rtl", "robot")).to_have_text("·rtl·EVIL")
    row(page, "\u202eEVIL/\u2066rtl").click()
    expect(page.locator("#robot h1")).to_have_text("·EVIL/·rtl")
    page.get_by_role("tab", name="Messages").click()
    expect(page.locator("#robot .json")).to_contain_text("\\u202eEVIL")
    shown = json.loads(page.locator("#robot .json pre").inner_text())
    assert shown["manufacturer"] == "\u202eEVIL"


def test_the_page_forbids_what_it_does_not_need(open_page: OpenPage) -> None:
    """The policy refuses scripts that are not the gateway's files, and it does not hinder the page."""
    page = open_page()

    policy = page.request.get(page.url).headers["content-security-policy"]

    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
