"""Layouts and floor plans on the map: uploaded by hand, drawn where they lie, gone when they are deleted."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.map_page import MapPage
from tests.browser.robots import StartRobot, state
from tests.browser.watch import OpenPage, Watch
from tests.unit.test_site_maps import edge, lif, node, png

LAYOUT = lif(
    nodes=[node("a", 0.0), node("b", 20.0), node("c", 20.0, nodePosition={"x": 20.0, "y": 12.0})],
    edges=[edge("a", "b"), edge("b", "c")],
    stations=[{"stationId": "s", "stationName": "Rack 7", "interactionNodeIds": ["c"]}],
)


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name a file that is not there yet."""
    return f"sqlite:///{tmp_path_factory.mktemp('database')}/gateway.db"


@pytest.fixture
def hall(open_page: OpenPage, start_robot: StartRobot) -> MapPage:
    """Give the map of a hall with one robot, and open the dialog about its layout and floor plan."""
    page = open_page()
    start_robot("Site/a").say("state", state(x=2.0, y=6.0))
    shown = MapPage(page)
    shown.wait_for_robot("Site/a")
    page.get_by_role("button", name="Layout and plan …").click()
    expect(page.get_by_role("heading", name="Layout and floor plan of hall")).to_be_visible()
    return shown


def choose(page: Page, label: str, *, name: str, kind: str, body: bytes) -> None:
    """Choose a file in the dialog."""
    page.get_by_label(label).set_input_files({"name": name, "mimeType": kind, "buffer": body})


def test_a_layout_is_uploaded_and_drawn(hall: MapPage) -> None:
    """Its ways are drawn at their places as soon as it is there, and no more when it is deleted."""
    page = hall.page
    choose(page, "Choose a layout (LIF) …", name="hall.json", kind="application/json", body=LAYOUT)
    expect(page.get_by_text("L1: 3 nodes, 2 edges, 1 stations")).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).last.click()
    hall.expect_colour("muted", 20, 12, reach=30)  # the station
    on_way = hall.pixels(12, 1, reach=2)
    assert on_way != hall.pixels(12, 4, reach=2)

    page.get_by_role("button", name="Layout and plan …").click()
    page.get_by_role("button", name="Delete").first.click()

    expect(page.get_by_text("none yet")).to_have_count(2)


def test_a_wrong_layout_is_explained(hall: MapPage, watch: Watch) -> None:
    """The dialog says what is wrong and where, in the gateway's words."""
    watch.expect_errors("422")
    wrong = json.dumps({"metaInformation": {}, "layouts": []}).encode()

    choose(hall.page, "Choose a layout (LIF) …", name="hall.json", kind="application/json", body=wrong)

    expect(hall.page.get_by_role("alert").filter(has_text="/metaInformation/creator")).to_be_visible()


def test_a_floor_plan_is_placed_by_two_points(hall: MapPage) -> None:
    """Two points of the image and their coordinates give scale, corner and turn; the plan then lies there."""
    page = hall.page
    choose(page, "Choose a floor plan …", name="hall.png", kind="image/png", body=png(200, 100, grey=120))
    canvas = page.locator(".map-placer canvas")
    expect(canvas).to_be_visible()
    page.wait_for_function("document.querySelector('.map-placer canvas').width === 200")
    box = canvas.bounding_box()
    assert box is not None

    # The lower left corner is at (0, 0), the lower right one at (20, 0): 0.1 m a pixel.
    for x_px, x_m, name in ((0, 0, "A"), (200, 20, "B")):
        page.mouse.click(box["x"] + x_px / 200 * (box["width"] - 2) + 1, box["y"] + box["height"] - 1.5)
        page.get_by_label(f"{name} x").fill(str(x_m))
        page.get_by_label(f"{name} y").fill("0")
    assert float(page.get_by_label("Metres a pixel").input_value()) == pytest.approx(0.1, rel=0.02)
    page.get_by_label("Metres a pixel").fill("0.1")
    page.get_by_label("Lower left corner, x in m").fill("0")
    page.get_by_label("Lower left corner, y in m").fill("0")
    page.get_by_label("Turn in degrees").fill("0")
    page.get_by_role("button", name="Save floor plan").click()
    expect(page.get_by_text(re.compile("200 . 100 px"))).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).last.click()

    hall.expect_grey(10.5, 5.5)
    hall.expect_grey(18.5, 1.5)
    assert not hall.is_grey(-1.5, 5.5)


CORNERS = [(0, 0), (200, 100), (40, 90)]


@pytest.mark.parametrize(
    ("scale", "turn", "x", "y"), [(0.05, 0.0, 0.0, 0.0), (0.2, 1.2, -30.0, 4.5), (1.5, -3.0, 7, 9)]
)
def test_calibration(open_page: OpenPage, scale: float, turn: float, x: float, y: float) -> None:
    """From the places of any two points the placement comes out that gave them these places."""
    script = """async ([placement, height, points]) => {
      const { placementOf } = await import('./static/js/map/calibration.js');
      const { metres_per_pixel: s, origin_x, origin_y, rotation } = placement;
      const placed = points.map(([left, top]) => {
        const [across, up] = [left * s, (height - top) * s];
        return { left, top, x: origin_x + across * Math.cos(rotation) - up * Math.sin(rotation),
                 y: origin_y + across * Math.sin(rotation) + up * Math.cos(rotation) };
      });
      return [placementOf(placed.slice(0, 2), height), placementOf(placed.slice(1), height)];
    }"""
    placement = {"metres_per_pixel": scale, "origin_x": x, "origin_y": y, "rotation": turn}

    found = open_page().evaluate(script, [placement, 100, CORNERS])

    assert found == [pytest.approx(placement), pytest.approx(placement)]
