"""The page's head, and the page before there is a fleet. One test: what it counts is the whole fleet."""

from playwright.sync_api import expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import field
from tests.browser.watch import OpenPage


def test_an_empty_page_says_what_to_do_and_then_counts_the_fleet(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Without a robot there is a hint; each robot is counted where it belongs, and one that left only as that."""
    page = open_page()
    expect(page.locator("#empty")).to_contain_text("python scripts/multi_robot_demo.py")
    expect(page.locator("#empty")).to_contain_text("The gateway is connected to mqtt://")

    start_robot("A/driving").say("state", state(driving=True))
    start_robot("A/idle").say("state", state())
    start_robot("A/charging").say("state", state(batteryState={"batteryCharge": 30, "charging": True}))
    start_robot("A/faulty").say("state", state(errors=[{"errorType": "e", "errorLevel": "FATAL"}]))
    left = start_robot("A/left")
    left.say("state", state(driving=True))
    left.leave()

    counts = {"robots": 5, "online": 4, "driving": 1, "idle": 2, "charging": 1, "errors": 1, "stale": 0, "lost": 1}
    for name, count in counts.items():
        expect(page.locator(f"#counts [data-field={name}]")).to_have_text(str(count))
    expect(field(page, "A/left", "connection")).to_have_text("Offline")
    expect(page.locator("#empty")).to_be_hidden()
