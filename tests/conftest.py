"""What holds for every test: hypothesis' profiles, one browser; unit and api tests leave no greenlet, no stream."""

import os
import weakref
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import gevent
import hypothesis
import pytest
import structlog
from playwright.sync_api import Browser, sync_playwright

from tests.services import require
from vda5050.broadcast import Broadcaster

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP fleet.example 127.0.0.1",  # the name that deploy/nginx.conf answers for
]

_HERE = Path(__file__).parent
_WATCHED = (_HERE / "unit", _HERE / "api")

# No deadline: machines are shared, and a slow moment is no failure. HYPOTHESIS_PROFILE=thorough searches for minutes.
hypothesis.settings.register_profile("fast", deadline=None, max_examples=30, stateful_step_count=30)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=3_000, stateful_step_count=60)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

_started: weakref.WeakSet[Any] = weakref.WeakSet()
gevent.Greenlet.add_spawn_callback(_started.add)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape half a surrogate pair in what a test logged or failed with: xdist cannot pass it on, and ends."""
    report = yield
    report.sections = [(name, _escaped(text)) for name, text in report.sections]
    if (failure := str(report.longrepr)) != _escaped(failure):
        report.longrepr = _escaped(failure)
    return report


def _escaped(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run Debian's Chromium, once for all tests: playwright's synchronous API can be started once in a process."""
    executable = require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def _nothing_is_left(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a greenlet running or a stream open; set up first, so it looks last."""
    if not any(folder in request.path.parents for folder in _WATCHED):
        yield
        return
    broadcasters: weakref.WeakSet[Broadcaster] = weakref.WeakSet()
    build = Broadcaster.__init__

    def remember(self: Broadcaster, *args: Any, **options: Any) -> None:
        build(self, *args, **options)
        broadcasters.add(self)

    monkeypatch.setattr(Broadcaster, "__init__", remember)
    _started.clear()
    structlog.contextvars.clear_contextvars()  # an app that a test called in this greenlet leaves its request's name
    yield
    running = [greenlet for greenlet in _started if not greenlet.dead]
    open_streams = sum(broadcaster.stream_count for broadcaster in broadcasters)
    gevent.killall(running)
    assert not running, "greenlets left running"
    assert open_streams == 0, "streams left open"
