"""JSON value -> value of the view, or None where the type is another.

Takes one value as it was parsed, gives text, a number, a list, or None: what cannot be read is as good as not said.
Nothing here raises, whatever the value. Robots write numbers as text ("3.2") and ids as numbers (17): both are read.
No NaN and no infinity comes out: JSON has neither (VDA 5050 2.1.0, section 6.1.4), and text that spells one is refused.
"""

import math

_MAX_WHOLE = 2**53
"""Beyond it a double no longer holds every integer, so that what looks like one may be another."""


def unreadable(_: object) -> None:
    """Refuse a value that has not the one type that its field may have."""


def identifier(value: object) -> str | None:
    """Read an id. A number becomes the text a person would write."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int or type(value) is float else None


def number(value: object) -> float | None:
    """Read a finite number, or text that spells one."""
    if type(value) is int:
        return value
    if type(value) is str:
        try:
            value = float(value)
        except ValueError:
            return None
    return value if type(value) is float and math.isfinite(value) else None


def whole(value: object) -> int | None:
    """Read an integer: 3, 3.0 or "3"."""
    if type(value) is int:
        return value
    read = number(value)
    return int(read) if read is not None and abs(read) <= _MAX_WHOLE and read == int(read) else None


def numbers(value: object) -> list[float] | None:
    """Read a list of numbers. One that is none spoils the list: a knot vector with a hole is another curve."""
    if type(value) is not list:
        return None
    read = [item if type(item) is float else number(item) for item in value]
    return None if None in read else [item for item in read if item is not None]


def texts(value: object) -> list[str] | None:
    """Read a list of texts; what is none is left out."""
    return [item for item in value if type(item) is str] if type(value) is list else None
