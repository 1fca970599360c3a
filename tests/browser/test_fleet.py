"""The fleet on the page: robots appear, change, are counted, are lost and come back."""

from typing import Any

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import cell, row
from tests.browser.watch import OpenPage

PHONE: ViewportSize = {"width": 390, "height": 844}


def test_a_robot_appears_with_its_first_message_and_changes_with_the_next(
    open_page: OpenPage, start_robot: StartRobot
) -> None:
    """A robot is on the page as soon as it says something, and its row follows what it says."""
    page = open_page()
    robot = start_robot("KUKA/KR_1001")

    robot.say("state", state(orderId="order-7", batteryState={"batteryCharge": 63.4, "charging": False}))

    expect(cell(page, "KUKA/KR_1001", "state")).to_have_text("Idle")
    expect(cell(page, "KUKA/KR_1001", "battery")).to_have_text("63 %")
    expect(cell(page, "KUKA/KR_1001", "order")).to_contain_text("order-7")
    expect(cell(page, "KUKA/KR_1001", "map")).to_have_text("hall")
    robot.say("state", state(driving=True, velocity={"vx": 0.84}, operatingMode="MANUAL"))
    expect(cell(page, "KUKA/KR_1001", "state")).to_have_text("Driving")
    expect(cell(page, "KUKA/KR_1001", "mode")).to_have_text("Manual0.8 m/s")
    expect(cell(page, "KUKA/KR_1001", "order")).to_have_text("\N{EN DASH}")


