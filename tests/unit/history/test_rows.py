"""A row has one value a column, of its type, for any message; and no cell that a spreadsheet would run."""

import csv
import io

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import connection, state, visualization
from tests.unit.history.recorded import START_US, record
from vda5050.history import Stored, csv_head, csv_lines
from vda5050.history.rows import COLUMNS, HEAD, row_of


def cells(document: object, *, topic: str = "state") -> dict[str, str]:
    """Write a message as CSV and read it back."""
    lines = csv_head() + csv_lines([Stored(START_US, record(document=document, topic=topic))])
    (row,) = csv.DictReader(io.StringIO(lines.decode(), newline=""))
    return row


def test_a_state() -> None:
    """A state's main values are in their columns; what it does not say is empty."""
    errors = [{"errorType": "a", "errorLevel": "WARNING"}, {"errorType": "b", "errorLevel": "FATAL"}]
    row = cells(state(driving=True, orderId="o1", velocity={"vx": -0.5}, errors=errors))

    assert tuple(row) == (*HEAD, *COLUMNS)
    assert (row["received_at"], row["manufacturer"], row["type"]) == ("2023-11-14T22:13:20.000000Z", "KUKA", "state")
    assert (row["driving"], row["order_id"], row["vx"], row["battery_charge"]) == ("true", "o1", "-0.5", "80.0")
    assert (row["errors"], row["worst_error_level"], row["x"], row["vy"]) == ("a b", "FATAL", "", "")


def test_other_topics() -> None:
    """A visualization has a position, a connection message its state."""
    assert cells(visualization(), topic="visualization")["x"] == "1.5"
    assert cells(connection(connectionState="OFFLINE"), topic="connection")["connection_state"] == "OFFLINE"


def test_formulas_are_text() -> None:
    """A text that a spreadsheet would run begins with an apostrophe; quotes and line breaks stay whole."""
    for text in ("=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"):
        assert cells(state(orderId=text))["order_id"] == f"'{text}"
    assert cells(state(orderId='a,"b"\n=c'))["order_id"] == 'a,"b"\n=c'


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(state())), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(state())), json_values, max_size=6))
def test_any_message(document: dict[str, object]) -> None:
    """Any JSON object gives a row of the columns' types, and a CSV line that is no formula anywhere."""
    payload = orjson.dumps(document, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    row = row_of(Stored(START_US, record(1, payload)))

    for value, (kind, _) in zip(row[len(HEAD) :], COLUMNS.values(), strict=True):
        assert value is None or type(value) is kind
    for name, cell in cells(payload).items():
        if name in COLUMNS and COLUMNS[name][0] is str:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
