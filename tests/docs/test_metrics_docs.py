"""docs/metrics.md lists the metrics that the code exports, with their labels, and its reasons."""

import re
from pathlib import Path

import pytest

from vda5050.service import Service
from vda5050.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text()


def told() -> dict[str, set[str]]:
    """Return the page's metrics with their labels, as its tables have them."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*)\| ", PAGE, re.MULTILINE)
    assert len({name for name, _ in rows}) == len(rows), "a metric is listed twice"
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def test_metrics_and_labels() -> None:
    """The page's metrics are those of the code, each with its labels."""
    assert told() == {name: set(labels) for name, labels in Service(Settings()).metrics.labels.items()}


def test_nothing_is_exported_past_the_list() -> None:
    """What a scrape shows, and what labels its samples have, is what the code says that it exports."""
    metrics = Service(Settings()).metrics
    families = [family for family in metrics.registry.collect() if family.name.startswith("vda5050_")]

    assert {
        family.name + ("_total" if family.type == "counter" else "") for family in families
    } == metrics.labels.keys()
    for family in families:
        labels = metrics.labels[family.name + ("_total" if family.type == "counter" else "")]
        assert {label for sample in family.samples for label in sample.labels} <= labels | {"le"}


def test_the_process() -> None:
    """What the page says of the process and of Python is there."""
    families = {family.name for family in Service(Settings()).metrics.registry.collect()}
    shown = {name.removesuffix("_total") for name in re.findall(r"`((?:process|python)_\w+[a-z])`", PAGE)}

    assert shown
    assert shown - families == set()


@pytest.mark.parametrize("heading", ["Rejected", "Odd"])
def test_reasons(heading: str) -> None:
    """The reasons that label rejected and odd messages are told, as the code names them."""
    (line,) = re.findall(rf"^{heading}: (.*)$", PAGE, re.MULTILINE)
    sources = "".join(
        (ROOT / "vda5050" / name).read_text()
        for name in ("topics.py", "payloads.py", "robot_state.py", "ingest.py", "mqtt_bridge/read_buffer.py")
    )
    pattern = (
        r'RejectedMessage\(\s*"(\w+)"' if heading == "Rejected" else r'(?:yield|OLD_RETAINED =|DUPLICATE_KEY =) "(\w+)"'
    )

    assert set(re.findall(r"`([^`]+)`", line)) == set(re.findall(pattern, sources))


def test_reasons_of_ends() -> None:
    """The page tells every reason for which the code ends a stream, and no other."""
    (row,) = re.findall(r"^\| `vda5050_stream_ends_total` .*$", PAGE, re.MULTILINE)
    sources = [*(ROOT / "vda5050" / "broadcast").glob("*.py"), *(ROOT / "vda5050" / "api").glob("*.py")]
    code = "".join(path.read_text() for path in sources)
    ends = re.findall(r'(?:\.end|send_away)\(.*reason="(\w+)"', code)

    assert set(re.findall(r"(\w+) \(", row)) == {*ends, *re.findall(r'end_reason = "(\w+)"', code)}
