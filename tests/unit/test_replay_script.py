"""scripts/replay.py: which lines are messages, and when each is due."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replaying.recordings import Recorded, Recording, seconds_of
from replaying.schedule import Schedule

TOPIC = "uagv/v2/KUKA/KR_1001/state"
STATE = b'{"headerId" : 1,"timestamp":"2026-11-23T10:00:00.5Z","a":"x,\\"payload\\":y"}'
AT = 1795428000.5


def read(*lines: bytes) -> tuple[list[Recorded], int]:
    """Read lines; give the messages and the number of lines that were none."""
    recording = Recording(line + b"\n" for line in lines)
    return list(recording), recording.skipped


def exported(payload: bytes, **facts: object) -> bytes:
    """Write a line as /history/export does."""
    head = {"received_at": "2026-11-23T10:00:01.000000Z", "robot": "KUKA/KR_1001", "mqtt_topic": TOPIC, **facts}
    return json.dumps(head).encode()[:-1] + b',"payload":' + payload + b"}"


def test_lines_of_an_export() -> None:
    """An export's line has its time of receipt, its MQTT topic, and the payload byte for byte."""
    found, skipped = read(exported(STATE), exported(STATE, robot='a,"payload":b'))

    assert (found, skipped) == ([Recorded(TOPIC, STATE, AT + 0.5)] * 2, 0)


def test_lines_of_mosquitto_sub() -> None:
    """A line of `mosquitto_sub -v` is its bytes, with the time that the message names."""
    found, _ = read(TOPIC.encode() + b" " + STATE, b'/vda5050/KUKA/1/connection {"timestamp":"no time"}')

    assert found == [
        Recorded(TOPIC, STATE, AT),
        Recorded("/vda5050/KUKA/1/connection", b'{"timestamp":"no time"}', None),
    ]


@pytest.mark.parametrize("member", ["received", "tst"])
def test_other_json_lines(member: str) -> None:
    """Lines of other tools have a topic, a payload and a time of receipt."""
    line = json.dumps({"topic": TOPIC, "payload": {"a": 1}, member: "2026-11-23T10:00:00.500000Z+0000"}).encode()
    ((found,), _) = read(line)

    assert (found.topic, json.loads(found.payload), found.at) == (TOPIC, {"a": 1}, AT)


def test_what_is_no_message() -> None:
    """Everything else is skipped and counted; empty lines are nothing."""
    lines = (b"hello", b"a/b {}", b"", b"{", b'{"topic":1,"payload":{}}', b"\xff\xff/a/b/c/state {}", b"a/b/c/else {}")

    assert read(*lines) == ([], 6)


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line)))
def test_any_bytes(lines: list[bytes]) -> None:
    """Whatever a file holds, nothing is raised."""
    found, skipped = read(*lines)

    assert len(found) + skipped <= len(lines)


def test_zones() -> None:
    """A time without a zone is UTC; what is none is None."""
    times = [seconds_of(text) for text in ("2026-11-23T10:00:00.5", "2026-11-23T11:00:00.5+01:00", "10 o'clock", 5)]

    assert times == [AT, AT, None, None]


def test_due() -> None:
    """Messages are due as far apart as they were, by the speed; what has no time, or goes back, keeps the order."""
    schedule = Schedule(speed=10, longest_gap_s=math.inf)

    assert [schedule.due_s(at) for at in (None, 100, 105, None, 103, 106, 110)] == pytest.approx(
        [0, 0, 0.5, 0.5, 0.5, 0.6, 1.0]
    )


def test_silences_can_be_shortened() -> None:
    """A night without messages need not be waited for."""
    schedule = Schedule(speed=2, longest_gap_s=10)

    assert [schedule.due_s(at) for at in (0, 5, 50_000, 50_001)] == [0, 2.5, 7.5, 8.0]
