"""Errors keep their facts, and their text says them."""

import pytest

from vda5050.errors import FilterError, RejectedMessage, SettingsError, TooManyStreams, Vda5050Error


@pytest.mark.parametrize(
    ("error", "facts", "text"),
    [
        (SettingsError(["A: bad", "B: worse"]), {"problems": ["A: bad", "B: worse"]}, "A: bad; B: worse"),
        (RejectedMessage("nan", "holds NaN"), {"reason": "nan", "detail": "holds NaN"}, "nan: holds NaN"),
        (FilterError("types", "unknown"), {"parameter": "types", "problem": "unknown"}, "types: unknown"),
        (TooManyStreams(5, 3), {"limit": 5, "retry_after_s": 3}, "5 streams are open, which is the limit"),
    ],
)
def test_facts(error: Vda5050Error, facts: dict[str, object], text: str) -> None:
    """Each error is one of ours, holds what it was raised for and says it."""
    assert isinstance(error, Vda5050Error)
    assert {name: getattr(error, name) for name in facts} == facts
    assert str(error) == text
