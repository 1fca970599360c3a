"""The bell: what needs a person is told once, acknowledged by one and seen by all, and rings when it comes again."""

from urllib.parse import urljoin

from playwright.sync_api import Page, expect

from tests.browser.robots import StartRobot, state
from tests.browser.watch import OpenPage
from tests.services import wait_until


def alerts(page: Page, robot: str) -> list[str]:
    """Give the kinds of alerts that the open panel shows of a robot."""
    rows = page.locator("#alerts .alert-list li").filter(has=page.get_by_role("link", name=robot, exact=True))
    return sorted(rows.locator(".what strong").all_inner_texts())


def test_what_needs_a_person_is_told(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Emergency stop, grave error, broken connection, low battery and findings against the standard ring the bell."""
    page = open_page()
    error = {"errorType": "motor", "errorLevel": "FATAL", "errorDescription": "The motor is hot."}
    low = {"batteryCharge": 7.0, "charging": False}
    start_robot("Bell/stop").say("state", state(safetyState={"eStop": "MANUAL", "fieldViolation": False}))
    start_robot("Bell/error").say("state", state(errors=[error], batteryState=low))
    start_robot("Bell/finding").say("state", state() | {"driving": "yes"})
    broken = start_robot("Bell/broken")
    broken.say("state", state())
    broken.vanish()
    start_robot("Bell/fine").say("state", state(errors=[{"errorType": "dust", "errorLevel": "WARNING"}]))

    page.locator("#bell").click()

    panel = page.locator("#alerts")
    expect(panel).to_contain_text("motor: The motor is hot.")
    expect(panel).to_contain_text("Connection broken")
    page.wait_for_function("document.querySelectorAll('#alerts .alert-list li').length >= 5")
    assert "Emergency stop" in alerts(page, "Bell/stop")
    assert {"Error", "Battery low"} <= set(alerts(page, "Bell/error"))
    assert "Against the standard" in alerts(page, "Bell/finding")
    assert "Connection broken" in alerts(page, "Bell/broken")
    assert not {"Error", "Battery low", "Emergency stop"} & set(alerts(page, "Bell/fine"))
    assert page.title().startswith("(")


def test_one_acknowledges_and_another_browser_sees_it(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The name of who did it is on every page at once, it can be taken back, and the robot's page is a click away."""
    page, other = open_page(), open_page()
    start_robot("Seen/by_all").say("state", state(safetyState={"eStop": "MANUAL", "fieldViolation": False}))
    for each in (page, other):
        each.locator("#bell").click()
    mine, theirs = (
        each.locator("#alerts li").filter(has=each.get_by_role("link", name="Seen/by_all", exact=True)).first
        for each in (page, other)
    )

    mine.get_by_role("button", name="Acknowledge").click()

    expect(theirs).to_contain_text("this machine")
    expect(theirs.get_by_role("button", name="Acknowledge")).to_be_hidden()
    theirs.get_by_role("button", name="Take back").click()
    expect(mine.get_by_role("button", name="Acknowledge")).to_be_visible()
    mine.get_by_role("link", name="Seen/by_all").click()
    expect(page.locator("#robot h1")).to_have_text("Seen/by_all")
    expect(page.locator("#alerts")).to_be_hidden()


def test_an_alert_that_ends_takes_its_acknowledgement_with_it(open_page: OpenPage, start_robot: StartRobot) -> None:
    """What was acknowledged and is over rings anew when it comes again."""
    page = open_page()
    robot = start_robot("Seen/again")
    robot.say("state", state(safetyState={"eStop": "MANUAL", "fieldViolation": False}))
    page.locator("#bell").click()
    row = page.locator("#alerts li").filter(has=page.get_by_role("link", name="Seen/again", exact=True)).first
    row.get_by_role("button", name="Acknowledge").click()
    expect(row).to_contain_text("this machine")

    robot.say("state", state())

    expect(row).to_be_hidden()
    address = urljoin(page.url, "alerts/acknowledgements")
    is_gone = lambda: "Seen/again" not in page.request.get(address).text()  # noqa: E731 - a condition
    wait_until(is_gone, what="the acknowledgement is gone", deadline_s=45)
    robot.say("state", state(safetyState={"eStop": "MANUAL", "fieldViolation": False}))
    expect(row.get_by_role("button", name="Acknowledge")).to_be_visible()
