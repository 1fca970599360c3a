"""Nothing that a robot or an address says runs in a browser, or breaks the page for the others.

The robots are a fake broker's, because a real one keeps some of these names away. The tests know nothing of the pages
but that they are there: what must not happen is watched by the browser itself (a script that ran, a dialog, an error, a
request elsewhere, markup that the policy had to stop).
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.robots import state
from tests.browser.rows import robot_address
from tests.browser.watch import Watch
from tests.live.mqtt_packets import FakeBroker
from tests.services import LOOPBACK, Gateway, gateway, wait_until

RUN = "window.hasRun=1"
ATTACKS = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f'"><img src=x onerror={RUN}>',
    f"'><svg onload={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"javascript:{RUN}",
    f"${{{RUN}}}{{{{{RUN}}}}}",
    f'a\r\n\r\ndata: {{"type":"reset"}}\r\n\r\n<script>{RUN}</script>',
    f"a\u2028\u2029\u0085<script>{RUN}</script>",
    f"a\x00<script>{RUN}</script>",
    "\u202egnp.\u2066exe\u2069\u200b\ufeff",
    "%2F%2e%2e%00%3Cscript%3E",
    "__proto__",
    "constructor",
    "x" * 10_000,
    f"<b onmouseover={RUN}>" + "\N{ROBOT FACE}" * 2_000,
]
LAST = "Marker/the_last_one"
# Runs before any script of the page, whatever its policy.
SPY = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
  });
"""


@pytest.fixture(scope="module")
def hostile() -> Iterator[Gateway]:
    """Run a gateway whose robots are all attacks, in their names and in every text that they send."""
    broker = FakeBroker()
    with gateway(broker, until="/health", mqtt_keepalive_s=600) as service:
        broker.accept()
        wait_until(lambda: service.has("/ready"), what="the gateway has its subscription")
        for attack in ATTACKS:
            name = attack.replace("/", "|")[:200]
            for topic, body in messages(attack).items():
                broker.publish(f"uagv/v2/{name}/{name}/{topic}", json.dumps(body))
        broker.publish(f"uagv/v2/{LAST}/state", json.dumps(state()))
        wait_until(lambda: LAST in service.get("/robots").json(), what="all robots are there")
        yield service
    broker.close()


def messages(attack: str) -> dict[str, dict[str, Any]]:
    """Build messages of which every text is an attack."""
    header = {"headerId": 1, "timestamp": attack, "version": attack, "manufacturer": attack, "serialNumber": attack}
    reference = [{"referenceKey": attack, "referenceValue": attack}]
    error = {"errorType": attack, "errorLevel": attack, "errorDescription": attack, "errorReferences": reference}
    info = {"infoType": attack, "infoLevel": attack, "infoDescription": attack, "infoReferences": reference}
    action = {"actionId": attack, "actionType": attack, "actionStatus": attack, "resultDescription": attack}
    node = {"nodeId": attack, "sequenceId": 0, "released": True, "nodeDescription": attack, "actions": [action]}
    texts = {"orderId": attack, "lastNodeId": attack, "operatingMode": attack, "zoneSetId": attack}
    lists = {"errors": [error], "information": [info], "actionStates": [action], "nodeStates": [node]}
    loads = {"loads": [{"loadId": attack, "loadType": attack}]}
    return {
        "connection": header | {"connectionState": attack},
        "state": state(map_id=attack) | header | texts | lists | loads,
        "visualization": header | {"agvPosition": {"x": 1, "y": 1, "theta": 0, "mapId": attack}},
        "order": header | {"orderId": attack, "orderUpdateId": 0, "nodes": [node], "edges": []},
        "instantActions": header | {"actions": [action]},
        "factsheet": header | {"typeSpecification": {"seriesName": attack, "agvClass": attack}},
    }


@pytest.fixture
def watch(hostile: Gateway) -> Watch:
    """Watch the pages of a test."""
    return Watch(f"http://{LOOPBACK}:{hostile.port}")


@pytest.fixture
def page(browser: Browser, watch: Watch) -> Iterator[Page]:
    """Open a browser; at the end nothing may have run or been stopped on the way."""
    page = browser.new_context(locale="en-GB", reduced_motion="reduce").new_page()
    page.add_init_script(SPY)
    watch.attach(page)
    yield page
    check(page)
    page.context.close()
    assert watch.unexpected_errors() == []
    assert watch.strangers == []


def check(page: Page) -> None:
    """Fail where a script ran, or where only the policy kept one from running: the markup should not be there."""
    for frame in page.frames:
        assert frame.evaluate("window.hasRun") is None
    assert page.evaluate("window.violations") == []


