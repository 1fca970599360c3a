"""Which version a message follows: its header, its topic, its own words, in this order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.robot_view_documents import live, view_of_readings
from vda5050.schemas.detection import detect_spoken
from vda5050.validation import Version, detect_version

V1_1, V2_0, V2_1, V3_0 = Version


@pytest.mark.parametrize(
    ("document", "level", "version"),
    [
        ({"version": "2.0.0"}, "v1", V2_0),
        ({"version": "1.1.0"}, "v2", V1_1),
        ({"version": "v2.0.0"}, None, V2_0),
        ({"version": "V2.1.0"}, None, V2_1),
        ({"version": "3.0.0"}, "v2", V3_0),
        ({"version": "3.1.0"}, "v2", V3_0),
        ({"version": "2"}, "v1", V2_1),
        ({"version": " 2.0.0 "}, None, V2_0),
    ],
)
def test_the_header_is_believed_first(document: dict[str, Any], level: str | None, version: Version) -> None:
    """A version that exists counts more than the topic: 1.1 is common on topics of v2."""
    assert detect_version(document, level) is version


@pytest.mark.parametrize(
    "stated", ["1.3.2", "0.8.4", "4.0.0", "", "latest", "9" * 5_000 + ".9.0", None, 2, 2.1, ["2.0.0"]]
)
def test_a_version_that_does_not_exist_is_ignored(stated: object) -> None:
    """The specification's example 1.3.2 is no version; then the topic decides."""
    assert detect_version({"version": stated}, "v3") is V3_0
    assert detect_version({"version": stated}, "v1") is V1_1


@pytest.mark.parametrize(
    ("level", "version"), [("v1", V1_1), ("v2", V2_1), ("v2.0.0", V2_0), ("v1.3.2", V1_1), ("v3", V3_0), ("V3", V3_0)]
)
def test_the_topic_is_asked_next(level: str, version: Version) -> None:
    """Without a header the topic's level decides."""
    assert detect_version({}, level) is version


@pytest.mark.parametrize(
    ("document", "version"),
    [
        ({"mobileRobotPosition": {}}, V3_0),
        ({"powerSupply": {}}, V3_0),
        ({"zoneSet": {}}, V3_0),
        ({"plannedPath": {}}, V3_0),
        ({"plannedPath": None}, V2_1),
        ({"informations": None}, V2_1),
        ({"actionStates": [{"actionStatus": ["running"]}]}, V2_1),
        ({"informations": []}, V1_1),
        ({"instantActions": []}, V1_1),
        ({"actionStates": [{"actionStatus": "running"}]}, V1_1),
        ({"actionStates": [{"actionStatus": "RUNNING"}]}, V2_1),
        ({"actionStates": "none"}, V2_1),
        ({"actionStates": [None, 5]}, V2_1),
        ({"agvPosition": {}}, V2_1),
        ({}, V2_1),
    ],
)
def test_the_words_of_the_message_are_asked_last(document: dict[str, Any], version: Version) -> None:
    """On a flat topic and without a header, the names that a message uses tell its version; 2.1 is the default."""
    assert detect_version(document, None) is version


def test_1_1_is_recognised_on_a_topic_of_v2() -> None:
    """A message of 1.1 without a header on uagv/v2 is read as 1.1 (VDA5050#272); one of 3.0 is not expected there."""
    assert detect_version({"informations": []}, "v2") is V1_1
    assert detect_version({"zoneSets": []}, "v2") is V2_1


@pytest.mark.parametrize("level", [None, "v1", "v2", "v2.0.0", "v3", "v9"])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"informations": []},
        {"actionStates": [{"actionStatus": "running"}]},
        {"actionStates": [{"actionStatus": "toying"}]},
        {"plannedPath": {}},
        {"powerSupply": None},
        {"version": "3.1.0"},
        {"version": "2"},
        {"version": "1.3.2"},
    ],
)
def test_a_robot_is_shown_with_the_version_that_it_is_judged_by(said: dict[str, Any], level: str | None) -> None:
    """The view's version is the doctor's in the robot's own words; null where nothing tells it."""
    view = view_of_readings(live(state=said), major_version=level)

    judged_by = detect_version(said, level)
    shown, source = view["version"], view["version_source"]
    assert (judged_by if shown is None else Version.from_text(shown)) is judged_by
    assert (shown is None) is (source is None)
    assert shown == "3.1.0" or shown in {None, judged_by.text}


def test_one_message_that_states_its_version_speaks_for_the_robot() -> None:
    """The first stated version counts, the robot's before its master's; its master's names tell nothing about it."""
    said = {"state": {"version": "?"}, "order": {"version": "3.0.0"}, "factsheet": {"version": "v2.0.1"}}

    assert detect_spoken(said, "v2") == (V2_0, "2.0.1", "payload")
    assert detect_spoken({"state": {}, "instantActions": {"instantActions": []}}, None) == (V2_1, "2.1.0", None)


@given(
    st.dictionaries(st.text(max_size=12), st.none() | st.integers() | st.text(max_size=5)),
    st.none() | st.text(max_size=8),
)
def test_every_message_has_a_version(document: dict[str, Any], level: str | None) -> None:
    """Detection never fails."""
    assert detect_version(document, level) in Version
    assert detect_spoken({"state": document}, level).version is detect_version(document, level)
