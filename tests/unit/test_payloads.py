"""What is no JSON object is rejected for its reason; what is odd is taken and named."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.errors import RejectedMessage
from vda5050.payloads import MAX_DEPTH, parse_payload

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False),
              st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=8,
)  # fmt: skip
json_objects = st.dictionaries(st.text(max_size=6), json_values, max_size=5)


def reason_of(payload: bytes) -> str:
    """Give the reason for which a payload is rejected."""
    with pytest.raises(RejectedMessage) as raised:
        parse_payload(payload)
    return raised.value.reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b'{"a":"\xff"}', "encoding"),
        ('{"a":"ü"}'.encode("latin-1"), "encoding"),
        (b'{"a":"\n"}', "control_character"),
        (b'{"a":"\x00"}', "control_character"),
        (b'{"a":NaN}', "nan"),
        (b'{"a":[-Infinity]}', "nan"),
        (b"{", "json"),
        (b"{'a':1}", "json"),
        (b'{"a":1}{"a":1}', "json"),
        (b"hello", "json"),
        (b'\xef\xbb\xbf{"a":1}', "json"),
        ('{"ü":"ü","a":-Infinity,"b":1}'.encode(), "nan"),
        (b'{"a":Nan}', "json"),
        (b'{"NaN":}', "json"),
        (b"[1]", "not_object"),
        (b'"text"', "not_object"),
        (b"null", "not_object"),
        (b"1", "not_object"),
    ],
)
def test_reasons(payload: bytes, reason: str) -> None:
    """Each kind of bad payload has its own reason."""
    assert reason_of(payload) == reason


def test_lone_surrogate_is_not_called_nan() -> None:
    """Half a surrogate pair, which is no text, is rejected as bad JSON, not as NaN."""
    assert reason_of(b'{"a":"\\ud800"}') == "json"


def test_number_beyond_double_is_not_called_nan() -> None:
    """A number too large for any reader is rejected as bad JSON, not as NaN."""
    assert reason_of(b'{"a":1e400}') == "json"


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_too_deep(levels: int, opening: str, closing: str) -> None:
    """What is nested deeper than recursive readers survive is rejected, whole or cut off."""
    whole = f'{{"a":{opening * levels}1{closing * levels}}}'.encode()

    assert reason_of(whole) == "depth"


def test_deepest() -> None:
    """The deepest payload that is allowed is taken."""
    payload = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH

    assert parse_payload(payload) == (json.loads(payload), [])


@pytest.mark.parametrize("start", [b'{"n":NaN,"a":', b'{"s":"\\ud800","a":'])
def test_fault_before_the_depth(start: bytes) -> None:
    """A payload with a fault in front of endless nesting is rejected as any other: nothing recurses without end."""
    assert reason_of(start + b"[" * 50_000 + b"]" * 50_000 + b"}") in {"nan", "json", "depth"}


@pytest.mark.parametrize(
    ("payload", "oddities"),
    [
        (b'{"a":1,"b":{"a":2}}', []),
        (b'{"a":"x:y:z","b:c":"\\u003a"}', []),
        (b'{"a":"null"}', []),
        (b'{"a":1,"a":2}', ["duplicate_key"]),
        (b'{"b":[{"a":1,"\\u0061":2}]}', ["duplicate_key"]),
        (b'{"a":{"b":[1,null]}}', ["null"]),
        (b'{\n"a":1}', ["line_break"]),
        (b'{"a":1}\r', ["line_break"]),
        (b'{"a":null,\r\n"a":null}', ["duplicate_key", "null", "line_break"]),
    ],
)
def test_oddities(payload: bytes, oddities: list[str]) -> None:
    """What is odd about an accepted payload is named; what only looks odd is not."""
    assert parse_payload(payload)[1] == oddities


def test_duplicate_key_beside_an_escaped_colon() -> None:
    """A duplicate key is named even where another colon, written as an escape, makes up for its own."""
    assert parse_payload(b'{"a":1,"a":"\\u003a"}')[1] == ["duplicate_key"]


def test_duplicate_key_that_longer_numbers_hide() -> None:
    """A duplicate key is named even where the numbers, written again, are longer by as much as it takes."""
    payload = b'{"x":1,"x":12345678901234567.0,"y":12345678901234567.0}'

    assert len(orjson.dumps(orjson.loads(payload))) == len(payload)
    assert parse_payload(payload)[1] == ["duplicate_key"]


def test_last_duplicate_wins() -> None:
    """Of a key given twice the last value counts, as in every other reader."""
    assert parse_payload(b'{"a":1,"a":2}')[0] == {"a": 2}


def test_vendor_fields_and_wrong_types_pass() -> None:
    """What the standard does not know and what has another type than it says is kept as it is."""
    payload = b'{"batteryState":"full","load":{"x":[]},"headerId":"7"}'

    assert parse_payload(payload) == ({"batteryState": "full", "load": {"x": []}, "headerId": "7"}, [])


@given(json_objects, st.sampled_from([None, 2]))
def test_any_object_is_read_as_it_is(document: dict[str, Any], indent: int | None) -> None:
    """Any JSON object, however formatted, is read as what it says; a line break is odd exactly where there is one."""
    payload = json.dumps(document, indent=indent, ensure_ascii=bool(indent)).encode()

    parsed, oddities = parse_payload(payload)
    assert parsed == document
    assert ("line_break" in oddities) == (b"\n" in payload)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c:"]), st.sampled_from(['":"', "1", '{"a":1}'])), max_size=4))
def test_duplicate_keys_are_always_named(members: list[tuple[str, str]]) -> None:
    """A key given twice is named as odd, and only that."""
    payload = "{" + ",".join(f'"{key}":{value}' for key, value in members) + "}"

    is_odd = len(members) > len({key for key, _ in members})
    assert parse_payload(payload.encode())[1] == (["duplicate_key"] if is_odd else [])


@given(st.one_of(st.binary(max_size=40), st.text('{}[]",:0nulltrefasNI\\ud8-e.', max_size=20).map(str.encode)))
def test_any_bytes(payload: bytes) -> None:
    """Any bytes are a JSON object, as a second reader finds too, or rejected with a reason that is known."""
    try:
        document, _ = parse_payload(payload)
    except RejectedMessage as rejected:
        reasons = {"empty", "encoding", "control_character", "nan", "depth", "json", "not_object"}
        assert rejected.reason in reasons  # noqa: PT017 - either outcome is fine
    else:
        assert orjson.dumps(document) == orjson.dumps(json.loads(payload))
