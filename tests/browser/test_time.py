"""The time bar: the whole page as it was, played, and back to now. One database for this module."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.api_keys import create_key
from tests.browser.robots import Robot, StartRobot, state
from tests.browser.rows import cell, robot_address
from tests.browser.watch import OpenPage, Watch
from tests.services import LOOPBACK, Service, wait_until
from tests.services import gateway as running_gateway

_NOW = "() => new Date().toISOString()"


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Keep a history."""
    path: Path = tmp_path_factory.mktemp("history") / "history.db"
    return f"sqlite:///{path}"


@dataclass
class Replays:
    """The replays that a page opened: their queries, and which of them are open still."""

    opened: list[dict[str, str]]
    open: list[Request]

    def is_one_at(self, speed: str) -> bool:
        """Tell whether just one is open, and how fast it is."""
        return len(self.open) == 1 and query_of(self.open[0])["speed"] == speed


def query_of(request: Request) -> dict[str, str]:
    """Read the query of a request."""
    return dict(parse_qsl(urlsplit(request.url).query))


def replays_of(page: Page) -> Replays:
    """Follow a page's replays from now on."""
    replays = Replays([], [])

    def began(request: Request) -> None:
        if urlsplit(request.url).path == "/replay":
            replays.opened.append(query_of(request))
            replays.open.append(request)

    def ended(request: Request) -> None:
        if request in replays.open:
            replays.open.remove(request)

    page.on("request", began)
    page.on("requestfinished", ended)
    page.on("requestfailed", ended)
    return replays


def wait_for(page: Page, is_done: Callable[[], bool], *, what: str) -> None:
    """Wait as `wait_until` does, and let the page's events be heard meanwhile."""

    def look() -> bool:
        page.wait_for_timeout(20)
        return is_done()

    wait_until(look, what=what)


def wait_until_stored(page: Page, text: str) -> None:
    """Return when the history has a message that holds `text`."""
    address = urljoin(page.url, "history?limit=20")
    wait_until(lambda: text in page.request.get(address).text(), what=f"{text} is in the history", deadline_s=20)


def at(page: Page, moment: str, rest: str = "#/fleet") -> None:
    """Go to a moment by the address."""
    page.goto(f"{page.url.partition('#')[0]}{rest}{'&' if '?' in rest else '?'}t={moment}")


