"""The versions of the standard that this package knows.

A version stands for all its patches: robots that say 2.0.1 follow V2_0. What is newer than 2.1 and older than 3.0 is
read as V2_1, what is newer than 3.0 as V3_0: a minor version adds, it does not take away (2.1.0, section 6.4).
"""

import re
from enum import Enum
from typing import Self

MAX_VERSION_CHARS = 32
"""Whatever is longer is no version; and int() refuses more than 4,300 digits."""

_NUMBER = re.compile(r"[vV]?(\d{1,4})\.(\d{1,4})(?:\.\d+)*")


class Version(Enum):
    """A version of VDA 5050; the members stand in the order they were published."""

    V1_1 = "1.1.0"
    V2_0 = "2.0.0"
    V2_1 = "2.1.0"
    V3_0 = "3.0.0"

    __hash__ = object.__hash__  # Enum's own is written in Python, and validators are looked up for every message

    @property
    def text(self) -> str:
        """As the header's `version` writes it: "2.1.0"."""
        return self.value

    @property
    def major(self) -> int:
        """The number in the topic: 2 for "v2"."""
        return int(self.value[0])

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read "2.1.0", "2.1", "v2.0.0" or "V3.0.1". None where no version known here can be meant."""
        match = _NUMBER.fullmatch(text.strip()) if len(text) <= MAX_VERSION_CHARS else None
        if match is None:
            return None
        major, minor = int(match[1]), int(match[2])
        if major == 1:
            return cls("1.1.0") if minor == 1 else None
        if major == 2:
            return cls("2.0.0") if minor == 0 else cls("2.1.0")
        return cls("3.0.0") if major == 3 else None

    @classmethod
    def span(cls, since: "Version", until: "Version") -> frozenset["Version"]:
        """All versions from `since` to `until`, both included."""
        known = list(cls)
        return frozenset(known[known.index(since) : known.index(until) + 1])


V1_1, V2_0, V2_1, V3_0 = Version
