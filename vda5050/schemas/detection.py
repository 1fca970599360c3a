"""Which version of the standard a message follows, or a robot speaks.

Robots of 1.1 speak on topics of v1 and of v2 (VDA5050#272), many copy the specification's example "1.3.2" into their
header, some send no header. So three witnesses are heard in this order: the payload's `version`, where it names a
version that exists; the topic's level; which of the versions' own names the messages use. A bare major stands for its
newest version: 2.1 reads what 2.0 says. Names that only 1.1 has are believed on topics of v2 as well.

`detect_version` is for a message by itself, which is judged and read by its own words; `detect_spoken` for all that a
robot said last. They differ only where messages of one robot do.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from vda5050.schemas.versions import MAX_VERSION_CHARS, Version

_OF_3_0 = frozenset(
    {
        "mobileRobotPosition",
        "powerSupply",
        "instantActionStates",
        "zoneActionStates",
        "zoneSets",
        "zoneSet",
        "responses",
        "plannedPath",
        "intermediatePath",
        "referenceStateHeaderId",
        "mobileRobotGeometry",
        "orderDescription",
    }
)
"""Members of messages that only 3.0 has."""

_OF_1_1 = frozenset({"informations", "instantActions"})
"""Members of messages that only 1.1 has."""

_WORDS_OF_1_1 = frozenset({"waiting", "initializing", "running", "paused", "finished", "failed"})
_WORD = re.compile(r"\s*[vV]?(\d)(?:\.(\d{1,4}))?(?:\.(\d{1,5}))?(?:\.\d+)*\s*", re.ASCII)
_NEWEST_MINOR = {"1": "1", "2": "1", "3": "0"}

_TOPICS = ("state", "connection", "visualization", "factsheet", "order", "instantActions", "zoneSet", "responses")
"""Whose word counts first: what changes often before what the broker keeps, the robot before its master."""
_SHOWING = ("state", "visualization", "factsheet")
"""Whose names count: the robot's own."""

Source = Literal["payload", "topic", "shape"]


class Detected(NamedTuple):
    """The version whose rules hold; `text`: as it was stated, else that version's ("2.1.0"); what told it.

    `source` None: nothing did, and 2.1 is assumed, whose rules suit 2.0 as well.
    """

    version: Version
    text: str
    source: Source | None


_ASSUMED = Detected(Version.V2_1, Version.V2_1.text, None)


def detect_version(document: dict[str, Any], major_version_level: str | None) -> Version:
    """Say which version a message follows; `major_version_level` is the topic's level ("v2"), None where it has none.

    Never fails: a message that shows nothing is read as 2.1.
    """
    text = document.get("version")
    if isinstance(text, str) and len(text) <= MAX_VERSION_CHARS and (stated := _read(text)) is not None:
        return stated.version  # written out: asked for each message
    return _unstated((document,), major_version_level).version


def detect_spoken(documents: Mapping[str, dict[str, Any]], major_version_level: str | None) -> Detected:
    """Say which version a robot speaks, by its last message of each topic. Never fails either."""
    for topic in _TOPICS:
        if topic in documents and (stated := _stated(documents[topic].get("version"))):
            return stated
    return _unstated((documents[topic] for topic in _SHOWING if topic in documents), major_version_level)


def _stated(text: object) -> Detected | None:
    # What is longer fills no cache.
    return _read(text) if isinstance(text, str) and len(text) <= MAX_VERSION_CHARS else None


@lru_cache(maxsize=256)
def _read(text: str) -> Detected | None:
    match = _WORD.fullmatch(text)
    if match is None or match[1] not in _NEWEST_MINOR:
        return None
    stated = f"{match[1]}.{int(match[2] or _NEWEST_MINOR[match[1]])}.{int(match[3] or 0)}"
    version = Version.from_text(stated)
    return None if version is None else Detected(version, stated, "payload")


def _unstated(documents: Iterable[dict[str, Any]], level: str | None) -> Detected:
    named = None if level is None else _of_level(level)
    if named is not None and named.version.major != 2:
        return named
    shaped = next((version for document in documents if (version := _shape(document)) is not None), None)
    # On a topic of v2 no 3.0 is expected, but 1.1 is common there.
    if shaped is not None and (named is None or shaped is Version.V1_1):
        return Detected(shaped, shaped.text, "shape")
    return named or _ASSUMED


def _of_level(level: str) -> Detected | None:
    """Read "v2" or "v2.0.0"; of what is no version ("v1.3.2") the major counts."""
    read = _stated(level) or _stated(level.partition(".")[0])
    return None if read is None else read._replace(source="topic")


def _shape(document: dict[str, Any]) -> Version | None:
    if _has_any(document, _OF_3_0):
        return Version.V3_0
    if _has_any(document, _OF_1_1) or _uses_words_of_1_1(document):
        return Version.V1_1
    return None


def _has_any(document: dict[str, Any], names: frozenset[str]) -> bool:
    return not names.isdisjoint(document) and any(document.get(name) is not None for name in names)


def _uses_words_of_1_1(document: dict[str, Any]) -> bool:
    states = document.get("actionStates")
    if not isinstance(states, list):
        return False
    return any(isinstance(state, dict) and _is_word_of_1_1(state.get("actionStatus")) for state in states)


def _is_word_of_1_1(status: object) -> bool:
    return isinstance(status, str) and status in _WORDS_OF_1_1
