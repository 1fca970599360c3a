"""What the map draws of orders and of 3.0's zones and paths; the mathematics of trajectories, run in the browser."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.map_page import MapPage
from tests.browser.robots import StartRobot, state
from tests.browser.watch import OpenPage

CIRCLE = {
    "degree": 2,
    "knots": [0, 0, 0, 1, 1, 1],
    "points": [{"x": 1, "y": 0, "weight": 1}, {"x": 1, "y": 1, "weight": 0.5**0.5}, {"x": 0, "y": 1, "weight": 1}],
}
"""A quarter of the unit circle, as textbooks write it."""

CUBIC = {
    "degree": 3,
    "knots": [0, 0, 0, 0, 0.3, 0.5, 1, 1, 1, 1],
    "points": [
        {"x": 0, "y": 0},
        {"x": 0, "y": 2, "weight": 3},
        {"x": 4, "y": 2},
        {"x": 4, "y": 0, "weight": 0.5},
        {"x": 5, "y": -1},
        {"x": 6, "y": 0},
    ],
}

LINE = [{"x": 0, "y": 0}, {"x": 4, "y": 0}, {"x": 4, "y": 2}]


def by_definition(trajectory: dict[str, Any], u: float) -> tuple[float, float]:
    """Work a point out by the recursion of Cox and de Boor, which the page does not use."""
    knots = trajectory["knots"]

    def part(of: float, whole: float, value: float) -> float:
        return of / whole * value if whole else 0.0

    def basis(i: int, degree: int) -> float:
        if degree == 0:
            return float(knots[i] <= u < knots[i + 1])
        rising = part(u - knots[i], knots[i + degree] - knots[i], basis(i, degree - 1))
        return rising + part(knots[i + degree + 1] - u, knots[i + degree + 1] - knots[i + 1], basis(i + 1, degree - 1))

    weights = [p.get("weight", 1) * basis(i, trajectory["degree"]) for i, p in enumerate(trajectory["points"])]
    x, y = (sum(w * p[axis] for w, p in zip(weights, trajectory["points"], strict=True)) for axis in "xy")
    return x / sum(weights), y / sum(weights)


@pytest.fixture
def blank(open_page: OpenPage) -> Page:
    """Give a page to run the map's modules in."""
    return open_page()


def curve(page: Page, trajectory: dict[str, Any]) -> list[dict[str, float]]:
    """Let the page work a trajectory out."""
    script = "async t => (await import('./static/js/map/nurbs.js')).curveOf(t)"
    points: list[dict[str, float]] = page.evaluate(script, trajectory)
    return points


def point(page: Page, trajectory: dict[str, Any], u: float) -> tuple[float, float]:
    """Let the page work one point of a trajectory out."""
    script = "async ([t, u]) => (await import('./static/js/map/nurbs.js')).pointAt(t, u)"
    found = page.evaluate(script, [trajectory, u])
    return found["x"], found["y"]


def test_nurbs(blank: Page) -> None:
    """Weighted points make a true circle; a cubic with knots of its own runs as its definition says."""
    assert point(blank, CIRCLE, 0.5) == pytest.approx((0.5**0.5, 0.5**0.5))
    assert all(p["x"] ** 2 + p["y"] ** 2 == pytest.approx(1) for p in curve(blank, CIRCLE))

    for u in (0.0, 0.1, 0.25, 0.3, 0.5, 0.7, 0.99):
        assert point(blank, CUBIC, u) == pytest.approx(by_definition(CUBIC, u))
    assert point(blank, CUBIC, 1.0) == pytest.approx((6, 0))


