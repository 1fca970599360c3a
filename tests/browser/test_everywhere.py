"""What holds on every view: language, colours, keyboard, names for screen readers, files that are small."""

import re

from playwright.sync_api import expect

from tests.browser.robots import StartRobot, state
from tests.browser.rows import cell, robot_address
from tests.browser.watch import OpenPage

MAX_BYTES = 250_000


def test_english_and_german(open_page: OpenPage, start_robot: StartRobot) -> None:
    """All of the page changes its language at once, also what was written before, and keeps it."""
    page = open_page()
    start_robot("Text/1").say("state", state(operatingMode="MANUAL"))
    expect(cell(page, "Text/1", "mode")).to_have_text("Manual")

    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Deutsch").click()

    expect(page.locator("nav")).to_have_text(re.compile("Flotte.*Karte", re.DOTALL))
    expect(cell(page, "Text/1", "mode")).to_have_text("Handbetrieb")
    expect(page.get_by_placeholder("Suchen", exact=True)).to_be_visible()
    page.reload()
    expect(cell(page, "Text/1", "state")).to_have_text("Bereit")
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_light_and_dark(open_page: OpenPage) -> None:
    """The colours change by a key or the menu, and are there again before the first paint of the next visit."""
    page = open_page()
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(f"() => {colour}")

    page.keyboard.press("d")

    assert page.evaluate(f"() => {colour}") != light
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(f"() => {colour}") == light


def test_the_keyboard_is_enough(open_page: OpenPage, start_robot: StartRobot) -> None:
    """The first stop leads to the robots; keys search, change views, open help; each control has a name."""
    page = open_page()
    start_robot("Keys/1").say("state", state())
    expect(cell(page, "Keys/1", "state")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the robots")).to_be_focused()

    page.keyboard.press("/")
    page.keyboard.type("keys")

    expect(page.get_by_role("searchbox")).to_have_value("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.locator("#map canvas[role=application]")).to_be_visible()
    page.keyboard.press("f")
    expect(page.locator("#fleet")).to_be_visible()
    nameless = """() => [...document.querySelectorAll('button, a[href], input, select')].filter((node) =>
      node.checkVisibility() && !(node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.length))
      .map((node) => node.outerHTML)"""
    assert page.evaluate(nameless) == []


def test_all_files_of_the_page_are_small(open_page: OpenPage, start_robot: StartRobot) -> None:
    """Fleet, map and robot together load less than 250 kB, counted as they are before compression.

    Each file counts once: the browser takes the icon anew whenever the address changes.
    """
    page = open_page()
    start_robot("Small/1").say("state", state())
    for address in ("#/map", robot_address("Small/1"), "#/fleet"):
        page.goto(f"{page.url.partition('#')[0]}{address}")
        page.wait_for_timeout(300)

    loaded = page.evaluate(
        "() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".filter(({name}) => name.includes('/static/') || new URL(name).pathname === '/')"
        ".map(({name, decodedBodySize}) => [name, decodedBodySize])"
    )
    sizes = dict(loaded)

    assert len(sizes) > 50
    assert min(sizes.values()) > 0
    assert sum(sizes.values()) < MAX_BYTES
