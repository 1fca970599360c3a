"""Raw JSON object -> object of the view, by a table of the names that robots use.

A `Shape` knows the keys of one object of the view, and for each name that a robot may send which key it means and how
its value is read. It walks over what the robot sent, not over what it could have sent: alternative names cost nothing,
a member that is absent costs nothing, and 2 kB are read in about 20 microseconds. That is why the tables are made once,
and why a value that has its field's own type already is taken over without a call.

Where a robot sends one thing under two names, the last that can be read counts. Names are also known with a capital
first letter (seen in factsheets). Nulls are absent. Shapes are immutable once made and may be shared.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Member = tuple[str, type | None, Callable[[Any], Any]]
"""One key of an object of the view: the key, the type whose values are taken as they are, and what reads all others.

The reader must not raise. A plain tuple: the interpreter unpacks those, no named ones, in one step (15 % of the whole).
"""


class Shape:
    """Reads one kind of object.

    `members` maps each raw name to its member. Objects under the names in `flattened` are read as if their members
    stood beside them. `positional`: raw names of an array's items where a robot sends `[x, y]` for `{"x", "y"}`.
    """

    __slots__ = ("_blank", "_flattened", "_members", "_positional")

    def __init__(
        self,
        keys: Iterable[str],
        members: Mapping[str, Member],
        *,
        flattened: Iterable[str] = (),
        positional: Iterable[str] = (),
    ) -> None:
        self._blank: dict[str, Any] = dict.fromkeys(keys)
        self._members = {spelled: member for name, member in members.items() for spelled in _spellings(name)}
        self._flattened = tuple(spelled for name in flattened for spelled in _spellings(name))
        self._positional = tuple(positional)

    def read(self, value: object) -> dict[str, Any] | None:
        """Read an object: all keys of the shape, None for what is not said. None for anything but an object."""
        return self.read_object(value) if type(value) is dict else None

    def read_all(self, value: object) -> list[dict[str, Any]] | None:
        """Read a list of objects. What is none is left out; an object alone is a list of one."""
        if type(value) is dict:
            return [self.read_object(value)]
        if type(value) is not list:
            return None
        if self._positional:
            named = (dict(zip(self._positional, item, strict=False)) if type(item) is list else item for item in value)
            return [self.read_object(item) for item in named if type(item) is dict]
        return [self.read_object(item) for item in value if type(item) is dict]

    def read_object(self, document: dict[str, Any]) -> dict[str, Any]:
        """Read what is known to be an object."""
        read = self._blank.copy()
        self._fill(read, document)
        for name in self._flattened:
            inner = document.get(name)
            if type(inner) is dict:
                self._fill(read, inner)
        return read

    def _fill(self, read: dict[str, Any], document: dict[str, Any]) -> None:
        members = self._members
        for name, value in document.items():
            if name in members:
                key, exact, convert = members[name]
                if type(value) is exact:
                    read[key] = value
                elif value is not None and (converted := convert(value)) is not None:
                    read[key] = converted


def _spellings(name: str) -> set[str]:
    return {name, name[0].upper() + name[1:]}
