"""The README says what the code does: its settings, routes, metrics, reasons and commands are those that exist."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def section(heading: str) -> str:
    """Return the text under a heading, up to the next one."""
    parts = re.split(r"^#+ (.+)$", README, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert heading in sections, f"the README has no heading {heading!r}"
    return sections[heading]


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading, without its head, as cells."""
    rows = [line for line in section(heading).splitlines() if line.startswith("|")]
    # A | inside code does not end a cell, but none of these tables needs one.
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def code(cell: str) -> list[str]:
    """Return what a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def first_column(heading: str) -> list[str]:
    """Return what the first column of a table has in backticks."""
    return [text for row in table(heading) for text in code(row[0])]


def as_variable(default: Any) -> str:
    """Write a setting's default as the variable would hold it; nothing where there is none."""
    if isinstance(default, tuple):
        return ",".join(default)
    return "" if default is None else str(default)


def test_settings() -> None:
    """The settings of the README are those of the code, each once and in the same order."""
    assert first_column("Settings") == [knob.name.upper() for knob in fields(Settings)]


def test_defaults() -> None:
    """Each setting's default in the README is the one in the code."""
    told = {code(row[0])[0]: "".join(code(row[1])) for row in table("Settings")}

    assert told == {knob.name.upper(): as_variable(knob.default) for knob in fields(Settings)}


def test_variables() -> None:
    """Every variable that the README mentions anywhere is a setting, or a secret's file."""
    known = {PREFIX + knob.name.upper() for knob in fields(Settings)}
    known |= {f"{PREFIX}{knob.name.upper()}_FILE" for knob in fields(Settings) if not knob.repr}

    assert set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", README)) - known == set()


def test_routes() -> None:
    """The routes of the README are those of the app, with the names that their variables have there."""
    app = create_flask_app(Service(Settings()))
    served = {
        f"{method} {re.sub('<[a-z]+:', '<', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }

    told = first_column("Routes")
    assert sorted(told) == sorted(served)


def make_targets() -> set[str]:
    """Return the commands that the Makefile has."""
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_make_commands() -> None:
    """Every `make` command that the README shows exists."""
    shown = set(re.findall(r"(?:^ {4}|`|\w )make ([a-z][a-z-]*)", README, re.MULTILINE))

    assert shown, "the README shows no make command"
    assert shown - make_targets() == set()


def test_scripts() -> None:
    """Every script that the README shows exists, and knows the options that are shown with it."""
    shown = re.findall(r"python (scripts/\w+\.py)(.*)", README)

    assert shown
    missing = [path for path, _ in shown if not (ROOT / path).exists()]
    assert missing == []
    # An option may be declared in a module that the scripts share.
    declared = "".join(path.read_text() for path in (ROOT / "scripts").rglob("*.py"))
    options = {option for _, rest in shown for option in re.findall(r"--[a-z-]+", rest.partition("#")[0])}
    assert {option for option in options if f'"{option}"' not in declared} == set()


def test_links() -> None:
    """Every file that the README links to exists."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README)

    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
