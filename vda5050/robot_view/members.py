"""The marshmallow fields that the view is declared with: what a member means, its unit, and what robots call it.

One declaration serves two ends. As a marshmallow field it describes the view in the OpenAPI: the description,
`x-unit`, and in `x-vda5050` the names in the messages of all versions and dialects. And `shape_of` turns a schema into
the `Shape` that reads exactly these names. So a difference between versions is one more name in a declaration.

Every member is always there and may be null: null means that the robot did not say it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema, fields

from vda5050.robot_view import values
from vda5050.robot_view.shapes import Member, Shape

Reader = tuple[type | None, Callable[[Any], Any]]


class ViewField(fields.Field[Any], ABC):
    """A member of the view. `names` are what robots call it; none where it is worked out from other members."""

    def __init__(self, description: str, *names: str, unit: str | None = None, **options: Any) -> None:
        self.names = names
        metadata: dict[str, Any] = {"description": description}
        if unit is not None:
            metadata["x-unit"] = unit
        if names:
            metadata["x-vda5050"] = list(names)
        super().__init__(required=True, metadata=metadata, **{"allow_none": True, **options})

    @abstractmethod
    def reader(self) -> Reader:
        """Give the type that needs no conversion, and the conversion for the rest."""


class Text(ViewField, fields.String):
    """Text for people, or a time as the robot wrote it."""

    def reader(self) -> Reader:
        return str, values.unreadable


class Identifier(ViewField, fields.String):
    """An id or a key. Empty text is the standard's way to say "none" (orderId, lastNodeId)."""

    def reader(self) -> Reader:
        return str, values.identifier


class Number(ViewField, fields.Float):
    """A finite number."""

    def reader(self) -> Reader:
        return float, values.number


class Whole(ViewField, fields.Integer):
    """An integer."""

    def reader(self) -> Reader:
        return int, values.whole


class Flag(ViewField, fields.Boolean):
    """True or false."""

    def reader(self) -> Reader:
        return bool, values.unreadable


class Word(ViewField, fields.String):
    """A word of a vocabulary: in upper case and 3.0's spelling. A word that is not in it stays, in upper case.

    `words`: the vocabulary, separated by blanks. `aliases`: other spellings, in upper case.
    """

    def __init__(
        self, description: str, *names: str, words: str, aliases: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        self._known = {word: word for word in words.split()} | dict(aliases or {})
        super().__init__(f"{description} {', '.join(words.split())}.", *names, **options)

    def read(self, value: object) -> str | None:
        """Read a word; None for empty text and for anything but text."""
        if type(value) is not str:
            return None
        word = self._known.get(value)
        if word is None:
            word = value.strip().upper()
            word = self._known.get(word, word)
        return word or None

    def reader(self) -> Reader:
        return None, self.read


class Numbers(ViewField, fields.List[float]):
    """A list of numbers."""

    def __init__(self, description: str, *names: str, **options: Any) -> None:
        super().__init__(description, *names, cls_or_instance=fields.Float(), **options)

    def reader(self) -> Reader:
        return None, values.numbers


class Texts(ViewField, fields.List[str]):
    """A list of texts."""

    def __init__(self, description: str, *names: str, **options: Any) -> None:
        super().__init__(description, *names, cls_or_instance=fields.String(), **options)

    def reader(self) -> Reader:
        return None, values.texts


class One(ViewField, fields.Nested):
    """An object of the view."""

    def __init__(self, schema: type[Schema], description: str, *names: str, **options: Any) -> None:
        self._read = shape_of(schema).read
        super().__init__(description, *names, nested=schema, **options)

    def reader(self) -> Reader:
        return None, self._read


class Many(ViewField, fields.List[dict[str, Any]]):
    """A list of objects of the view: empty where the robot says that there are none."""

    def __init__(self, schema: type[Schema], description: str, *names: str, **options: Any) -> None:
        self._read = shape_of(schema).read_all
        super().__init__(description, *names, cls_or_instance=fields.Nested(schema), **options)

    def reader(self) -> Reader:
        return None, self._read


def shape_of(schema: type[Schema]) -> Shape:
    """Make the reader of a schema whose fields are all ViewFields.

    The schema may say `flattened` and `positional`, tuples of raw names: see Shape.
    """
    members: dict[str, Member] = {}
    declared = schema().fields
    for key, field in declared.items():
        if isinstance(field, ViewField):
            members.update(dict.fromkeys(field.names, (key, *field.reader())))
    return Shape(
        declared,
        members,
        flattened=getattr(schema, "flattened", ()),
        positional=getattr(schema, "positional", ()),
    )
