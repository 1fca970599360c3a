"""Makes the README's pictures: `make screenshots`. The demo's robots on a real broker and gateway, seen in Chromium.

Writes docs/images/*.png. What robots do is the same each time (--seed), when they are seen is not to the millisecond.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.services import LOOPBACK, PROJECT, Gateway, gateway, mosquitto, require

IMAGES = PROJECT / "docs" / "images"
ColorScheme = Literal["light", "dark"]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 780}
MAX_BYTES = 300_000
LIVE_S = 45
"""Seconds that robots have lived when they are seen: by then they have orders, trails and a minute of history."""
PAST_S = 60
ROBOT = "KUKA/KR_1001"
FLEET_MAP = "document.querySelector('#map fleet-map')"


def main() -> None:
    """Make all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require("chromium"), args=["--no-sandbox"])
        with fleet(3) as small:
            take_small(browser, small)
        with fleet(200) as large:
            take_large(browser, large)
        browser.close()


def take_small(browser: Browser, running: Gateway) -> None:
    """See three robots."""
    with page_of(browser, running, "#/fleet") as page:
        save(page, "fleet")
    with page_of(browser, running, "#/map") as page:
        page.evaluate(f"{FLEET_MAP}.select('{ROBOT}')")
        save(page, "map")
    with page_of(browser, running, "#/map", scheme="dark") as page:
        page.evaluate(f"{FLEET_MAP}.select('{ROBOT}')")
        save(page, "map-dark")
    with page_of(browser, running, f"#/robot/{ROBOT}") as page:
        save(page, "robot")
    with page_of(browser, running, "#/map", viewport=PHONE) as page:
        save(page, "phone")
    with page_of(browser, running, f"#/map?t={ago(PAST_S)}", state="past") as page:
        page.get_by_role("button", name="Play").click()
        save(page, "time")


def take_large(browser: Browser, running: Gateway) -> None:
    """See two hundred."""
    with page_of(browser, running, "#/fleet", scheme="dark") as page:
        save(page, "fleet-200")
    with page_of(browser, running, "#/map") as page:
        save(page, "map-200")


def ago(seconds: float) -> str:
    """Name the moment so long ago as an address does."""
    return f"{datetime.now(UTC) - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.000Z"


@contextmanager
def fleet(robots: int) -> Iterator[Gateway]:
    """Run broker, gateway and so many robots; give the gateway when the robots have lived a while."""
    demo = [sys.executable, str(PROJECT / "scripts" / "multi_robot_demo.py"), "--robots", str(robots), "--seed", "7"]
    with tempfile.TemporaryDirectory() as folder, mosquitto() as broker:
        layout = Path(folder, "halls.json")
        subprocess.run([*demo, "--write-layout", layout], check=True)
        database = f"sqlite:///{folder}/gateway.db"
        with gateway(broker, database_url=database, layout_file=layout) as running:
            simulator = subprocess.Popen([*demo, "--port", str(broker.port)], stdout=subprocess.DEVNULL)
            try:
                time.sleep(LIVE_S)
                yield running
            finally:
                simulator.terminate()
                simulator.wait(10)


@contextmanager
def page_of(
    browser: Browser,
    running: Gateway,
    address: str,
    *,
    scheme: ColorScheme = "light",
    viewport: ViewportSize = DESKTOP,
    state: str = "live",
) -> Iterator[Page]:
    """Open the page, and give it when it has settled."""
    with browser.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"http://{LOOPBACK}:{running.port}/{address}")
        page.wait_for_selector(f"#link[data-state={state}]")
        page.wait_for_timeout(9_000)
        yield page


def save(page: Page, name: str) -> None:
    """Write a picture. Raises ValueError where it is too large for a README."""
    page.wait_for_timeout(1_500)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"{path} has {size} bytes, more than {MAX_BYTES}")
    sys.stdout.write(f"{path.relative_to(PROJECT)}: {size // 1000} kB\n")


if __name__ == "__main__":
    main()
