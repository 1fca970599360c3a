"""Which version of VDA 5050 a robot speaks.

Takes its last messages and the version level of its topics, gives the version as "2.1.0" and what told it. In turn:

1. `version` of a message, with or without "v": only 1.1, 2.x and 3.x exist; robots also copy the specification's
   example "1.3.2" or send their software's version, which says nothing.
2. The topic's version level: 1.1 robots exist on v1 and v2 (VDA5050#272), so this is the weaker one. A bare major
   stands for its newest version: 2.1 reads what 2.0 says.
3. Names that only one version uses.
"""

import re
from collections.abc import Mapping
from typing import Any

_USUAL = frozenset({"1.1.0", "2.0.0", "2.1.0", "3.0.0"})
_VERSION = re.compile(r"\s*[vV]?(?P<major>[0-9])(?:\.(?P<minor>[0-9]{1,3}))?(?:\.(?P<patch>[0-9]{1,5}))?\s*")
_NEWEST_MINOR = {"1": "1", "2": "1", "3": "0"}

_TOPICS = ("state", "connection", "visualization", "factsheet", "order", "instantActions", "zoneSet", "responses")
"""Whose word counts first: what changes often before what the broker keeps, the robot before its master."""

_ONLY_IN = {
    "mobileRobotPosition": "3.0.0",
    "powerSupply": "3.0.0",
    "instantActionStates": "3.0.0",
    "zoneSets": "3.0.0",
    "informations": "1.1.0",
}


def detect_version(documents: Mapping[str, dict[str, Any]], major_version: str | None) -> tuple[str | None, str | None]:
    """Give the version and its source: "payload", "topic" or "shape". `documents`: the last message by topic."""
    for topic in _TOPICS:
        document = documents.get(topic)
        if document is not None and (version := _read_version(document.get("version"))):
            return version, "payload"
    if version := _read_version(major_version):
        return version, "topic"
    version = _shape_version(documents)
    return version, None if version is None else "shape"


def _read_version(text: object) -> str | None:
    """Read "v2.1.0", "2.1" or "v2"; None for what is no version of VDA 5050."""
    if type(text) is not str:
        return None
    if text in _USUAL:
        return text
    match = _VERSION.fullmatch(text)
    if match is None or match["major"] not in _NEWEST_MINOR:
        return None
    minor = int(match["minor"] or _NEWEST_MINOR[match["major"]])
    return None if match["major"] == "1" and minor != 1 else f"{match['major']}.{minor}.{int(match['patch'] or 0)}"


def _shape_version(documents: Mapping[str, dict[str, Any]]) -> str | None:
    for topic in ("state", "visualization"):
        document = documents.get(topic, {})
        for name, version in _ONLY_IN.items():
            if document.get(name) is not None:
                return version
        actions = document.get("actionStates")
        if type(actions) is list and any(_is_lower_case(action) for action in actions):
            return "1.1.0"
    return None


def _is_lower_case(action: object) -> bool:
    """Whether the status is spelled as in 1.1's schema."""
    status = action.get("actionStatus") if type(action) is dict else None
    return type(status) is str and status.islower()
