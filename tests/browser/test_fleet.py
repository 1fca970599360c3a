"""The fleet on the page: robots appear, change, are counted, are lost and come back."""

from typing import Any

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import field, row
from tests.browser.watch import OpenPage

PHONE: ViewportSize = {"width": 390, "height": 844}


def test_a_robot_appears_with_its_first_message_and_moves_with_the_next(
    open_page: OpenPage, start_robot: StartRobot
) -> None:
    """A robot is on the page as soon as it says something, and its position changes when it says another one."""
    page = open_page()
    robot = start_robot("KUKA/KR_1001")

    robot.say("state", state(x=1.25, y=-3.5))

    expect(field(page, "KUKA/KR_1001", "x")).to_have_text("1.25")
    expect(field(page, "KUKA/KR_1001", "y")).to_have_text("-3.50")
    robot.say("visualization", {"agvPosition": {"x": 1.75, "y": -3.5, "theta": 1.5708, "mapId": "hall"}})
    expect(field(page, "KUKA/KR_1001", "x")).to_have_text("1.75")
    expect(field(page, "KUKA/KR_1001", "theta")).to_have_text("90°")


def test_a_page_that_opens_later_shows_what_was_said_before(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The snapshot alone shows the fleet."""
    start_robot("ABB/early").say("state", state(x=4.0, orderId="order-7"))

    page = open_page()

    expect(field(page, "ABB/early", "x")).to_have_text("4.00")
    expect(field(page, "ABB/early", "order")).to_have_text("order-7")
    expect(field(page, "ABB/early", "connection")).to_have_text("Online")


@pytest.mark.parametrize("version", ["1.1.0", "2.0.0", "2.1.0", "3.0.0"])
def test_every_version_is_read(open_page: OpenPage, start_robot: StartRobot, version: str) -> None:
    """Position, battery, error and version show alike, whichever names the robot's version has for them."""
    page = open_page()
    robot = start_robot(f"Make/{version}", version=version)

    robot.say("state", state(version=version, x=7.5, errors=[{"errorType": "soiled", "errorLevel": "WARNING"}]))

    expect(field(page, f"Make/{version}", "x")).to_have_text("7.50")
    expect(field(page, f"Make/{version}", "map")).to_have_text("hall")
    expect(field(page, f"Make/{version}", "charge")).to_have_text("80 %")
    expect(field(page, f"Make/{version}", "errors")).to_have_text("1 Warning")
    expect(field(page, f"Make/{version}", "errorType")).to_have_text("soiled")
    expect(field(page, f"Make/{version}", "version")).to_have_text(version)


@pytest.mark.parametrize("version", ["2.1.0", "3.0.0"])
def test_a_lost_connection_is_shown_and_its_return_too(
    open_page: OpenPage, start_robot: StartRobot, version: str
) -> None:
    """The broker's last will marks the robot, and ONLINE takes the mark away."""
    page = open_page()
    robot = start_robot(f"Lost/{version}", version=version)
    robot.say("state", state(version=version))
    connection = field(page, f"Lost/{version}", "connection")
    expect(connection).to_have_text("Online")

    robot.vanish()

    expect(connection).to_have_text("Connection broken")
    robot.connect()
    robot.say("state", state(version=version))
    expect(connection).to_have_text("Online")


def test_a_silent_robot_becomes_stale_after_45_seconds(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Silence is shown although the robot never said that it would leave; a message ends it."""
    page = open_page(has_fake_clock=True)
    robot = start_robot("ABB/silent")
    robot.say("state", state(x=1.0))
    expect(field(page, "ABB/silent", "connection")).to_have_text("Online")

    page.clock.fast_forward(46_000)

    expect(field(page, "ABB/silent", "connection")).to_have_text("Stale")
    expect(field(page, "ABB/silent", "seen")).to_contain_text("46 s")
    robot.say("state", state(x=2.0))
    expect(field(page, "ABB/silent", "connection")).to_have_text("Online")
    expect(field(page, "ABB/silent", "x")).to_have_text("2.00")


def test_a_driving_robot_moves_on_the_map(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The marker is drawn further to the right, and higher, when x and y grow."""
    page = open_page()
    start_robot("Map/corner").say("state", state(x=-20, y=-20, map_id="yard"))
    start_robot("Map/corner2").say("state", state(x=20, y=20, map_id="yard"))
    robot = start_robot("Map/driver")
    robot.say("state", state(x=-10, y=-10, map_id="yard", driving=True))
    page.get_by_role("button", name="yard").click()
    x, y = page.wait_for_function(_CENTRE_OF_DRIVING).json_value()

    robot.say("state", state(x=10, y=10, map_id="yard", driving=True))

    is_there = f"([x, y]) => {{ const now = ({_CENTRE_OF_DRIVING})(); return now?.[0] > x + 50 && now[1] < y - 50; }}"
    page.wait_for_function(is_there, arg=[x, y])
    expect(page.get_by_label("Map yard with 3 robots")).to_be_visible()


def test_each_map_is_shown_by_itself(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A button for each map brings it up, with the robots that say they are on it."""
    page = open_page()
    for name, map_id in (("Map/1", "cellar"), ("Map/2", "cellar"), ("Map/3", "attic")):
        start_robot(name).say("state", state(map_id=map_id))

    page.get_by_role("button", name="cellar").click()
    expect(page.get_by_label("Map cellar with 2 robots")).to_be_visible()
    page.get_by_role("button", name="attic").click()
    expect(page.get_by_label("Map attic with 1 robot")).to_be_visible()


def test_rows_out_of_sight_are_kept_right(open_page: OpenPage, start_robot: StartRobot) -> None:
    """What changes where nobody can see it is written too, for screen readers and the browser's search."""
    page = open_page()
    robots = [start_robot(f"Many/{number:03}") for number in range(60)]
    for robot in robots:
        robot.say("state", state(x=1))
    expect(row(page, "Many/059")).to_be_attached()
    expect(row(page, "Many/059")).not_to_be_in_viewport()

    robots[-1].say("state", state(x=59.5))

    expect(field(page, "Many/059", "x")).to_have_text("59.50")


def test_a_phone_shows_everything_in_its_width(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Nothing makes the page wider than a phone, and an opened robot covers it until it is closed."""
    page = open_page(viewport=PHONE)
    name = "Jungheinrich/EKS_3001_with_a_long_serial_number"
    start_robot(name).say("state", state(orderId="order-" + "7" * 80))
    expect(row(page, name)).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    row(page, name).click()
    box = page.locator("#detail").bounding_box()
    assert box is not None
    assert box["width"] == PHONE["width"]
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#detail")).to_be_hidden()


_HOSTILE_BODIES: list[dict[str, Any]] = [
    {"batteryState": "80", "agvPosition": None, "driving": "yes", "errors": "none", "nodeStates": {"length": 3}},
    {"batteryState": {"batteryCharge": "73.5", "charging": 1}, "agvPosition": {"x": "1.5", "y": "2", "theta": []}},
    {"agvPosition": {"x": 1e300, "y": -1e300, "theta": 1e300, "mapId": {"a": 1}}, "errors": [None, 7, "text", [[]]]},
    {"powerSupply": [], "mobileRobotPosition": "here", "safetyState": 5, "orderId": ["x"], "operatingMode": {}},
    {"version": None, "velocity": "fast", "paused": None, "errors": [{"errorLevel": 3, "errorType": None}]},
    {"__proto__": {"driving": True}, "constructor": None, "toString": 1, "connectionState": 2},
]


def test_wrong_types_show_harmlessly(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Whatever JSON a robot sends, it is listed, and those after it still change."""
    page = open_page()
    for number, body in enumerate(_HOSTILE_BODIES):
        robot = start_robot(f"Odd/{number}")
        for topic in ("state", "visualization", "factsheet", "connection"):
            robot.say(topic, body)

    start_robot("Odd/sane").say("state", state(x=3.25))

    expect(field(page, "Odd/sane", "x")).to_have_text("3.25")
    expect(field(page, "Odd/1", "charge")).to_have_text("74 %")
    for index in range(len(_HOSTILE_BODIES)):
        row(page, f"Odd/{index}").click()
        expect(page.locator("#detail h2")).to_have_text(f"Odd/{index}")


# The middle of all pixels that have the colour of a driving robot; null while there are none. A function, because the
# page's policy forbids playwright to evaluate text.
_CENTRE_OF_DRIVING = """() => {
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--driving").trim();
  const wanted = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const canvas = document.querySelector("#map canvas");
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let [count, x, y] = [0, 0, 0];
  for (let at = 0; at < data.length; at += 4) {
    if (wanted.some((part, index) => data[at + index] !== part)) continue;
    count += 1;
    x += (at / 4) % canvas.width;
    y += Math.floor(at / 4 / canvas.width);
  }
  return count === 0 ? null : [x / count, y / count];
}"""