def test_the_whole_page_goes_back_and_to_now_in_one_click(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A moment of the past shows what was then, on every view; what happens meanwhile waits for the click on live."""
    page = open_page()
    robot = start_robot("Past/1")
    robot.say("state", state(orderId="before", batteryState={"batteryCharge": 70.0, "charging": False}))
    wait_until_stored(page, '"before"')
    page.wait_for_timeout(1_100)
    moment = page.evaluate(_NOW)
    page.wait_for_timeout(1_100)
    robot.say("state", state(orderId="after", batteryState={"batteryCharge": 60.0, "charging": False}))
    expect(cell(page, "Past/1", "order")).to_contain_text("after")
    wait_until_stored(page, '"after"')
    page.reload()  # the history that was empty when the page was opened is there now
    expect(page.locator("#time")).to_be_visible()

    at(page, moment)

    expect(cell(page, "Past/1", "order")).to_contain_text("before")
    expect(page.locator("#link")).to_have_text("Past")
    at(page, moment, robot_address("Past/1"))
    expect(page.locator("#robot .figures")).to_contain_text("70 %")
    expect(page.locator("#robot .charts canvas")).to_have_attribute("aria-label", re.compile(r"Battery 70\s%"))
    at(page, moment, f"{robot_address('Past/1')}?tab=messages")
    expect(page.locator("#robot .json")).to_contain_text('"before"')
    page.get_by_role("button", name="Back to live").click()
    expect(page.locator("#robot .json")).to_contain_text('"after"')
    expect(page.locator("#link")).to_have_text("Live")
    assert "t=" not in page.url.partition("#")[2].replace("tab=", "")


class Story(NamedTuple):
    """What happened: `moment` is before the first order, two follow 5 s apart, and 6 s have passed since."""

    robot: str
    moment: str


@pytest.fixture(scope="module")
def story(broker: Service, gateway: Service) -> Story:
    """Let a robot have orders: before-all, slow-1, slow-2."""
    robot = Robot(broker.port, "Past/story").connect()
    robot.say("state", state(orderId="before-all"))
    time.sleep(0.5)
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    for order in ("slow-1", "slow-2"):
        time.sleep(5)
        robot.say("state", state(orderId=order))
    robot.leave()
    time.sleep(6)
    address = f"http://{LOOPBACK}:{gateway.port}/history?robot={robot.manufacturer}/{robot.serial_number}&limit=20"
    wait_until(lambda: b"slow-2" in urlopen(address).read(), what="the story is in the history")
    return Story("Past/story", moment)


def press(page: Page, name: str) -> None:
    """Press one of the bar's buttons."""
    page.locator("#time").get_by_role("button", name=name).click()


def test_play_is_a_stream(open_page: OpenPage, story: Story) -> None:
    """What is played comes as one replay, each order at its time; a jump, a pause, leaving and another speed end it."""
    page = open_page()
    shown = cell(page, story.robot, "order")
    replays = replays_of(page)
    at(page, story.moment)
    expect(shown).to_contain_text("before-all")
    press(page, "Play")
    expect(shown).to_contain_text("slow-1")
    wait_for(page, lambda: replays.is_one_at("1"), what="one replay is open")

    at(page, story.moment)  # a jump: it is played on from there
    expect(shown).to_contain_text("before-all")
    expect(shown).to_contain_text("slow-1")
    wait_for(page, lambda: replays.is_one_at("1"), what="one replay is open")
    press(page, "Pause")
    wait_for(page, lambda: replays.open == [], what="the replay has ended")
    press(page, "Play")
    wait_for(page, lambda: replays.is_one_at("1"), what="it is played again")
    press(page, "Back to live")
    wait_for(page, lambda: replays.open == [], what="the replay has ended")
    at(page, story.moment)
    press(page, "Play")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_label("How fast").select_option("5")
    expect(shown).to_contain_text("slow-2")
    wait_for(
        page, lambda: all(query_of(one)["speed"] == "5" for one in replays.open), what="the slower replay has ended"
    )
    begun = [query for query in replays.opened if "last_event_id" not in query]
    assert [query["speed"] for query in begun] == ["1", "1", "1", "1", "5"]
    assert all(query["view"] == "1" for query in replays.opened)


def test_a_replay_that_has_caught_up_leads_to_now(open_page: OpenPage, story: Story) -> None:
    """At 60 times some seconds are over at once: then the page shows what is now, and no replay is left."""
    page = open_page()
    replays = replays_of(page)
    at(page, story.moment)
    expect(cell(page, story.robot, "order")).to_contain_text("before-all")
    page.get_by_label("How fast").select_option("60")

    press(page, "Play")

    expect(page.locator("#link")).to_have_text("Live", timeout=20_000)
    expect(cell(page, story.robot, "order")).to_contain_text("slow-2")
    wait_for(page, lambda: replays.open == [], what="the replay has ended")


def test_a_robot_and_its_messages_are_played(open_page: OpenPage, story: Story) -> None:
    """On a robot's page that robot is played, with its messages where they are looked at; the map plays all of them."""
    page = open_page()
    replays = replays_of(page)
    at(page, story.moment, robot_address(story.robot))
    expect(page.locator("#robot")).to_contain_text("before-all")
    press(page, "Play")
    expect(page.locator("#robot")).to_contain_text("slow-1")
    page.get_by_role("tab", name="Messages").click()

    at(page, story.moment, f"{robot_address(story.robot)}?tab=messages")

    for order in ("before-all", "slow-1"):
        page.get_by_label("Search in messages").fill(order)
        expect(page.locator("#robot .log li")).to_have_count(1, timeout=20_000)
    assert {query.get("robot") for query in replays.opened} == {story.robot}
    wait_for(page, lambda: len(replays.open) == 2, what="views and messages are played")
    at(page, story.moment, "#/map")
    expect(page.locator("#map canvas[role=application]")).to_be_visible()
    wait_for(page, lambda: len(replays.open) == 1 and "robot" not in query_of(replays.open[0]), what="all are played")


def test_a_page_that_nobody_sees_plays_nothing(open_page: OpenPage, story: Story) -> None:
    """A tab that is hidden pauses, and is where it was when it is seen again."""
    page = open_page()
    replays = replays_of(page)
    at(page, story.moment)
    expect(cell(page, story.robot, "order")).to_contain_text("before-all")
    press(page, "Play")
    wait_for(page, lambda: len(replays.open) == 1, what="it is played")

    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    wait_for(page, lambda: replays.open == [], what="the replay has ended")
    page.evaluate("delete document.hidden")
    expect(page.locator("#time").get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator("#link")).to_have_text("Past")


def test_a_gateway_that_restarts_is_played_on(
    open_page: OpenPage, story: Story, gateway: Service, watch: Watch
) -> None:
    """While the gateway is away time stands still, and that is said; then it is played on from there."""
    watch.expect_errors("Failed to load", "net::ERR")
    page = open_page()
    at(page, story.moment)
    expect(cell(page, story.robot, "order")).to_contain_text("before-all")
    press(page, "Play")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()

    gateway.kill()

    expect(page.locator("#time .trouble")).to_contain_text("trying again")
    stood = page.locator("#time output").inner_text()
    page.wait_for_timeout(1_500)
    assert page.locator("#time output").inner_text() == stood
    gateway.start()
    expect(cell(page, story.robot, "order")).to_contain_text("slow-2", timeout=30_000)
    expect(page.locator("#time .trouble")).to_be_hidden()


def test_a_filtered_key_plays_its_own_robots(browser: Browser, broker: Service, start_robot: StartRobot) -> None:
    """Who may see one make alone sees no other one in the past either, standing or played."""
    with running_gateway(broker) as service:
        key = create_key(service, "hall 3", robots="Mine/*")
        wait_until(lambda: service.get("/robots").status == 401, what="a key is needed")
        mine, other = start_robot("Mine/1"), start_robot("Other/1")
        other.say("state", state(orderId="other"))
        mine.say("state", state(orderId="first"))
        page = browser.new_context(base_url=f"http://{LOOPBACK}:{service.port}", locale="en-GB").new_page()
        page.goto("/login")
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Log in").click()
        expect(cell(page, "Mine/1", "order")).to_contain_text("first")
        wait_until_stored(page, '"first"')
        page.wait_for_timeout(500)
        moment = page.evaluate(_NOW)
        for robot, order in ((mine, "mine"), (other, "other-2")):
            page.wait_for_timeout(1_500)
            robot.say("state", state(orderId=order))
        page.wait_for_timeout(6_000)
        page.reload()
        replays = replays_of(page)
        at(page, moment)
        expect(cell(page, "Mine/1", "order")).to_contain_text("first")
        expect(page.locator(".tile[data-state=all] strong")).to_have_text("1")
        press(page, "Play")
        expect(cell(page, "Mine/1", "order")).to_contain_text("mine")
        expect(page.locator(".tile[data-state=all] strong")).to_have_text("1")
        assert replays.opened != []
        page.context.close()


def test_before_the_first_robot_there_is_nobody(open_page: OpenPage, story: Story) -> None:
    """A moment before all of history says so, instead of what to do."""
    page = open_page()
    before = f"{story.moment[:4]}-01-01T00:00:00.000Z"

    at(page, before)

    expect(page.get_by_role("heading", name="No robot had been heard by then")).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()
    at(page, before, robot_address(story.robot))
    expect(page.locator("#robot h1")).to_have_text(story.robot)


def test_a_finding_leads_to_its_moment(open_page: OpenPage, start_robot: StartRobot) -> None:
    """From a finding one click shows the page a little before it was seen."""
    page = open_page()
    start_robot("Past/finding").say("state", state() | {"driving": "yes", "orderId": "faulty"})
    wait_until_stored(page, '"faulty"')
    page.goto(f"{page.url.partition('#')[0]}{robot_address('Past/finding')}")
    page.reload()
    expect(page.locator("#time")).to_be_visible()

    page.get_by_role("button", name="Show that moment").first.click()

    expect(page.locator("#link")).to_have_text("Past")
    assert "t=20" in page.url


def test_an_error_that_is_over_leads_to_its_moment(open_page: OpenPage, start_robot: StartRobot) -> None:
    """A robot's page lists the errors of the last half hour, and one click shows the page before one began."""
    page = open_page()
    robot = start_robot("Past/over")
    robot.say("state", state())
    page.goto(f"{page.url.partition('#')[0]}{robot_address('Past/over')}")
    expect(page.locator("#robot .card-errors")).to_contain_text("no error")
    robot.say("state", state(errors=[{"errorType": "jam-ahead", "errorLevel": "WARNING"}]))
    expect(page.locator("#robot .card-errors")).to_contain_text("jam-ahead")
    robot.say("state", state(orderId="over"))
    earlier = page.locator("#robot .card-earlier")
    expect(earlier).to_contain_text("Warning · jam-ahead", timeout=30_000)
    wait_until_stored(page, '"over"')
    page.reload()
    expect(earlier).to_contain_text("Warning · jam-ahead")
    expect(page.locator("#robot .card-errors")).to_contain_text("no error")
    expect(page.locator("#time")).to_be_visible(timeout=30_000)

    earlier.get_by_role("button", name="Show that moment").click()

    expect(page.locator("#link")).to_have_text("Past")


def test_an_alert_leads_to_its_moment(open_page: OpenPage, start_robot: StartRobot) -> None:
    """From the bell one click shows the robot's page a little before the alert began."""
    page = open_page()
    robot = start_robot("Past/alert")
    robot.say("state", state(orderId="alerted", errors=[{"errorType": "broken", "errorLevel": "FATAL"}]))
    wait_until_stored(page, '"alerted"')
    page.reload()
    expect(page.locator("#time")).to_be_visible()
    expect(cell(page, "Past/alert", "state")).to_have_text("Error")
    page.locator("#bell").click()

    page.locator(".alert-list li", has_text="Past/alert").get_by_role("button", name="Show that moment").first.click()

    expect(page.locator("#robot h1")).to_have_text("Past/alert")
    expect(page.locator("#link")).to_have_text("Past")
    expect(page.locator("#alerts")).to_be_hidden()
