"""docs/doctor.md says of every rule what the code says, and of every waiting time how long it is."""

import re
from pathlib import Path
from types import ModuleType

from vda5050.doctor import (
    RULES,
    Rule,
    Severity,
    action_rules,
    header_rules,
    order_rules,
    records,
    timing_rules,
    value_rules,
)
from vda5050.doctor import doctor as telling
from vda5050.topics import TOPICS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "doctor.md").read_text()
MODULES: tuple[ModuleType, ...] = (action_rules, header_rules, order_rules, records, timing_rules, value_rules)


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the table under a heading, without its own two lines."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def topics_of(rule: Rule) -> str:
    """Write a rule's topics as the table does."""
    return "all" if rule.topics == TOPICS else ", ".join(f"`{topic}`" for topic in sorted(rule.topics))


def test_the_table_is_that_of_the_code() -> None:
    """Every rule stands in the table with its severity, topics, clause and meaning, in the order of the code."""
    told = [row[:5] for row in rows("Rules")]

    assert told == [[f"`{rule.id}`", rule.severity.value, topics_of(rule), rule.clause, rule.meaning] for rule in RULES]


def test_every_rule_has_advice() -> None:
    """For each rule the table says what to do."""
    assert all(len(row) == 6 and len(row[5]) > 20 for row in rows("Rules"))


def test_every_severity_is_explained() -> None:
    """The words for how bad a finding is are all explained."""
    assert all(f"| `{severity.value}` |" in TEXT for severity in Severity)


def test_waiting_times_are_those_of_the_code() -> None:
    """Each waiting time has the seconds of its constants, in their order, and no constant is missing."""
    constants = {
        name: value
        for module in MODULES
        for name, value in vars(module).items()
        if name.endswith("_S") and not name.startswith("_")
    }
    told: dict[str, float] = {}
    for _, seconds, names in rows("How long it waits"):
        numbers = map(float, re.findall(r"(\d+) s\b", seconds))
        told |= dict(zip(re.findall(r"`(\w+)`", names), numbers, strict=True))

    assert told == constants
    assert f"at most every {telling.TELL_EVERY_S:g} s" in TEXT
    assert f"again every {telling.TELL_LASTING_EVERY_S:g} s" in TEXT
