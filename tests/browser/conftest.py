"""What the browser tests share: a broker and a gateway, robots, and a page that is watched.

Chromium is Debian's, driven by playwright. Everything is a real process on a loopback port, ended after its module: the
tests of a module share one fleet, so each names its robots itself. The watch fails a test whose page wrote an error to
the console or asked for anything but the gateway.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.robots import Robot, StartRobot
from tests.browser.watch import OpenPage, Watch
from tests.services import LOOPBACK, Service, free_port, mosquitto, running, wait_until

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_MS = 10_000
DESKTOP: ViewportSize = {"width": 1440, "height": 900}

expect.set_options(timeout=DEADLINE_MS)


@pytest.fixture(scope="module")
def broker() -> Iterator[Service]:
    """Run a broker that starts empty."""
    with mosquitto() as service:
        yield service


@pytest.fixture(scope="module")
def database_url() -> str:
    """Name the gateway's database; a module that needs one has this fixture itself."""
    return "none"


@pytest.fixture(scope="module")
def gateway(broker: Service, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run the gateway under gunicorn, connected to the broker."""
    port = free_port()
    settings = {
        "VDA5050_MQTT_URL": f"mqtt://{LOOPBACK}:{broker.port}",
        "VDA5050_BIND": f"{LOOPBACK}:{port}",
        "VDA5050_DATABASE_URL": database_url,
    }
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    service = Service(argv, port=port, log=tmp_path_factory.mktemp("gateway") / "output.log", env=settings, cwd=ROOT)
    with running(service):
        wait_until(lambda: "connected to the broker" in service.output(), what="the gateway is connected to the broker")
        yield service


@pytest.fixture
def start_robot(broker: Service) -> Iterator[StartRobot]:
    """Give a function that connects a robot; all of them leave after the test."""
    robots: list[Robot] = []

    def start(name: str, *, version: str = "2.1.0") -> Robot:
        robots.append(Robot(broker.port, name, version=version))
        return robots[-1].connect()

    yield start
    for robot in robots:
        robot.leave()


@pytest.fixture
def watch(gateway: Service) -> Iterator[Watch]:
    """Judge the pages of a test when it ends."""
    watch = Watch(f"http://{LOOPBACK}:{gateway.port}")
    yield watch
    assert watch.unexpected_errors() == []
    assert watch.strangers == []


@pytest.fixture
def open_page(browser: Browser, watch: Watch) -> Iterator[OpenPage]:
    """Give a function that opens the page and returns when its stream is live."""
    pages: list[Page] = []

    def open_page(*, viewport: ViewportSize = DESKTOP, has_fake_clock: bool = False) -> Page:
        page = browser.new_context(viewport=viewport, reduced_motion="reduce", locale="en-GB").new_page()
        pages.append(page)
        page.set_default_timeout(DEADLINE_MS)
        if has_fake_clock:
            page.clock.install()
        watch.attach(page)
        page.goto(f"{watch.origin}/")
        expect(page.locator("#link")).to_have_text("Live")
        return page

    yield open_page
    for page in pages:
        page.context.close()
