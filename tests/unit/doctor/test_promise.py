"""The doctor takes whatever JSON there is, and says nothing of what is right."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vda5050.doctor import Doctor, Observation, summarize
from vda5050.topics import TOPICS
from vda5050.validation import Version, detect_version

NAMES = (
    "headerId", "timestamp", "version", "manufacturer", "serialNumber", "orderId", "orderUpdateId", "nodeStates",
    "edgeStates", "actionStates", "instantActionStates", "actionId", "actionType", "actionStatus", "nodes", "edges",
    "nodeId", "edgeId", "sequenceId", "released", "errors", "errorType", "errorReferences", "referenceValue",
    "connectionState", "agvPosition", "mobileRobotPosition", "theta", "batteryState", "batteryCharge", "loads",
    "weight", "driving", "paused", "operatingMode", "newBaseRequest", "actions", "instantActions", "protocolLimits",
    "timing", "defaultStateInterval", "lastNodeId", "lastNodeSequenceId",
)  # fmt: skip
WORDS = (
    "", "a", "o1", "ONLINE", "offline", "HIBERNATING", "CONNECTIONBROKEN", "AUTOMATIC", "RUNNING", "finished",
    "WAITING", "cancelOrder", "orderError", "2.1.0", "3.0.0", "2026-11-23T10:00:00.00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "\ud7ff\x00{}%",
)  # fmt: skip
VALUES = st.sampled_from(
    [None, True, False, -(2**63), -1, 0, 1, 2, 2**32, 2**64 - 1, -1e300, -0.5, 1.0, 3.2, 29.0, 1e18, *WORDS]
)
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=6,
)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(sorted(TOPICS)),
        st.dictionaries(st.sampled_from(NAMES), JSON, max_size=10),
        st.booleans(),
        st.sampled_from([0.0, 0.1, 15.0, 700.0]),
    ),
    max_size=5,
)


@given(MESSAGES, st.sampled_from([None, *Version]))
def test_no_json_makes_the_doctor_fail(
    messages: list[tuple[str, dict[str, Any], bool, float]], version: Version | None
) -> None:
    """Objects of any content, on any topic, in any order and of any version are judged, and time may pass between."""
    doctor, now = Doctor(), 1_000.0
    for offset, (topic, document, is_retained, pause) in enumerate(messages):
        now += pause
        read_as = version or detect_version(document, "v2")
        doctor.observe(Observation("KUKA/1", topic, document, read_as, is_retained, now, now + 1e9, offset))
        doctor.tick(now, now + 1e9)

    assert all(finding.to_dict()["count"] >= 1 for finding in doctor.findings())
    assert summarize(doctor.findings("KUKA/1"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_whatever_numbers_come_each_step_is_one_finding_at_most(numbers: list[tuple[int, int]]) -> None:
    """A step of headerId is right, a gap, a duplicate or a reset, never two of them, from any number to any."""
    doctor = Doctor()
    for offset, (high, low) in enumerate(numbers):
        document = {"headerId": (high * 2**30 + low) % 2**32}
        doctor.observe(Observation("KUKA/1", "visualization", document, Version.V2_1, False, 1.0, 1e9, offset))

    told = sum(finding.count for finding in doctor.findings() if finding.rule.startswith("header_id"))
    steps = [((b[0] - a[0]) * 2**30 + b[1] - a[1]) % 2**32 for a, b in pairwise(numbers)]
    assert told == sum(step != 1 for step in steps)
