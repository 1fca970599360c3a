"""What the page costs: frames a second, memory, first paint, with a fleet of hundreds in headless Chromium.

    flock /tmp/bench.lock .venv/bin/python benchmarks/page.py --seconds 120

Starts mosquitto, the gateway, a publisher (fleet.py, states of 2.2 kB) and Debian's Chromium, opens the page at the
view `--view` (fleet, map, or robot/<manufacturer>/<serial number>), lets it settle for 10 s, and prints a JSON line:

    fps_mean, fps_p05         frames a second over the whole time, and in the slowest 5 % of the seconds
    longest_frame_ms          the longest time between two frames
    heap_mb                   the page's JavaScript heap
    process_mb, share_mb      memory of the renderer process of page and worker: resident; and with its share only of
                              what it has in common with Chromium's other processes (Pss)
    paint, row                milliseconds from the start of the visit to the first paint, and to the first row of the
                              fleet: medians of `--visits` visits with an empty cache, and the longest
    robots, published         what the page counts at the end; messages published meanwhile

The publisher, the broker, the gateway and the browser share the machine's cores.
"""

import argparse
import json
import os
import statistics
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from fleet import MANUFACTURER, FleetPlan
from measuring import process_tree, resident_kb
from playwright.sync_api import Browser, Page, sync_playwright
from processes import publishing
from systems import LOOPBACK, gateway, mosquitto

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
SETTLE_S = 10
COUNT_FRAMES = """() => {
  const times = (globalThis.frameTimes = []);
  const next = (now) => { times.push(now); requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""
PAINT = """() => ({
  paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null,
  row: globalThis.firstRowAt ?? null,
})"""
WATCH_ROWS = """
  new MutationObserver((_changes, observer) => {
    if (document.querySelector('#fleet .row') === null) return;
    globalThis.firstRowAt = performance.now();
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
"""


def main() -> None:
    """Measure once."""
    options = _options()
    with mosquitto() as broker, gateway(broker.mqtt_port) as system:
        plan = FleetPlan(port=broker.mqtt_port, robots=options.robots, hz=options.hz)
        with publishing(plan) as sent, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            origin = f"http://{LOOPBACK}:{system.port}/"
            figures = _visits(browser, origin, options.visits)
            if not options.seconds:
                print(json.dumps(figures))
                return
            page = _open(browser, origin, options.view)
            time.sleep(SETTLE_S)
            page.evaluate(COUNT_FRAMES)
            before = sent()
            time.sleep(options.seconds)
            figures |= _figures(page, options.seconds)
            figures |= {"published": sent() - before, "view": options.view} | _renderer_mb()
            print(json.dumps(figures))
            browser.close()


def _visits(browser: Browser, origin: str, visits: int) -> dict[str, Any]:
    """Open the fleet so many times, after once that does not count: what the gateway reads, it reads then."""
    _open(browser, origin, "fleet").context.close()
    times: dict[str, list[float]] = {"paint": [], "row": []}
    for _ in range(visits):
        page = _open(browser, origin, "fleet")
        for name, moment in page.evaluate(PAINT).items():
            times[name].append(round(moment))
        page.context.close()
    return {name: {"median": statistics.median(found), "longest": max(found)} for name, found in times.items()}


def _open(browser: Browser, origin: str, view: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.add_init_script(WATCH_ROWS)
    page.goto(f"{origin}#/{view}")
    page.locator("#link[data-state=live]").wait_for()
    if view == "fleet":
        page.locator("#fleet .row").first.wait_for()
    return page


def _figures(page: Page, seconds: float) -> dict[str, Any]:
    times: list[float] = page.evaluate("() => globalThis.frameTimes")
    gaps = [later - earlier for earlier, later in pairwise(times)]
    per_second: dict[int, int] = {}
    for moment in times:
        per_second[int((moment - times[0]) / 1000)] = per_second.get(int((moment - times[0]) / 1000), 0) + 1
    counts = sorted(list(per_second.values())[:-1])  # the last second is not whole
    heap = page.evaluate("() => performance.memory.usedJSHeapSize")
    is_map = page.locator("#map [role=application]").is_visible()
    shown = page.locator("#map [aria-pressed=true] .map-count" if is_map else ".tile[data-state=all] strong")
    return {
        "fps_mean": round(len(times) / seconds, 1),
        "fps_p05": counts[len(counts) // 20],
        "longest_frame_ms": round(max(gaps)),
        "heap_mb": round(heap / 1e6, 1),
        "robots": shown.text_content(),
    }


def _renderer_mb() -> dict[str, float]:
    """Measure the largest of this browser's renderer processes."""
    sizes = []
    for pid in process_tree(os.getpid()):
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and b"--type=renderer" in command.read_bytes():
            sizes.append((resident_kb([pid]), _share_kb(pid)))
    resident, share = max(sizes)
    return {"process_mb": round(resident / 1000, 1), "share_mb": round(share / 1000, 1)}


def _share_kb(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", type=int, default=500)
    parser.add_argument("--hz", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=120.0, help="0: visits only")
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--view", default="fleet", help=f"fleet, map or robot/{MANUFACTURER}/R00001")
    return parser.parse_args()


if __name__ == "__main__":
    main()
