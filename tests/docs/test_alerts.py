"""deploy/prometheus and deploy/grafana name metrics that exist, in PromQL that Prometheus takes; alerts are told."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.services import require
from vda5050.service import Service
from vda5050.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "vda5050.json").read_text())
GUIDE = (ROOT / "docs" / "monitoring.md").read_text()
TARGET_LABELS = {"instance", "job", "worker"}
"""Set by Prometheus for each target, and by the gateway where it has several workers."""
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
SELECTOR = re.compile(r"\b([a-z_][a-z0-9_]*)(?:\{([^}]*)\})?")
WORDS = {"and", "or", "unless", "sum", "min", "max", "count", "topk", "rate", "increase", "changes", "time",
         "clamp_min", "histogram_quantile"}  # fmt: skip
"""Of PromQL's own, those that are in use."""


def rules() -> list[dict[str, Any]]:
    """Read the alerts."""
    (group,) = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    alerts: list[dict[str, Any]] = group["rules"]
    return alerts


def panels() -> list[dict[str, Any]]:
    """Give the dashboard's panels that show something."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def as_prometheus_reads(expr: str) -> str:
    """Fill in what Grafana fills in."""
    return expr.replace("$__rate_interval", "5m").replace("$instance", ".*")


EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in rules()} | {
    f"{panel['title']} {target['refId']}": as_prometheus_reads(target["expr"])
    for panel in panels()
    for target in panel["targets"]
}


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Give every sample's name that a scrape may show, with its labels."""
    metrics = Service(Settings()).metrics
    samples: dict[str, set[str]] = {"up": set()}
    histograms = {family.name for family in metrics.registry.collect() if family.type == "histogram"}
    for name, labels in metrics.labels.items():
        if name in histograms:
            samples |= {f"{name}_bucket": {*labels, "le"}, f"{name}_count": set(labels), f"{name}_sum": set(labels)}
        else:
            samples[name] = set(labels)
    for family in metrics.registry.collect():
        for sample in family.samples:
            samples.setdefault(sample.name, set(sample.labels))
    return samples


def used(expr: str) -> Iterator[tuple[str, set[str]]]:
    """Give the metrics that an expression names, each with the labels that its selector names."""
    bare = STRINGS.sub('""', expr)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)", "", bare)
    for name, selector in SELECTOR.findall(bare):
        if name not in WORDS:
            yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))


@pytest.mark.parametrize("expr", list(EXPRESSIONS.values()), ids=list(EXPRESSIONS))
def test_metrics_and_labels_exist(exported: dict[str, set[str]], expr: str) -> None:
    """Every metric in an alert and in the dashboard is exported, with the labels that are asked for."""
    named = list(used(expr))

    assert named, "no metric found"
    for name, labels in named:
        assert name in exported
        assert labels <= exported[name] | TARGET_LABELS, name
    grouped = {
        label
        for labels in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expr)
        for label in re.findall(r"\w+", labels)
    }
    assert grouped <= {label for name, _ in named for label in exported[name]} | TARGET_LABELS


def promtool(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Prometheus' own checker."""
    return subprocess.run(
        [require("promtool"), *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def test_prometheus_takes_the_configuration(tmp_path: Path) -> None:
    """Prometheus' checker takes the example with its alerts, once a token is there."""
    for name in ("prometheus.yml", "alerts.yml"):
        (tmp_path / name).write_text((PROMETHEUS / name).read_text())
    (tmp_path / "vda5050-token").write_text("a key")

    done = promtool("check", "config", "prometheus.yml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(rules())} rules found" in done.stdout


def test_prometheus_takes_the_dashboard(tmp_path: Path) -> None:
    """Every expression of the dashboard is PromQL."""
    records = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(EXPRESSIONS.values())]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))

    done = promtool("check", "rules", "panels.yml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_alerts_fire_when_they_should() -> None:
    """The alerts fire, and do not fire, as alerts_test.yml says."""
    done = promtool("test", "rules", "alerts_test.yml", cwd=PROMETHEUS)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("expr", "failure"),
    [("({expr}) and on () (vector(1) == 0)", "got: nil"), ("vector(1)", "exp: nil")],
    ids=["fires", "does not"],
)
def test_each_alert_has_a_case(tmp_path: Path, expr: str, failure: str) -> None:
    """Each alert has a case in which it fires and one in which it does not: made to do the opposite, it fails these."""
    alerts = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
    for rule in alerts["groups"][0]["rules"]:
        rule["expr"] = expr.format(expr=rule["expr"])
        rule.pop("for", None)
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(alerts))
    (tmp_path / "alerts_test.yml").write_text((PROMETHEUS / "alerts_test.yml").read_text())

    done = promtool("test", "rules", "alerts_test.yml", cwd=tmp_path)
    failed = "".join(case for case in done.stderr.split("\n\n") if failure in case)
    assert [rule["alert"] for rule in rules() if f'{rule["alert"]}"' not in failed.replace("\\", "")] == []


@pytest.mark.parametrize("rule", rules(), ids=[rule["alert"] for rule in rules()])
def test_alert_is_told(rule: dict[str, Any]) -> None:
    """Each alert says how grave it is, what it means and what to do, and has a section in the guide."""
    notes = rule["annotations"]
    page, _, anchor = notes["runbook_url"].partition("#")
    headings = {re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in headings_of(GUIDE)}

    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert notes.keys() == {"summary", "description", "runbook", "runbook_url"}
    assert all(notes[key].endswith(".") for key in ("summary", "description", "runbook"))
    assert page == "docs/monitoring.md"
    assert anchor in headings
    assert f"`{rule['alert']}`" in GUIDE


def headings_of(page: str) -> list[str]:
    """Give a page's headings."""
    return re.findall(r"^#+ (.+)$", page, re.MULTILINE)


def test_guide_tells_of_no_other_alert() -> None:
    """The guide has no section of an alert that is gone."""
    assert set(re.findall(r"`(VDA5050[A-Z]\w+)`", GUIDE)) == {rule["alert"] for rule in rules()}


def test_settings_in_texts_exist() -> None:
    """Every setting that an alert or the dashboard names exists."""
    text = (PROMETHEUS / "alerts.yml").read_text() + json.dumps(DASHBOARD) + GUIDE
    settings = {f"VDA5050_{name.upper()}" for name in Settings.__dataclass_fields__}

    assert set(re.findall(r"\bVDA5050_[A-Z_]+[A-Z]", text)) - settings == set()


def test_pages_in_texts_exist() -> None:
    """Every page that an alert, the dashboard or the guide sends to exists."""
    text = (PROMETHEUS / "alerts.yml").read_text() + json.dumps(DASHBOARD)
    pages = {
        *re.findall(r"docs/[\w/]+\.md", text),
        *(f"docs/{page}" for page in re.findall(r"\]\(([\w/]+\.md)", GUIDE)),
    }

    assert pages
    assert [page for page in pages if not (ROOT / page).exists()] == []


@pytest.mark.parametrize("panel", panels(), ids=[panel["title"] for panel in panels()])
def test_panel(panel: dict[str, Any]) -> None:
    """Each panel says what it shows and in which unit."""
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert all(target["legendFormat"] for target in panel["targets"])


def test_layout() -> None:
    """Panels lie beside and below each other, none over another; ids are their own."""
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
