"""What command line arguments may be: functions for argparse's `type`, with messages that say what is wanted. Pure.

Each takes the text of an argument and gives its value, or raises argparse.ArgumentTypeError.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable


def seconds(*, shortest: float, longest: float = math.inf) -> Callable[[str], float]:
    """Return a type for seconds within limits."""

    def check(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not shortest <= value <= longest:
            limits = f"{shortest:g} or more" if longest == math.inf else f"{shortest:g} to {longest:g}"
            raise argparse.ArgumentTypeError(f"{text!r}: a number of seconds, {limits}, is wanted")
        return value

    return check


def whole_number(*, least: int, most: int) -> Callable[[str], int]:
    """Return a type for whole numbers within limits."""

    def check(text: str) -> int:
        value = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: a whole number from {least} to {most} is wanted")
        return value

    return check


def manufacturer(text: str) -> str:
    """Check a manufacturer: it becomes a level of MQTT topics."""
    if not text or re.search(r"[/+#\x00-\x1f\x7f]", text) or text.startswith("$"):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be part of an MQTT topic: no / + # or control characters")
    return text


def serial_number(text: str) -> str:
    """Check a serial number: the standard names the characters (VDA 5050, "Protocol header")."""
    if not re.fullmatch(r"[A-Za-z0-9_.:-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r}: VDA 5050 allows A-Z a-z 0-9 _ . : - in a serial number")
    return text


def topic_filter(text: str) -> str:
    """Check an MQTT topic filter: + and # stand alone in their level, # in the last one."""
    levels = text.split("/")
    is_sound = all(level in ("+", "#") or not set(level) & set("+#\0") for level in levels) and "#" not in levels[:-1]
    if not text or not is_sound:
        raise argparse.ArgumentTypeError(f"{text!r} is no MQTT topic filter")
    return text