def visit(page: Page, address: str) -> None:
    """Go to an address as by a click on a link; where it differs by its part after # alone, the page stays."""
    page.evaluate("address => { location.href = address; }", address)
    page.wait_for_load_state("load")
    check(page)


def test_the_fleet_shows_attacks_as_text(page: Page, watch: Watch) -> None:
    """With every robot an attack the page comes to the last one, and shows it where it is asked for."""
    page.goto(f"{watch.origin}/")

    visit(page, f"{watch.origin}/{robot_address(LAST)}")
    expect(page.locator("h1, h2").filter(has_text="the_last_one").first).to_be_visible()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: ascii(attack)[:20])
def test_a_robots_page_shows_attacks_as_text(page: Page, watch: Watch, attack: str) -> None:
    """The page of one robot, and each thing in it that can be opened, runs nothing."""
    name = attack.replace("/", "|")[:200]
    page.goto(f"{watch.origin}/{robot_address(f'{name}/{name}')}")
    page.wait_for_load_state("load")
    expect(page.locator("body")).not_to_be_empty()
    for button in page.get_by_role("button").all()[:20] + page.get_by_role("tab").all()[:20]:
        if button.is_visible() and button.is_enabled():
            button.click(timeout=2_000, force=True)
    check(page)

    visit(page, f"{watch.origin}/{robot_address(LAST)}")
    expect(page.locator("h1, h2").filter(has_text="the_last_one").first).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_an_address_is_text_too(page: Page, watch: Watch, path: str) -> None:
    """What somebody writes into a link after ? or # neither runs nor stops the page."""
    attacks = [quote(attack, safe="<>=()'") for attack in ATTACKS[:14]]
    for query in (attacks[0], attacks[2], "%"):
        page.goto(f"{watch.origin}{path}?{query}")
    for fragment in [*attacks, "%E0%A4%A", "#", "/", "//", "/robot/%/%", "%"]:
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        check(page)
    page.goto(f"{watch.origin}{path}#%")

    expect(page.locator("main")).not_to_be_empty()
    expect(page.locator("body")).not_to_contain_text("cannot be shown")


@pytest.mark.parametrize(
    "path", ["/robots", "/conformance", "/nowhere/<script>window.hasRun=1</script>", "/openapi.json"]
)
def test_data_is_shown_as_text(page: Page, watch: Watch, path: str) -> None:
    """JSON full of markup is text to a browser that opens it by itself."""
    watch.expect_errors("404")
    page.goto(watch.origin + path)

    assert page.locator("script, img, iframe, svg").count() == 0


def test_a_stream_is_no_page(page: Page, watch: Watch, hostile: Gateway) -> None:
    """Events with line breaks, NUL and markup in names arrive as they were sent: one JSON object each, none besides."""
    page.goto(f"{watch.origin}/docs")
    events = page.evaluate(
        """() => new Promise((resolve, reject) => {
          const source = new EventSource("/stream"), seen = [];
          source.onmessage = ({data}) => { seen.push(JSON.parse(data)); source.close(); resolve(seen); };
          source.onerror = reject;
        })"""
    )

    assert [event["type"] for event in events] == ["snapshot"]
    assert set(events[0]["data"]) == set(hostile.get("/robots").json())
    assert len(events[0]["data"]) >= len(ATTACKS)


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_markup_that_got_in_would_not_run(page: Page, watch: Watch, path: str) -> None:
    """Where a page had a hole: inline scripts, handlers and styles, other sites' scripts and eval are refused."""
    watch.expect_errors("Content Security Policy", "Refused to", "violates the following")
    page.goto(watch.origin + path)
    page.evaluate(
        """() => {
          const place = document.createElement("div");
          place.innerHTML = '<img src="data:," onerror="window.hasRun=1"><b style="color:red">x</b>';
          const inline = document.createElement("script"), foreign = document.createElement("script");
          inline.textContent = "window.hasRun=1";
          foreign.src = "http://127.0.0.1:1/foreign.js";
          document.body.append(place, inline, foreign);
        }"""
    )
    page.wait_for_function("window.violations.length >= 4")

    refused = {violation.split(" ")[0] for violation in page.evaluate("window.violations")}
    assert refused == {"script-src-attr", "script-src-elem", "style-src-attr"}
    watch.strangers.clear()  # the foreign script, which was refused: playwright tells of the attempt
    # In a task of its own: what playwright itself evaluates may use eval.
    page.evaluate("setTimeout(() => { try { eval('1'); } catch (error) { window.evalFailed = error.name; } })")
    page.wait_for_function("window.evalFailed === 'EvalError'")
    page.evaluate("window.violations = []")
