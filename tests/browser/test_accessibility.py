"""axe-core (npm, a tool of this test only) finds no serious problem on any view, light and dark."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import services
from tests.browser.map_page import MapPage
from tests.browser.npm import install
from tests.browser.robots import StartRobot, state
from tests.browser.rows import robot_address, row
from tests.browser.watch import OpenPage
from tests.services import LOOPBACK, PROJECT, Gateway, Service

AXE = "axe-core@4.14.1"
GRAVE = ("serious", "critical")
ROBOT = "Axe/driving"
THEMES = ("light", "dark")

ColorScheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install axe-core; give its script."""
    return (install(AXE, tmp_path_factory.mktemp("axe")) / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def locked(broker: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Run a gateway that has a key, so that everybody needs one."""
    url = f"sqlite:///{tmp_path_factory.mktemp('keys')}/gateway.db"
    command = [sys.executable, "-m", "flask", "--app", "app", "keys", "create", "axe"]
    env = {**os.environ, "VDA5050_DATABASE_URL": url}
    subprocess.run(command, env=env, cwd=PROJECT, check=True, capture_output=True)
    with services.gateway(broker, database_url=url) as running:
        yield running


@pytest.fixture
def judge(axe: str) -> Callable[[Page], list[str]]:
    """Give a function that tells what is gravely wrong on a page, each with where."""

    def judge(page: Page) -> list[str]:
        # Past the page's policy, which would let no script of somebody else's run.
        page.context.new_cdp_session(page).send("Runtime.evaluate", {"expression": axe})
        found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{problem['id']}: {node['target']} {node['failureSummary']}"
            for problem in found
            if problem["impact"] in GRAVE
            for node in problem["nodes"]
        ]

    return judge


@pytest.fixture
def fleet(open_page: OpenPage, start_robot: StartRobot) -> Page:
    """Give the page with one robot of each state."""
    page = open_page()
    start_robot(ROBOT).say(
        "state", state(driving=True, orderId="order-1", errors=[{"errorType": "e", "errorLevel": "WARNING"}])
    )
    start_robot("Axe/charging").say("state", state(x=5.0, batteryState={"batteryCharge": 12.0, "charging": True}))
    start_robot("Axe/stopped").say("state", state(x=9.0, errors=[{"errorType": "broken", "errorLevel": "FATAL"}]))
    gone = start_robot("Axe/gone")
    gone.say("state", state(x=13.0))
    gone.leave()
    expect(row(page, ROBOT)).to_be_visible()
    return page


def put_on(page: Page, theme: str) -> None:
    """Choose light or dark."""
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)


@pytest.mark.parametrize("theme", THEMES)
def test_the_fleet(fleet: Page, judge: Callable[[Page], list[str]], theme: str) -> None:
    """The table with robots in every state."""
    put_on(fleet, theme)

    assert judge(fleet) == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_map(fleet: Page, judge: Callable[[Page], list[str]], theme: str) -> None:
    """The map with a robot chosen and the menu of layers open."""
    shown = MapPage(fleet)
    shown.wait_for_robot(ROBOT)
    put_on(fleet, theme)
    shown.canvas.focus()
    fleet.keyboard.press("n")
    expect(fleet.locator(".map-card")).to_be_visible()
    fleet.get_by_text("Layers").click()

    assert judge(fleet) == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_robot(fleet: Page, judge: Callable[[Page], list[str]], theme: str) -> None:
    """A robot's own page."""
    fleet.evaluate("hash => { location.hash = hash; }", robot_address(ROBOT))
    expect(fleet.locator("#robot")).to_contain_text("order-1")
    put_on(fleet, theme)

    assert judge(fleet) == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_login(browser: Browser, locked: Gateway, judge: Callable[[Page], list[str]], theme: ColorScheme) -> None:
    """The page that asks for a key, which looks as the system does."""
    with browser.new_context(color_scheme=theme) as context:
        page = context.new_page()
        page.goto(f"http://{LOOPBACK}:{locked.port}/")
        expect(page.get_by_label("key")).to_be_visible()

        assert judge(page) == []
