"""One robot's page: how it is, what it does, what is wrong with it, and each message that it sends."""

import json
import re
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Page, expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import robot_address
from tests.browser.watch import OpenPage
from tests.services import wait_until


def show(page: Page, robot: str, tab: str = "overview") -> None:
    """Open a robot's page."""
    page.goto(f"{page.url.partition('#')[0]}{robot_address(robot)}?tab={tab}")
    expect(page.locator("#robot h1")).to_have_text(robot)


def card(page: Page, name: str) -> Any:
    """Find one card of the overview."""
    return page.locator(f"#robot .card-{name}")


def test_a_robot_is_told_in_words(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Battery, speed, mode, position and safety are figures with units; what changes is written."""
    page = open_page()
    robot = start_robot("KUKA/words")
    battery = {"batteryCharge": 41.6, "charging": True, "batteryVoltage": 48.25, "reach": 1200}
    robot.say("state", state(batteryState=battery, operatingMode="TEACHIN", velocity={"vx": 0.5}))
    robot.say("factsheet", {"typeSpecification": {"seriesName": "KR 7", "agvClass": "FORKLIFT", "maxLoadMass": 800}})

    show(page, "KUKA/words")

    figures = page.locator("#robot .figures")
    expect(figures).to_contain_text("Battery42 %Charging · 1,200 m · 48.3 V")
    expect(figures).to_contain_text("Speed0.50 m/s")
    expect(figures).to_contain_text("ModeTeach-in")
    expect(figures).to_contain_text("1.00 / 2.00\u00a0mhall · 0°")
    expect(figures).to_contain_text("Clear")
    expect(card(page, "about")).to_contain_text("KR 7")
    expect(card(page, "about")).to_contain_text("Forklift")
    robot.say("state", state(safetyState={"eStop": "MANUAL", "fieldViolation": False}))
    expect(figures).to_contain_text("Emergency stopto be released at the robot")
    expect(page.locator("#robot .robot-head .state")).to_have_text("Emergency stop")


def test_the_order_shows_how_far_it_is_and_what_comes_next(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The order is a line of stops, base apart from horizon, with its progress; actions have their states."""
    page = open_page()
    robot = start_robot("KUKA/order")
    nodes = [
        {"nodeId": f"N{index}", "sequenceId": 2 * index, "released": index < 3, "actions": []} for index in range(5)
    ]
    edges = [
        {"edgeId": f"E{index}", "sequenceId": 2 * index + 1, "released": index < 2, "startNodeId": f"N{index}",
         "endNodeId": f"N{index + 1}", "actions": []}
        for index in range(4)
    ]  # fmt: skip
    robot.say("order", {"orderId": "order-9", "orderUpdateId": 1, "nodes": nodes, "edges": edges})
    action = {"actionId": "a1", "actionType": "pick", "actionStatus": "RUNNING", "resultDescription": "half way"}
    ahead = [{key: node[key] for key in ("nodeId", "sequenceId", "released")} for node in nodes[2:]]
    on_order: dict[str, Any] = {"orderId": "order-9", "orderUpdateId": 1, "lastNodeId": "N1", "lastNodeSequenceId": 2}

    robot.say("state", state(**on_order, nodeStates=ahead, actionStates=[action]))
    show(page, "KUKA/order")

    order = card(page, "order")
    expect(order).to_contain_text("order-9")
    expect(order).to_contain_text("2 of 5 nodes passed")
    expect(order.locator(".stops .reached")).to_have_text("N1")
    expect(order.locator(".stops .base")).to_have_text(["N2"])
    expect(order.locator(".stops .horizon")).to_have_text(["N3", "N4"])
    expect(card(page, "actions")).to_contain_text(re.compile("pick.*half way.*Running", re.DOTALL))


def test_errors_and_findings_say_what_to_do_and_why(open_page: OpenPage, start_robot: StartRobot) -> None:
    """An error shows its hint and references, a finding the clause that it rests on."""
    page = open_page()
    error = {
        "errorType": "obstacleAhead",
        "errorLevel": "FATAL",
        "errorDescription": "Something stands there.",
        "errorHint": "Clear the way.",
        "errorReferences": [{"referenceKey": "nodeId", "referenceValue": "N7"}],
    }
    start_robot("KUKA/faulty").say("state", {"orderId": 7, "errors": [error]})

    show(page, "KUKA/faulty")

    told = re.compile("Fatal.*obstacleAhead.*Something stands there.*Clear the way.*nodeId N7", re.DOTALL)
    expect(card(page, "errors").locator("li")).to_have_text(told)
    expect(card(page, "findings").locator("li").first).to_contain_text("Error")
    expect(card(page, "findings").locator("li").first).to_contain_text(re.compile(r"\d+\.\d+"))


def test_the_charts_tell_what_they_show(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A screen reader hears the last values; the arrow keys read older ones out."""
    page = open_page()
    robot = start_robot("KUKA/chart")
    robot.say("state", state(batteryState={"batteryCharge": 55.0, "charging": False}))
    show(page, "KUKA/chart")
    canvas = page.locator("#robot .charts canvas")
    expect(canvas).to_have_attribute("aria-label", re.compile(r"Battery 55\s%"))

    page.wait_for_timeout(1_100)  # one sample a second
    robot.say("state", state(batteryState={"batteryCharge": 54.0, "charging": False}, errors=[{"errorType": "x"}]))

    expect(canvas).to_have_attribute("aria-label", re.compile(r"Battery 54\s%.*Errors 1"))
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#robot .readout")).to_have_text(re.compile(r"Battery 55\s%.*Errors 0"))


def shown_json(page: Page) -> Any:
    """Return the message that is shown, parsed."""
    return json.loads(page.locator("#robot .json pre").inner_text())


def test_each_message_is_shown_as_it_was_sent_with_what_changed(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Vendor's members are there, changed fields are marked, and the changes alone are a table."""
    page = open_page()
    robot = start_robot("KUKA/raw")
    robot.say("state", state(x=1.0, vendorLift={"height": 0.2}))
    show(page, "KUKA/raw", "messages")
    expect(page.locator("#robot .json")).to_contain_text("vendorLift")

    robot.say("state", state(x=8.5, vendorLift={"height": 1.5}))

    marked = page.locator("#robot .json mark")
    expect(marked.filter(has_text='"height": 1.5')).to_be_visible()
    assert shown_json(page)["agvPosition"]["x"] == 8.5
    assert {text.strip().split(":")[0] for text in marked.all_inner_texts()} == {'"headerId"', '"x"', '"height"'}
    page.get_by_role("button", name="Changes").click()
    expect(page.locator("#robot .changes tbody tr").filter(has_text="vendorLift.height")).to_have_text(
        "vendorLift.height0.21.5"
    )


def test_each_topic_has_its_own_messages(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A topic's button shows that topic alone, also of one that comes later; the address keeps it."""
    page = open_page()
    robot = start_robot("KUKA/topics")
    robot.say("state", state())
    show(page, "KUKA/topics", "messages")

    page.get_by_role("button", name="connection", exact=True).click()

    expect(page.locator("#robot .json")).to_contain_text('"connectionState": "ONLINE"')
    expect(page.locator("#robot .log .topic")).to_have_text(["connection"])
    robot.say("factsheet", {"typeSpecification": {"seriesName": "KR"}})
    page.get_by_role("button", name="factsheet", exact=True).click()
    expect(page.locator("#robot .json")).to_contain_text('"seriesName": "KR"')
    assert "topic=factsheet" in page.url


def test_the_log_is_searched_and_held_and_compared(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A word finds the message it is in; a picked one stays while the robot goes on; a second one is compared."""
    page = open_page()
    robot = start_robot("KUKA/log")
    robot.say("state", state(orderId="first"))
    show(page, "KUKA/log", "messages")
    expect(page.locator("#robot .json")).to_contain_text('"first"')
    robot.say("state", state(orderId="second"))
    robot.say("state", state(orderId="third"))
    expect(page.locator("#robot .json")).to_contain_text('"third"')

    page.get_by_label("Search in messages").fill("SECOND")
    expect(page.locator("#robot .log li")).to_have_count(1)
    page.locator("#robot .log li").click()

    expect(page.locator("#robot .json")).to_contain_text('"second"')
    page.get_by_label("Search in messages").fill("")
    robot.say("state", state(orderId="fourth"))
    expect(page.locator("#robot .log li")).to_have_count(5)  # four states, one connection
    expect(page.locator("#robot .json")).to_contain_text('"second"')
    page.locator("#robot .log li").first.click(modifiers=["Shift"])
    expect(page.locator("#robot .message .what")).to_contain_text("against")
    page.get_by_role("button", name="Changes").click()
    expect(page.locator("#robot .changes")).to_contain_text('orderId"fourth""second"')
    page.get_by_role("button", name="Hold").click()
    page.get_by_role("button", name="Whole").click()
    expect(page.locator("#robot .json")).to_contain_text('"fourth"')


def test_copy_gives_the_message_that_is_shown(open_page: OpenPage, start_robot: StartRobot) -> None:
    """What lies in the clipboard afterwards is the message."""
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    start_robot("KUKA/copied").say("state", state(x=6.25))
    show(page, "KUKA/copied", "messages")
    expect(page.locator("#robot .json")).to_contain_text("6.25")

    page.get_by_role("button", name="Copy", exact=True).click()

    expect(page.get_by_role("button", name="Copied", exact=True)).to_be_visible()
    assert json.loads(page.evaluate("navigator.clipboard.readText()"))["agvPosition"]["x"] == 6.25


def test_two_tabs_share_one_stream_and_each_follows_its_robot(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The gateway counts one fleet stream for both tabs, and one more for the robots that they follow."""
    page = open_page()
    for name in ("Tab/1", "Tab/2,*"):
        start_robot(name).say("state", state(orderId=name))
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#link")).to_have_text("Live")

    show(page, "Tab/1", "messages")
    show(other, "Tab/2,*", "messages")

    expect(page.locator("#robot .json")).to_contain_text('"orderId": "Tab/1"')
    expect(other.locator("#robot .json")).to_contain_text('"orderId": "Tab/2,*"')
    expect(other.locator("#robot .log .topic").first).to_be_visible()
    streams = re.compile(r'^vda5050_streams\{wire="sse\w*"\} (\d+)', re.MULTILINE)
    metrics = urljoin(page.url, "metrics")
    wait_until(
        lambda: sum(map(float, streams.findall(page.request.get(metrics).text()))) == 2,
        what="one stream for the fleet and one for both robots",
    )
