"""The members of the standard's JSON objects: strict marshmallow fields, and short ways to declare them.

Takes what the standard's tables say (type, range, enumeration, unit, meaning, from which version to which), gives
`Member`s, of which `shapes` makes marshmallow fields for one version. The fields are strict where marshmallow is
helpful: "1.5" is no number, 1 no boolean, and a value comes out exactly as it went in. Null is refused here, as the
standard has no null; reading it as absent is `validation`'s leniency.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias, TypedDict, Unpack

from marshmallow import Schema, ValidationError, fields, validate

from vda5050.schemas.versions import Version

PI = 3.14159265359
"""The limit of angles as the official schemas round it."""
HALF_PI = 1.570796327
UINT32_MAX = 4_294_967_295
TIMESTAMP_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$"
"""ISO 8601 in UTC. The versions ask for different numbers of decimals (2.1: two, 3.0: three); nine at most are read."""


class Text(fields.String):
    """A JSON string."""


class Timestamp(fields.String):
    """A JSON string that holds a moment, kept as the text it is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Regexp(TIMESTAMP_PATTERN), **options)


class Number(fields.Float):
    """A JSON number that is finite; 1 stays 1 and does not become 1.0."""

    def _validated(self, value: Any) -> float:
        if not isinstance(value, (int, float)):
            raise self.make_error("invalid", input=value)
        super()._validated(value)
        return value


class WholeNumber(fields.Integer):
    """A JSON number without a fraction: 3 and 3.0 alike, as JSON Schema has it."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value % 1 != 0:
            raise self.make_error("invalid", input=value)
        return value  # type: ignore[return-value]  # 3.0 survives as it came


class Truth(fields.Boolean):
    """JSON's true or false, nothing that resembles them."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Value(fields.Raw):
    """Any JSON value but null."""


class FreeForm(fields.Dict):
    """A JSON object whose members the standard does not define."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Not a valid mapping type.")
        return value


FieldMaker: TypeAlias = Callable[..., fields.Field[Any]]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object in some versions.

    `make(version)` gives what is called with marshmallow's `required` and `metadata` to become the field.
    """

    make: Callable[[Version], FieldMaker]
    description: str
    unit: str | None
    versions: frozenset[Version]
    section: Mapping[Version, str] | None


class _Described(TypedDict, total=False):
    """What every member may say: `since` and `until` (both included), and a `section` that is not its object's."""

    unit: str
    section: Mapping[Version, str]
    since: Version
    until: Version


class Shaped(Protocol):
    """An object's shape (see `shapes`)."""

    def schema(self, version: Version) -> type[Schema]:
        """Give the marshmallow schema of this object in a version."""


def _member(make: Callable[[Version], FieldMaker], description: str, options: _Described) -> Member:
    versions = Version.span(options.get("since", Version.V1_1), options.get("until", Version.V3_0))
    return Member(make, description, options.get("unit"), versions, options.get("section"))


def _scalar(field: FieldMaker, description: str, options: _Described) -> Member:
    return _member(lambda _: field, description, options)


def text(description: str, **options: Unpack[_Described]) -> Member:
    """Declare a string."""
    return _scalar(Text, description, options)


def one_of(words: str, description: str, **options: Unpack[_Described]) -> Member:
    """Declare an enumeration; `words` are its values, separated by blanks."""
    return _scalar(partial(Text, validate=validate.OneOf(words.split())), description, options)


def timestamp(description: str, **options: Unpack[_Described]) -> Member:
    """Declare a moment in ISO 8601, UTC."""
    return _scalar(Timestamp, description, options)


def boolean(description: str, **options: Unpack[_Described]) -> Member:
    """Declare a boolean; the description says what true means."""
    return _scalar(Truth, description, options)


def number(
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    **options: Unpack[_Described],
) -> Member:
    """Declare a number between `minimum` and `maximum`, both included, or greater than `above`."""
    if minimum is maximum is above is None:
        return _scalar(Number, description, options)
    limits = validate.Range(
        minimum if above is None else above, maximum, min_inclusive=above is None, max_inclusive=True
    )
    return _scalar(partial(Number, validate=limits), description, options)


def whole(description: str, *, minimum: int = 0, maximum: int = UINT32_MAX, **options: Unpack[_Described]) -> Member:
    """Declare an integer; without limits it is the standard's uint32."""
    return _scalar(partial(WholeNumber, validate=validate.Range(minimum, maximum)), description, options)


def angle(description: str, **options: Unpack[_Described]) -> Member:
    """Declare an orientation from -pi to pi."""
    return number(description, minimum=-PI, maximum=PI, **(options | {"unit": "rad"}))


def value(description: str, **options: Unpack[_Described]) -> Member:
    """Declare a member of any type but null."""
    return _scalar(Value, description, options)


def anything(description: str, **options: Unpack[_Described]) -> Member:
    """Declare a member that the standard names but says nothing usable about."""
    return _scalar(partial(fields.Raw, allow_none=True), description, options)


def free_form(description: str, **options: Unpack[_Described]) -> Member:
    """Declare an object without defined members."""
    return _scalar(FreeForm, description, options)


def nested(shape: Shaped, description: str, **options: Unpack[_Described]) -> Member:
    """Declare an object of another shape."""
    return _member(lambda version: partial(fields.Nested, shape.schema(version)), description, options)


def array(item: Member | Shaped, description: str, *, at_least: int = 0, **options: Unpack[_Described]) -> Member:
    """Declare an array of members or of objects."""
    element = item if isinstance(item, Member) else nested(item, "")
    limits: Mapping[str, Any] = {"validate": validate.Length(min=at_least)} if at_least else {}

    def make(version: Version) -> FieldMaker:
        metadata = {"description": element.description} if element.description else {}
        return partial(fields.List, element.make(version)(metadata=metadata), **limits)

    return _member(make, description, options)
