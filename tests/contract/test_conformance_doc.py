"""docs/conformance.md lists the overlays, all of them and no others.

Run as a script, this writes the list into the document: `python -m tests.contract.test_conformance_doc`.
"""

import json
from os.path import commonpath
from pathlib import Path

from vda5050.validation import OVERLAYS, Overlay
from vda5050.validation.overlay import Says
from vda5050.validation.problems import Problem

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
BEGIN, END = "<!-- overlays: begin -->\n", "<!-- overlays: end -->"
HEAD = "| versions | topics | where | official schema | text | why |\n| --- | --- | --- | --- | --- | --- |\n"


def test_the_document_lists_every_overlay() -> None:
    """The table in docs/conformance.md is the data of vda5050/validation/overlays*.py."""
    written = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]

    assert written == table(), "run python -m tests.contract.test_conformance_doc"


def test_the_document_names_every_code() -> None:
    """Each code that a problem can have is explained."""
    text = DOCUMENT.read_text()
    codes = str(Problem.__doc__).partition("`code` is stable: ")[2].partition(".")[0]

    for code in codes.replace("; and for what\nwas read leniently:", ",").split(","):
        assert f"`{code.split()[-1]}`" in text, code


def table() -> str:
    """Write all overlays as a Markdown table, one row each."""
    return HEAD + "".join(_row(overlay) for overlay in OVERLAYS)


def _row(overlay: Overlay) -> str:
    versions = " ".join(version.text.removesuffix(".0") for version in overlay.versions)
    why = f"{overlay.reason} ({overlay.source})" if overlay.source else overlay.reason
    cells = (
        versions,
        _topics(overlay.topics),
        _where(overlay.paths),
        _says(overlay.official),
        _says(overlay.text),
        why,
    )
    return f"| {' | '.join(cells)} |\n"


def _topics(topics: tuple[str, ...]) -> str:
    return "all" if len(topics) == 8 else ", ".join(topics)


def _where(paths: tuple[str, ...]) -> str:
    if len(paths) < 3:
        return ", ".join(f"`{path}`" for path in paths)
    common = commonpath(paths).rstrip("/") + "/"
    return f"`{common}` {', '.join(path.removeprefix(common) for path in paths)}"


def _says(says: Says) -> str:
    return ", ".join(_keyword(keyword, value) for keyword, value in says.items()) or "-"


def _keyword(keyword: str, value: object) -> str:
    match keyword, value:
        case "defined", False:
            return "not defined"
        case "defined", True:
            return "defined"
        case "defined", dict():
            return f"defined as `{json.dumps(value)}`"
        case "required", _:
            return "required" if value else "not required"
        case "pattern", _:
            return "pattern of a time"
        case _:
            return f"{keyword} `{json.dumps(value)}`"


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table() + END + rest.partition(END)[2])
