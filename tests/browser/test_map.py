"""The map: robots and orders where they are, and a person's ways to look around."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.map_page import MapPage
from tests.browser.robots import StartRobot, state
from tests.browser.watch import OpenPage
from tests.services import wait_until


@pytest.fixture
def fleet_map(open_page: OpenPage, start_robot: StartRobot) -> MapPage:
    """Give the map with three robots in its corners, the first of them driving."""
    page = open_page()
    start_robot("Map/a").say("state", state(x=0.0, y=0.0, driving=True))
    start_robot("Map/b").say("state", state(x=40.0, y=0.0))
    start_robot("Map/c").say("state", state(x=40.0, y=20.0))
    shown = MapPage(page)
    for name in "abc":
        shown.wait_for_robot(f"Map/{name}")
    return shown


def test_robots_are_where_they_say(fleet_map: MapPage) -> None:
    """Each robot is painted at its place, y up, in the colour of its state; nothing is painted where nobody is."""
    fleet_map.expect_colour("driving", 0.0, 0.0)
    fleet_map.expect_colour("idle", 40.0, 0.0, reach=6)
    fleet_map.expect_colour("idle", 40.0, 20.0, reach=6)

    a, b, c = fleet_map.place(0, 0), fleet_map.place(40, 0), fleet_map.place(40, 20)
    assert a.x < b.x == pytest.approx(c.x)
    assert c.y < b.y == pytest.approx(a.y)
    assert not fleet_map.has_colour("driving", 0.0, 20.0, reach=10)


def test_a_robot_that_moves_is_painted_where_it_is_now(fleet_map: MapPage, start_robot: StartRobot) -> None:
    """The next position moves it, and it leaves the old place."""
    mover = start_robot("Map/mover")
    mover.say("state", state(x=10.0, y=10.0, driving=True))
    fleet_map.expect_colour("driving", 10.0, 10.0)

    mover.say("state", state(x=30.0, y=10.0, driving=True))

    fleet_map.expect_colour("driving", 30.0, 10.0)
    assert not fleet_map.has_colour("driving", 10.0, 10.0)


def test_a_click_chooses_a_robot(fleet_map: MapPage) -> None:
    """A robot that is clicked is shown in words and kept in the address; the card leads to all of it."""
    fleet_map.click(40.0, 20.0)

    card = fleet_map.page.locator(".map-card")
    expect(card).to_contain_text("Map/c")
    expect(card).to_contain_text("40.00, 20.00 m")
    expect(fleet_map.page).to_have_url(re.compile("robot=Map%2Fc"))
    card.get_by_role("button", name="Open").click()
    expect(fleet_map.page).to_have_url(re.compile("#/robot/Map/c"))


def test_dragging_moves_the_map(fleet_map: MapPage) -> None:
    """What is under the mouse when it is pressed stays under it."""
    before = fleet_map.place(20, 10)
    mouse = fleet_map.page.mouse

    mouse.move(before.x, before.y)
    mouse.down()
    mouse.move(before.x + 90, before.y + 40, steps=4)
    mouse.up()

    assert fleet_map.place(20, 10).is_near(before.x + 90, before.y + 40)
    expect(fleet_map.page.locator(".map-card")).to_be_hidden()  # a drag is no click


def test_the_wheel_zooms_where_the_mouse_is(fleet_map: MapPage) -> None:
    """Nearer and further, with the place under the mouse unmoved."""
    place, scale = fleet_map.place(30, 5), fleet_map.get("camera.scale")
    fleet_map.page.mouse.move(place.x, place.y)

    fleet_map.page.mouse.wheel(0, -240)
    wait_until(lambda: fleet_map.get("camera.scale") > scale * 1.3, what="the map is nearer")
    nearer = fleet_map.place(30, 5)
    fleet_map.page.mouse.wheel(0, 240)
    wait_until(lambda: fleet_map.get("camera.scale") < scale * 1.1, what="the map is as far as before")

    assert nearer.is_near(place.x, place.y)


def test_the_keyboard_does_it_all(fleet_map: MapPage) -> None:
    """Arrows move, plus and minus zoom, 0 shows all, N and P choose, F follows, Escape lets go."""
    page = fleet_map.page
    fleet_map.canvas.focus()
    before, scale = fleet_map.place(20, 10), fleet_map.get("camera.scale")

    page.keyboard.press("ArrowRight")
    assert fleet_map.place(20, 10).x < before.x - 20
    page.keyboard.press("+")
    assert fleet_map.get("camera.scale") > scale * 1.2
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert fleet_map.get("camera.scale") < scale
    page.keyboard.press("0")
    wait_until(lambda: fleet_map.place(20, 10) == before, what="all is shown again")
    page.keyboard.press("n")
    card = page.locator(".map-card")
    expect(card).to_be_visible()
    page.keyboard.press("f")
    expect(card.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_fingers_move_and_zoom(fleet_map: MapPage) -> None:
    """One finger drags; two that part zoom in on what is between them."""
    touch = fleet_map.page.context.new_cdp_session(fleet_map.page)
    before, scale = fleet_map.place(20, 10), fleet_map.get("camera.scale")

    def send(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    send("touchStart", (before.x, before.y))
    for step in range(1, 7):
        send("touchMove", (before.x + 10 * step, before.y))
    send("touchEnd")
    moved = fleet_map.place(20, 10)
    assert moved.is_near(before.x + 60, before.y)

    send("touchStart", (moved.x - 50, moved.y), (moved.x + 50, moved.y))
    for step in range(1, 6):
        send("touchMove", (moved.x - 50 - 10 * step, moved.y), (moved.x + 50 + 10 * step, moved.y))
    send("touchEnd")
    assert fleet_map.get("camera.scale") == pytest.approx(2 * scale, rel=0.02)
    assert fleet_map.place(20, 10).is_near(moved.x, moved.y, within=2)


def test_a_robot_can_be_followed(fleet_map: MapPage, start_robot: StartRobot) -> None:
    """A followed robot stays in the middle while it drives, also onto another map; moving the map ends that."""
    robot = start_robot("Map/followed")
    robot.say("state", state(x=10.0, y=5.0))
    fleet_map.wait_for_robot("Map/followed")
    fleet_map.click(10.0, 5.0)
    follow = fleet_map.page.get_by_role("button", name="Follow")

    follow.click()

    robot.say("state", state(x=25.0, y=15.0, driving=True))
    wait_until(lambda: (fleet_map.get("camera.x"), fleet_map.get("camera.y")) == (25, 15), what="it is in the middle")
    robot.say("state", state(x=3.0, y=4.0, map_id="upstairs"))
    wait_until(lambda: fleet_map.get("mapId") == "upstairs", what="its map is shown")
    expect(fleet_map.page).to_have_url(re.compile("follow=Map%2Ffollowed"))
    place = fleet_map.place(8, 4)
    fleet_map.page.mouse.move(place.x, place.y)
    fleet_map.page.mouse.down()
    fleet_map.page.mouse.move(place.x + 50, place.y, steps=3)
    fleet_map.page.mouse.up()
    expect(follow).to_have_attribute("aria-pressed", "false")


def test_each_map_is_a_layer_of_its_own(fleet_map: MapPage, start_robot: StartRobot) -> None:
    """There is a button for each map, with how many robots are on it; a robot is on its own map only."""
    start_robot("Map/above").say("state", state(x=20.0, y=10.0, map_id="above", driving=True))
    tab = fleet_map.page.get_by_role("button", name="above 1")
    expect(tab).to_be_visible()
    assert not fleet_map.has_colour("driving", 20.0, 10.0)

    tab.click()

    fleet_map.wait_for_robot("Map/above")
    fleet_map.expect_colour("driving", 20.0, 10.0)
    assert fleet_map.page.evaluate("document.querySelector('#map fleet-map').shows('Map/a')") is False


def test_the_address_keeps_the_view(fleet_map: MapPage) -> None:
    """An address that is shared shows the same map, place and zoom."""
    place = fleet_map.place(40, 20)
    fleet_map.page.mouse.move(place.x, place.y)
    fleet_map.page.mouse.wheel(0, -200)
    expect(fleet_map.page).to_have_url(re.compile("zoom="))
    camera = [fleet_map.get(f"camera.{name}") for name in ("x", "y", "scale")]

    fleet_map.page.reload()

    expect(fleet_map.canvas).to_be_visible()
    fleet_map.wait_for_robot("Map/c")
    assert [fleet_map.get(f"camera.{name}") for name in ("x", "y", "scale")] == pytest.approx(camera, rel=1e-6)
    assert fleet_map.get("mapId") == "hall"
