"""axe-core (npm, a tool of this test only) finds no serious problem on any view, light and dark.

The gateway has a history, so that the time bar is there.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import services
from tests.browser.map_page import MapPage
from tests.browser.robots import StartRobot, state
from tests.browser.rows import robot_address, row
from tests.browser.watch import OpenPage, Watch
from tests.npm import install
from tests.services import LOOPBACK, PROJECT, Gateway, Service, mosquitto
from tests.unit.test_site_maps import png

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
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Keep a history."""
    return f"sqlite:///{tmp_path_factory.mktemp('history')}/gateway.db"


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
    start_robot("Axe/low").say("state", state(x=7.0, batteryState={"batteryCharge": 5.0, "charging": False}))
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
def test_a_robots_messages(fleet: Page, judge: Callable[[Page], list[str]], theme: str) -> None:
    """The tab with the log and a message."""
    fleet.evaluate("hash => { location.hash = hash; }", f"{robot_address(ROBOT)}?tab=messages")
    expect(fleet.locator("#robot .json")).to_contain_text("order-1")
    put_on(fleet, theme)

    assert judge(fleet) == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_bell(fleet: Page, judge: Callable[[Page], list[str]], theme: str) -> None:
    """The panel with an alert that somebody has seen to, and one that nobody has."""
    put_on(fleet, theme)
    fleet.locator("#bell").click()
    expect(fleet.locator("#alerts .alert-list li").nth(1)).to_be_visible()
    if fleet.locator("#alerts .is-seen").count() == 0:
        fleet.get_by_role("button", name="Acknowledge").first.click()
    expect(fleet.locator("#alerts .is-seen").first).to_be_visible()

    assert judge(fleet) == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("is_played", [False, True])
def test_the_past(fleet: Page, judge: Callable[[Page], list[str]], theme: str, *, is_played: bool) -> None:
    """The fleet at a moment, and played."""
    fleet.reload()
    expect(fleet.locator("#time")).to_be_visible(timeout=30_000)
    moment = fleet.evaluate(
        "() => new Date(Date.now() - 20_000).toISOString()"
    )  # so far back that playing takes a while
    fleet.evaluate("hash => { location.hash = hash; }", f"#/fleet?t={moment}")
    expect(fleet.locator("#link")).to_have_text("Past")
    if is_played:
        fleet.get_by_role("button", name="Play").click()
        expect(fleet.get_by_role("button", name="Pause")).to_be_visible()
    put_on(fleet, theme)

    assert judge(fleet) == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_dialog_of_a_map(fleet: Page, judge: Callable[[Page], list[str]], theme: str) -> None:
    """Layout and floor plan, with a plan that is about to be placed."""
    MapPage(fleet).wait_for_robot(ROBOT)
    put_on(fleet, theme)
    fleet.get_by_role("button", name="Layout and plan …").click()
    fleet.get_by_label("Choose a floor plan …").set_input_files(
        {"name": "hall.png", "mimeType": "image/png", "buffer": png(200, 100, grey=120)}
    )
    expect(fleet.locator(".map-placer canvas")).to_be_visible()

    assert judge(fleet) == []


@pytest.mark.parametrize("theme", THEMES)
def test_menu_and_help(fleet: Page, judge: Callable[[Page], list[str]], theme: str) -> None:
    """The menu, and the keys."""
    put_on(fleet, theme)
    fleet.get_by_role("button", name="Menu").click()
    of_menu = judge(fleet)
    fleet.locator("#open-help").click()
    expect(fleet.get_by_role("dialog", name="Keyboard")).to_be_visible()

    assert of_menu + judge(fleet) == []


@pytest.mark.parametrize("theme", THEMES)
def test_without_the_gateway(
    fleet: Page, gateway: Service, watch: Watch, judge: Callable[[Page], list[str]], theme: str
) -> None:
    """The fleet as it was seen last, below the banner."""
    watch.expect_errors("Failed to load", "net::ERR")
    put_on(fleet, theme)
    gateway.stop()
    expect(fleet.locator("#banner")).to_contain_text("gateway does not answer")
    found = judge(fleet)
    gateway.start()
    expect(fleet.locator("#link")).to_have_text("Live", timeout=30_000)

    assert found == []


@pytest.mark.parametrize("theme", THEMES)
def test_without_a_robot(browser: Browser, judge: Callable[[Page], list[str]], theme: ColorScheme) -> None:
    """What to do where there is no robot yet."""
    with (
        mosquitto() as broker,
        services.gateway(broker, database_url="none") as running,
        browser.new_context(color_scheme=theme, locale="en-GB") as context,
    ):
        page = context.new_page()
        page.goto(f"http://{LOOPBACK}:{running.port}/")
        expect(page.locator("#empty")).to_contain_text("multi_robot_demo.py")

        assert judge(page) == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_login(browser: Browser, locked: Gateway, judge: Callable[[Page], list[str]], theme: ColorScheme) -> None:
    """The page that asks for a key, which looks as the system does."""
    with browser.new_context(color_scheme=theme) as context:
        page = context.new_page()
        page.goto(f"http://{LOOPBACK}:{locked.port}/")
        expect(page.get_by_label("key")).to_be_visible()

        assert judge(page) == []