def test_a_page_that_opens_later_shows_what_was_said_before(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The snapshot alone shows the fleet."""
    start_robot("ABB/early").say("state", state(x=4.0, orderId="order-7"))

    page = open_page()

    expect(cell(page, "ABB/early", "order")).to_contain_text("order-7")
    expect(cell(page, "ABB/early", "state")).to_have_text("Idle")


@pytest.mark.parametrize("version", ["1.1.0", "2.0.0", "2.1.0", "3.0.0"])
def test_every_version_is_read(open_page: OpenPage, start_robot: StartRobot, version: str) -> None:
    """Map, battery, error and version show alike, whichever names the robot's version has for them."""
    page = open_page()
    robot = start_robot(f"Make/{version}", version=version)

    robot.say("state", state(version=version, errors=[{"errorType": "soiled", "errorLevel": "WARNING"}]))

    expect(cell(page, f"Make/{version}", "map")).to_have_text("hall")
    expect(cell(page, f"Make/{version}", "battery")).to_have_text("80 %")
    expect(cell(page, f"Make/{version}", "errors")).to_have_text("Warningsoiled")
    expect(cell(page, f"Make/{version}", "version")).to_have_text(version)


@pytest.mark.parametrize("version", ["2.1.0", "3.0.0"])
def test_a_lost_connection_is_shown_and_its_return_too(
    open_page: OpenPage, start_robot: StartRobot, version: str
) -> None:
    """The broker's last will marks the robot, and ONLINE takes the mark away."""
    page = open_page()
    robot = start_robot(f"Lost/{version}", version=version)
    robot.say("state", state(version=version))
    shown = cell(page, f"Lost/{version}", "state")
    expect(shown).to_have_text("Idle")

    robot.vanish()

    expect(shown).to_have_text("Connection broken")
    robot.connect()
    robot.say("state", state(version=version))
    expect(shown).to_have_text("Idle")


def test_a_silent_robot_is_told_after_45_seconds(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Silence is shown although the robot never said that it would leave; a message ends it."""
    page = open_page(has_fake_clock=True)
    robot = start_robot("ABB/silent")
    robot.say("state", state())
    expect(cell(page, "ABB/silent", "state")).to_have_text("Idle")

    page.clock.fast_forward(48_000)

    expect(cell(page, "ABB/silent", "state")).to_have_text("Silent")
    expect(cell(page, "ABB/silent", "seen")).to_contain_text(" s")


def test_the_counts_add_up_and_filter(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Each robot is counted in one state, and a click on a count shows just those; the address keeps the choice."""
    page = open_page()
    start_robot("A/driving").say("state", state(driving=True))
    start_robot("A/idle").say("state", state())
    start_robot("A/charging").say("state", state(batteryState={"batteryCharge": 30, "charging": True}))
    start_robot("A/faulty").say("state", state(driving=True, errors=[{"errorType": "e", "errorLevel": "FATAL"}]))
    start_robot("A/stopped").say("state", state(safetyState={"eStop": "MANUAL", "fieldViolation": False}))
    left = start_robot("A/left")
    left.say("state", state(driving=True))
    left.leave()
    page.get_by_role("searchbox").fill("A/")
    expect(row(page, "A/left")).to_be_visible()

    page.locator(".tile[data-state=error]").click()

    expect(page.locator("#fleet .row")).to_have_count(2)
    expect(cell(page, "A/faulty", "state")).to_have_text("Error")
    expect(cell(page, "A/stopped", "state")).to_have_text("Emergency stop")
    assert "state=error" in page.url
    counts = {name: int(page.locator(f".tile[data-state={name}] strong").inner_text()) for name in _COUNTS}
    assert counts["all"] == sum(counts.values()) - counts["all"]
    assert min(counts.values()) >= 1
    page.reload()
    expect(page.locator("#fleet .row")).to_have_count(2)
    page.get_by_role("button", name="Show all").click()
    expect(row(page, "A/driving")).to_be_visible()


_COUNTS = ("all", "driving", "idle", "charging", "error", "offline")


def test_the_table_sorts_filters_and_searches(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A head sorts up and down, a choice and a word narrow, and what is not known comes last both ways."""
    page = open_page()
    for number, charge in enumerate((40, 90, 10)):
        battery = {"batteryCharge": charge, "charging": False}
        start_robot(f"Sort/{number}").say("state", state(batteryState=battery, map_id="cellar"))
    start_robot("Sort/none").say("connection", {"connectionState": "ONLINE"})
    start_robot("Other/1").say("state", state(map_id="attic"))
    page.get_by_role("searchbox").fill("sort")
    shown = page.locator("#fleet .row")
    expect(shown).to_have_count(4)

    page.get_by_role("button", name="Battery").click()

    assert _order(page) == ["Sort/2", "Sort/0", "Sort/1", "Sort/none"]
    page.get_by_role("button", name="Battery").click()
    assert _order(page) == ["Sort/1", "Sort/0", "Sort/2", "Sort/none"]
    expect(page.locator(".head .c-battery")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("Battery low").check()
    expect(shown).to_have_count(1)
    assert _order(page) == ["Sort/2"]
    page.get_by_label("Battery low").uncheck()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox", name="Map").select_option("attic")
    expect(shown).to_have_count(1)
    page.get_by_role("searchbox").fill("cellar")
    expect(page.get_by_text("No robot matches.")).to_be_visible()


def _order(page: Any) -> list[str]:
    rows = page.locator("#fleet .row").all()
    return [
        name
        for _, name in sorted(
            (int(row.get_attribute("aria-rowindex")), row.get_attribute("data-robot")) for row in rows
        )
    ]


def test_only_rows_on_the_screen_exist_and_scrolling_shows_the_others(
    open_page: OpenPage, start_robot: StartRobot
) -> None:
    """A long fleet has few rows in the page; the keyboard reaches the last one, which shows the newest."""
    page = open_page()
    robots = [start_robot(f"Many/{number:03}") for number in range(60)]
    for robot in robots:
        robot.say("state", state())
    page.goto(f"{page.url.partition('#')[0]}#/fleet?q=Many&sort=robot")
    expect(page.locator("[role=grid]")).to_have_attribute("aria-rowcount", "61")
    assert page.locator("#fleet .row").count() < 40

    row(page, "Many/000").focus()
    page.keyboard.press("End")

    expect(row(page, "Many/059")).to_be_focused()
    robots[-1].say("state", state(orderId="last-one"))
    expect(cell(page, "Many/059", "order")).to_contain_text("last-one")
    page.keyboard.press("Enter")
    expect(page.locator("#robot h1")).to_have_text("Many/059")
    page.keyboard.press("Escape")
    expect(row(page, "Many/059")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 1301, 1272, 1200, 1161, 1024, 971, 900, 861, 768])
def test_no_column_is_cut(open_page: OpenPage, start_robot: StartRobot, width: int) -> None:
    """Whatever the window's width, all that a row shows lies within the table, head and body alike."""
    page = open_page(viewport={"width": width, "height": 700})
    start_robot("Wide/1").say("state", state(orderId="order-" + "7" * 80))
    page.get_by_role("searchbox").fill("Wide/1")
    expect(row(page, "Wide/1")).to_be_visible()

    beyond = """() => {
      const right = document.querySelector('#fleet .rows').getBoundingClientRect().left
        + document.querySelector('#fleet .rows').clientWidth;
      return [...document.querySelectorAll('#fleet .cell')]
        .filter((cell) => cell.checkVisibility() && cell.getBoundingClientRect().right > right)
        .map((cell) => cell.className);
    }"""
    assert page.evaluate(beyond) == []


def test_a_phone_shows_everything_in_its_width(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Nothing makes the page wider than a phone."""
    page = open_page(viewport=PHONE)
    name = "Jungheinrich/EKS_3001_with_a_long_serial_number"
    start_robot(name).say("state", state(orderId="order-" + "7" * 80))
    page.get_by_role("searchbox").fill("long_serial")
    expect(row(page, name)).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    row(page, name).click()
    expect(page.locator("#robot h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


_HOSTILE_BODIES: list[dict[str, Any]] = [
    {"batteryState": "80", "agvPosition": None, "driving": "yes", "errors": "none", "nodeStates": {"length": 3}},
    {"batteryState": {"batteryCharge": "73.5", "charging": 1}, "agvPosition": {"x": "1.5", "y": "2", "theta": []}},
    {"agvPosition": {"x": 1e300, "y": -1e300, "theta": 1e300, "mapId": {"a": 1}}, "errors": [None, 7, "text", [[]]]},
    {"powerSupply": [], "mobileRobotPosition": "here", "safetyState": 5, "orderId": ["x"], "operatingMode": {}},
    {"version": None, "velocity": "fast", "paused": None, "errors": [{"errorLevel": 3, "errorType": None}]},
    {"__proto__": {"driving": True}, "constructor": None, "toString": 1, "connectionState": 2},
]


def test_wrong_types_show_harmlessly(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Whatever JSON a robot sends, it is listed and its page opens, and those after it still change."""
    page = open_page()
    for number, body in enumerate(_HOSTILE_BODIES):
        robot = start_robot(f"Odd/{number}")
        for topic in ("state", "visualization", "factsheet", "connection"):
            robot.say(topic, body)

    start_robot("Odd/sane").say("state", state(orderId="sane"))

    page.get_by_role("searchbox").fill("Odd/")
    expect(cell(page, "Odd/sane", "order")).to_contain_text("sane")
    for index in range(len(_HOSTILE_BODIES)):
        row(page, f"Odd/{index}").click()
        expect(page.locator("#robot h1")).to_have_text(f"Odd/{index}")
        page.go_back()
