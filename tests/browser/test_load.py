"""Five hundred robots at 5 Hz: the page shows what they say and stays usable. How fast: benchmarks/page.py."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import expect

from tests.browser.robots import state
from tests.browser.rows import cell, row
from tests.browser.watch import OpenPage
from tests.services import LOOPBACK, Service, wait_until

ROBOTS = 500
HZ = 5


@contextmanager
def fleet(broker_port: int) -> Iterator[None]:
    """Publish states of all robots, one after the other, each with its number as charge and a growing headerId."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect(LOOPBACK, broker_port)
    client.loop_start()
    is_over = threading.Event()

    def publish() -> None:
        started, sent = time.monotonic(), 0
        while not is_over.wait(0.02):
            while sent < (time.monotonic() - started) * ROBOTS * HZ:
                number, header_id = sent % ROBOTS, sent // ROBOTS
                battery = {"batteryCharge": number % 100, "charging": False}
                body = state(x=number % 25, y=number // 25, batteryState=battery, orderId=f"round-{header_id}")
                client.publish(f"uagv/v2/Load/{number:03}/state", json.dumps({"headerId": header_id} | body))
                sent += 1

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        client.disconnect()
        client.loop_stop()


def test_a_page_with_500_robots_goes_on(open_page: OpenPage, broker: Service) -> None:
    """All are counted, rows follow their robots, search and views answer, and few rows exist."""
    page = open_page()
    with fleet(broker.port):
        expect(page.locator(".tile[data-state=all] strong")).to_have_text("500", timeout=30_000)
        page.get_by_role("searchbox").fill("Load/499")
        expect(row(page, "Load/499")).to_be_visible()
        expect(cell(page, "Load/499", "battery")).to_have_text("99 %")
        shown = cell(page, "Load/499", "order").locator(".id")
        first = shown.inner_text()
        wait_until(lambda: shown.inner_text() != first, what="the row follows its robot")
        page.get_by_role("searchbox").fill("")
        page.get_by_role("button", name="Battery").click()
        expect(page.locator("#fleet .row").first).to_be_visible()
        assert page.locator("#fleet .row").count() < 60
        page.keyboard.press("m")
        expect(page.get_by_label("500 robots")).to_be_visible(timeout=20_000)
        page.goto(f"{page.url.partition('#')[0]}#/robot/Load/007?tab=messages")
        expect(page.locator("#robot .log li")).not_to_have_count(0)
        frames = page.evaluate(
            "() => new Promise((done) => { let count = 0; const end = performance.now() + 2000;"
            " const next = (now) => { count += 1; now < end ? requestAnimationFrame(next) : done(count); };"
            " requestAnimationFrame(next); })"
        )
    assert frames > 0
