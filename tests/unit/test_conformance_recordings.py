"""check_conformance.py reading recordings: what is a message, what is noise, and which time a line tells."""

from typing import Any

import orjson
import pytest
from conformance_check.examination import Examination
from conformance_check.recordings import Message, Recording
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import state

TOPIC = "uagv/v2/KUKA/KR_1001/state"
STATE = orjson.dumps(state()).decode()


def read(*lines: str | bytes) -> tuple[list[Message], int]:
    """Read lines; give the messages and the number of lines that were noise."""
    recording = Recording(f"{line}\n".encode() if isinstance(line, str) else line for line in lines)
    return list(recording), recording.noise


@pytest.mark.parametrize(
    ("text", "robot", "payload"),
    [
        (f"{TOPIC} {STATE}", "KUKA/KR_1001", STATE),
        (f"/vda5050/KUKA/1/state {STATE}", "KUKA/1", STATE),
        (f"uagv/v2/KUKA/my robot/state {STATE}", "KUKA/my robot", STATE),
        (f"2026-11-23T10:00:00+0000 {TOPIC} {STATE}", "KUKA/KR_1001", STATE),
        (f"{TOPIC} (null)", "KUKA/KR_1001", ""),
        (f"{TOPIC} hello", "KUKA/KR_1001", "hello"),
        (f'{TOPIC} {{"a":1}} rest', "KUKA/KR_1001", '{"a":1} rest'),
    ],
)
def test_lines_of_mosquitto_sub(text: str, robot: str, payload: str) -> None:
    """A line holds a topic and a payload, which need not be JSON; a time may stand before them."""
    (message,), noise = read(text)

    assert (message.address.robot, message.payload.decode(), message.place, noise) == (robot, payload, 1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "INFO: robot starting up...",
        "DEBUG: Connecting to MQTT broker at a/b/c/d.",
        '{"level":"info","msg":"no topic"}',
        '{"topic":"uagv/v2/KUKA/1/state"}',
        '{"topic":7,"payload":{}}',
        "{broken",
        TOPIC,
        f"uagv/v2/KUKA/1/speed {STATE}",
        b"\xff\xfe\x00 {\n",
    ],
)
def test_noise(text: str | bytes) -> None:
    """A line that is no message is skipped and counted; the next one is read."""
    messages, noise = read(text, "", f"{TOPIC} {STATE}")

    assert ([message.place for message in messages], noise) == ([3], 1)


def test_payload_over_several_lines() -> None:
    """JSON that was sent with line breaks is one message, at the place of its first line."""
    pretty = orjson.dumps(state(), option=orjson.OPT_INDENT_2).decode().split("\n")
    messages, noise = read("noise", f"{TOPIC} {pretty[0]}", *pretty[1:], f"{TOPIC} {STATE}")

    assert [orjson.loads(message.payload) for message in messages] == [state(), state()]
    assert ([message.place for message in messages], noise) == ([2, 2 + len(pretty)], 1)


def test_payload_that_breaks_off() -> None:
    """JSON that never ends is an unreadable message, and what follows it is not swallowed."""
    messages, noise = read(f'{TOPIC} {{"a":', "INFO: something else", f"{TOPIC} {STATE}")

    assert [message.payload for message in messages] == [b'{"a":', STATE.encode()]
    assert noise == 1


@pytest.mark.parametrize(
    ("entry", "payload", "is_retained", "wall"),
    [
        ({"payload": {"a": 1}, "received": "1970-01-01T00:01:00.500Z", "retained": True}, b'{"a":1}', True, 60.5),
        ({"payload": None, "raw": "{x", "problem": "not JSON"}, b"{x", False, None),
        ({"payload": {"a": 1}, "tst": "1970-01-01T01:00:01.000000Z+0100", "retain": 1}, b'{"a":1}', True, 1.0),
        ({"payload": "no json", "tst": "yesterday"}, b"no json", False, None),
        ({"payload": [1]}, b"[1]", False, None),
    ],
)
def test_json_lines(entry: dict[str, Any], payload: bytes, wall: float | None, *, is_retained: bool) -> None:
    """JSON lines say when a message was received and whether it was retained; what was no JSON is there as it came."""
    (message,), _ = read(orjson.dumps({"topic": TOPIC, **entry}) + b"\n")

    assert (message.payload, message.is_retained, message.wall, message.at) == (payload, is_retained, wall, wall)


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([f"{TOPIC} {STATE}".encode(), b"{", b"}"]))))
def test_no_recording_is_refused(lines: list[bytes]) -> None:
    """Whatever stands in a file is read to its end and judged, and no line is counted twice."""
    recording = Recording(lines)
    examination = Examination()
    count = 0
    for message in recording:
        count += 1
        examination.take(message)

    assert count + recording.noise <= len(lines)
    assert examination.outcome().messages == count


def test_a_payload_that_is_nested_too_deep() -> None:
    """A JSON line whose payload is deeper than a gateway takes in is a message that cannot be read, not an end."""
    (message,), noise = read(f'{{"topic":"{TOPIC}","payload":{"[" * 300}{"]" * 300}}}')
    examination = Examination()
    examination.take(message)

    assert noise == 0
    assert [(found.rule, found.place) for found in examination.outcome().findings()] == [
        ("unreadable_message", "depth")
    ]
