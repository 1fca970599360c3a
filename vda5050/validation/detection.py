"""Which version of the standard a message follows.

Robots of 1.1 speak on topics of v1 and of v2 (VDA5050#272), many copy the specification's example "1.3.2" into their
header, some send no header. So three witnesses are heard in this order: the payload's `version`, where it names a
version that exists; the topic's major version; which of the versions' own names the message uses.
"""

import re
from functools import lru_cache
from typing import Any

from vda5050.schemas import Version
from vda5050.schemas.versions import MAX_VERSION_CHARS

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
_LEVEL = re.compile(r"[vV](\d+)(\.\d+)*")


def detect_version(document: dict[str, Any], major_version_level: str | None) -> Version:
    """Say which version a message follows; `major_version_level` is the topic's level ("v2"), None where it has none.

    Never fails: a message that shows nothing is read as 2.1, whose rules suit 2.0 as well.
    """
    stated = document.get("version")
    is_short = isinstance(stated, str) and len(stated) <= MAX_VERSION_CHARS  # what is longer fills no cache either
    if is_short and (version := _stated(stated)) is not None:
        return version
    level = None if major_version_level is None else _LEVEL.fullmatch(major_version_level)
    if level is not None and level[1] == "3":
        return Version.V3_0
    if level is not None and level[1] == "1":
        return Version.V1_1
    shaped = _shaped(document)
    # On a topic of v2 no 3.0 is expected, but 1.1 is common there.
    return Version.V2_1 if level is not None and level[1] == "2" and shaped is Version.V3_0 else shaped


@lru_cache(maxsize=256)
def _stated(text: str) -> Version | None:
    return Version.from_text(text)


def _shaped(document: dict[str, Any]) -> Version:
    if not _OF_3_0.isdisjoint(document):
        return Version.V3_0
    if not _OF_1_1.isdisjoint(document) or _uses_words_of_1_1(document):
        return Version.V1_1
    return Version.V2_1


def _uses_words_of_1_1(document: dict[str, Any]) -> bool:
    states = document.get("actionStates")
    if not isinstance(states, list):
        return False
    return any(isinstance(state, dict) and state.get("actionStatus") in _WORDS_OF_1_1 for state in states)