def test_knots_that_are_missing_or_wrong(blank: Page) -> None:
    """Without knots the curve begins and ends on its outer points; with impossible ones it is drawn straight."""
    bare = curve(blank, {"degree": 2, "knots": None, "points": LINE})
    assert (bare[0], bare[-1]) == (LINE[0], LINE[-1])
    assert bare[len(bare) // 2] == pytest.approx({"x": 3, "y": 0.5})

    for knots in ([0, 0, 1], [0, 0, 0, 1, 0.5, 1], [0, 0, 0, 0, 0, 0], []):
        assert curve(blank, {"degree": 2, "knots": knots, "points": LINE}) == LINE
    assert curve(blank, {"degree": 1, "knots": [0, 0, 0.5, 1, 1], "points": LINE}) == LINE
    assert curve(blank, {"degree": 9, "knots": None, "points": LINE}) == LINE


def order_state() -> dict[str, Any]:
    """Build a state at (0, 0) with a base along a quarter circle to (10, 10) and a horizon up to (10, 20)."""

    def node(node_id: str, sequence_id: int, x: float, y: float, *, released: bool) -> dict[str, Any]:
        position = {"x": x, "y": y, "mapId": "ways"}
        return {"nodeId": node_id, "sequenceId": sequence_id, "released": released, "nodePosition": position}

    arc = {
        "degree": 2,
        "knotVector": [0, 0, 0, 1, 1, 1],
        "controlPoints": [
            {"x": 0, "y": 0, "weight": 1},
            {"x": 10, "y": 0, "weight": 0.5**0.5},
            {"x": 10, "y": 10, "weight": 1},
        ],
    }
    return state(
        map_id="ways",
        x=0.0,
        y=0.0,
        orderId="o",
        lastNodeId="A",
        nodeStates=[node("B", 2, 10, 10, released=True), node("C", 4, 10, 20, released=False)],
        edgeStates=[
            {"edgeId": "AB", "sequenceId": 1, "released": True, "trajectory": arc},
            {"edgeId": "BC", "sequenceId": 3, "released": False},
        ],
    )


def test_an_order_is_drawn(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The base is a line along its trajectory, the horizon a dashed one; what is switched off is not drawn."""
    page = open_page()
    start_robot("Way/a").say("state", order_state())
    shown = MapPage(page)
    page.get_by_role("button", name="ways").click()
    shown.wait_for_robot("Way/a")

    shown.click(0, 0)

    corner = 10 * 0.5**0.5
    shown.expect_colour("driving", corner, 10 - corner)  # on the arc around (0, 10)
    shown.expect_colour("muted", 10, 14, reach=8)
    assert not shown.has_colour("driving", 5.0, 5.0)  # not straight
    assert not shown.has_colour("driving", 10, 15, reach=6)

    page.get_by_text("Layers").click()
    page.get_by_label("Orders").uncheck()
    page.get_by_text("Layers").click()
    page.keyboard.press("Escape")
    shown.canvas.focus()
    page.keyboard.press("Escape")
    expect(page.locator(".map-card")).to_be_hidden()
    shown.expect_no_colour("driving", corner, 10 - corner)


def test_actions_are_drawn(open_page: OpenPage, start_robot: StartRobot) -> None:
    """An action stands on its node in the colour of its state; near enough it is named."""
    page = open_page()
    robot = start_robot("Way/b")
    body = order_state()
    for node in body["nodeStates"]:
        node["nodePosition"]["mapId"] = "acts"
    body["agvPosition"]["mapId"] = "acts"
    action = {"actionId": "p", "actionType": "pick", "blockingType": "HARD"}
    start = {"nodeId": "A", "sequenceId": 0, "released": True, "actions": []}
    nodes = [start, *({**node, "actions": [action] if node["nodeId"] == "B" else []} for node in body["nodeStates"])]
    edges = [{**edge, "actions": []} for edge in body["edgeStates"]]
    robot.say("order", {"orderId": "o", "orderUpdateId": 0, "nodes": nodes, "edges": edges})
    robot.say("state", body | {"actionStates": [{"actionId": "p", "actionType": "pick", "actionStatus": "FAILED"}]})
    shown = MapPage(page)
    page.get_by_role("button", name="acts").click()
    shown.wait_for_robot("Way/b")

    shown.expect_colour("bad", 10, 10, reach=6)


def test_zones_and_paths_of_3_0(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A blocked zone has its outline; of a chosen robot the planned path is dotted, what is just ahead a solid line."""
    page = open_page()
    robot = start_robot("Zone/a", version="3.0.0")
    corners = [{"x": 10, "y": 0}, {"x": 20, "y": 0}, {"x": 20, "y": 8}, {"x": 10, "y": 8}]
    zones = [{"zoneId": "z", "zoneType": "BLOCKED", "vertices": corners}]
    robot.say("zoneSet", {"zoneSet": {"mapId": "zoned", "zoneSetId": "s", "zones": zones}})
    planned = {"degree": 1, "knotVector": [0, 0, 1, 1], "controlPoints": [{"x": 0, "y": 0}, {"x": 0, "y": 12}]}
    ahead = [{"x": 0, "y": 0, "eta": "2026-11-23T12:00:00Z"}, {"x": 6, "y": 0, "eta": "2026-11-23T12:00:09Z"}]
    robot.say(
        "state",
        state(
            version="3.0.0",
            x=0.0,
            y=0.0,
            map_id="zoned",
            instantActionStates=[],
            plannedPath={"trajectory": planned},
            intermediatePath={"polyline": ahead},
        ),
    )
    shown = MapPage(page)
    page.get_by_role("button", name="zoned").click()
    shown.wait_for_robot("Zone/a")

    shown.click(0, 0)

    shown.expect_colour("bad", 10, 4)
    shown.expect_colour("accent", 0, 9, reach=8)
    shown.expect_colour("paused", 4, 0)
