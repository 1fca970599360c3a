"""Lost and found: the gateway's broker, the gateway itself, and what the page says meanwhile."""

import re

from playwright.sync_api import expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import cell, row
from tests.browser.watch import OpenPage, Watch
from tests.services import Service


def test_a_broker_that_dies_and_returns_shows_and_clears_the_banner(
    open_page: OpenPage, start_robot: StartRobot, broker: Service
) -> None:
    """Without a broker the page says that all is old; with it again, a robot is fresh as soon as it is heard."""
    page = open_page()
    robot = start_robot("KUKA/through_the_broker")
    robot.say("state", state(orderId="first"))
    connection = cell(page, "KUKA/through_the_broker", "state")
    expect(connection).to_have_text("Idle")

    broker.kill()

    expect(page.get_by_role("alert")).to_contain_text("has lost the MQTT broker")
    expect(page.locator("#broker")).to_have_text("Broker lost")
    expect(page.locator("#link")).to_have_text("Live")
    expect(connection).to_have_text("Silent")
    broker.start()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#broker")).to_have_text("Broker")
    expect(connection).to_have_text("Silent")
    robot.connect()
    robot.say("state", state(orderId="second"))
    expect(connection).to_have_text("Idle")
    expect(cell(page, "KUKA/through_the_broker", "order")).to_contain_text("second")


def test_a_page_opened_without_a_broker_says_so(open_page: OpenPage, broker: Service, watch: Watch) -> None:
    """The banner needs no change to be seen: a page that comes later shows it too."""
    watch.expect_errors("503")  # the browser's word about /ready, which says just this
    first = open_page()
    broker.kill()
    expect(first.get_by_role("alert")).to_be_visible()

    page = open_page()

    expect(page.get_by_role("alert")).to_contain_text("has lost the MQTT broker")
    expect(page.locator("#broker")).to_have_attribute("title", re.compile("not connected to mqtt://"))
    broker.start()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_gateway_that_restarts_is_found_again(
    open_page: OpenPage, start_robot: StartRobot, gateway: Service, watch: Watch
) -> None:
    """The page says that it reconnects, keeps what it knows, and goes on by itself with the new gateway's fleet."""
    watch.expect_errors("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "503")
    page = open_page()
    robot = start_robot("KUKA/through_the_gateway")
    robot.say("state", state(orderId="first"))
    expect(cell(page, "KUKA/through_the_gateway", "order")).to_contain_text("first")

    gateway.stop()

    expect(page.locator("#link")).to_have_text("Reconnecting")
    expect(page.get_by_role("alert")).to_contain_text("gateway does not answer")
    expect(row(page, "KUKA/through_the_gateway")).to_be_visible()
    gateway.start()
    expect(page.locator("#link")).to_have_text("Live")
    expect(page.get_by_role("alert")).to_be_hidden()
    robot.say("state", state(orderId="second"))
    expect(cell(page, "KUKA/through_the_gateway", "order")).to_contain_text("second")
