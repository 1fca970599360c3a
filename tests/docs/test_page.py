"""The page's files: each text in both languages, each that is used there, all of them together small."""

import re
from pathlib import Path

import pytest

from vda5050.api.assets import stripped

_STATIC = Path(__file__).resolve().parents[2] / "vda5050/api/static"
_TEMPLATE = _STATIC.parent / "templates/index.html"
_TEXTS = _STATIC / "js/texts.js"
MAX_BYTES = 250_000

# The starts of keys that are put together at run time: `state.${...}` and the like.
_GROUPS = r"`([a-zA-Z.-]+)\$\{"


def languages() -> dict[str, dict[str, str]]:
    """Read the texts of each language."""
    text = '"((?:[^"\\\\]|\\\\.)*)"'
    found = re.findall(rf'^  "([\w.-]+)": \[\s*{text},\s*{text},?\s*\],$', _TEXTS.read_text(), flags=re.MULTILINE)
    assert len(found) == len(re.findall(r'^  "', _TEXTS.read_text(), flags=re.MULTILINE))
    return {code: {key: texts[place] for key, *texts in found} for place, code in enumerate(("en", "de"))}


def sources() -> str:
    """Read everything that may use a text."""
    scripts = [path.read_text() for path in (_STATIC / "js").rglob("*.js") if path != _TEXTS]
    return "\n".join([_TEMPLATE.read_text(), *scripts])


def test_every_text_is_there_in_every_language() -> None:
    """Each key has an English and a German text, none of them empty, and no key is there twice."""
    texts = languages()
    keys = re.findall(r'^  "([\w.-]+)": ', _TEXTS.read_text(), flags=re.MULTILINE)

    assert len(keys) == len(set(keys)) == len(texts["de"])
    assert [key for language in texts.values() for key, text in language.items() if not text.strip()] == []


def test_holes_are_the_same_in_every_language() -> None:
    """What is filled into a text is filled into its translation, too."""
    texts = languages()

    def holes(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    assert [key for key, text in texts["en"].items() if holes(text) != holes(texts["de"].get(key, ""))] == []


def test_every_text_that_is_used_exists() -> None:
    """Keys in the template and in the scripts are keys of texts.js."""
    text = sources()
    used = set(re.findall(r'data-(?:text|label|title|placeholder)="([\w.-]+)"', text))
    used |= set(re.findall(r'\bt\(\s*"([\w.-]+)"', text))
    plurals = set(re.findall(r'\bplural\(\s*"([\w.-]+)"', text))
    used |= {f"{key}.{number}" for key in plurals for number in ("one", "other")}

    assert len(used) > 20
    assert used - languages()["en"].keys() == set()


def test_every_text_is_used() -> None:
    """No key is left over: each is named somewhere, or belongs to a group that is put together at run time."""
    text = sources()
    groups = tuple(
        set(re.findall(_GROUPS, text)) | {f"{name}." for name in re.findall(r'\b(?:word|known)\("(\w+)"', text)}
    )

    unused = [
        key
        for key in languages()["en"]
        if f'"{key}"' not in text
        and f'"{re.sub(r".(one|other)$", "", key)}"' not in text
        and not key.startswith(groups)
    ]
    assert unused == []


@pytest.mark.parametrize("kind", ["js", "css"])
def test_nothing_is_loaded_from_elsewhere(kind: str) -> None:
    """A hall without internet sees the same page: no file names another host (the SVG namespace is a name)."""
    for path in (_STATIC / kind).rglob(f"*.{kind}"):
        hosts = set(re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]{2,}", path.read_text()))
        assert hosts <= {"http://www.w3.org"}, path.name


def test_the_page_is_small() -> None:
    """All that the page may load is less than 250 kB, as it is sent and before any compression."""
    files = [path for path in _STATIC.rglob("*") if path.is_file() and not path.name.startswith(("docs.", "login."))]
    sent = [
        stripped(path.read_text(), path.suffix) if path.suffix in (".js", ".css") else path.read_text()
        for path in files
    ]

    assert sum(len(text.encode()) for text in [*sent, _TEMPLATE.read_text()]) < MAX_BYTES


def test_no_text_spans_lines() -> None:
    """What is left out when a file is sent is told line by line: no line may be inside a text that began before."""
    for path in (_STATIC / "js").rglob("*.js"):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            assert line.replace("\\`", "").count("`") % 2 == 0, f"{path.name}:{number}"


def test_stripped_files_keep_their_lines() -> None:
    """Comments, indentation and needless blanks go; code, texts and the numbers of lines stay."""
    source = "/* one\n * two\n */\nfunction f(a, b) {\n  // why\n  return a + b - -a; // kept\n}\n"
    texts = "/* a */ g(\"x , y\", 1);\nh(`a , ${b}`, 'c , d', 2);\n"
    odd = 'i(`a , b`, /a , b/);\nj(`a , ${b , `c , d`}`, 3);\nk(\'c , "d , e"\', 4);\nl("\\" , ", 5);\n'

    assert stripped(source) == "\n\n\nfunction f(a,b){\n\nreturn a+b - -a;\n}\n"
    assert stripped(texts) == "g(\"x , y\",1);\nh(`a , ${b}`,'c , d',2);\n"
    assert stripped(odd) == odd


def test_stripped_styles_mean_the_same() -> None:
    """Blanks that tell a selector from another one stay, and ends of lines that part two words."""
    source = "/* x */\n@media (max-width: 720px) and (x: y) {\n  .a .b :is(c, d):hover > e { font: 12px / 1.5 f; }\n}\n"
    list_ = "a,\nb {\n  grid-template-columns:\n    1fr 2fr\n    3fr;\n\n  color: red;\n}\n"

    assert (
        stripped(source, ".css")
        == "@media (max-width:720px) and (x:y){.a .b :is(c, d):hover > e { font: 12px / 1.5 f; }}"
    )
    assert stripped(list_, ".css") == "a,b{grid-template-columns:\n1fr 2fr\n3fr;color:red}"
