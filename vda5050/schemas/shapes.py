"""A JSON object of the standard in all its versions, and the marshmallow schema of each.

A `Shape` holds every member once, each with the versions that have it; a member that changed stands there once for
each form, under the same name. `Shape.schema(version)` picks what a version has. So the difference between versions
is data beside the member it is about, and no version is a copy of another.

Members that the standard does not know pass and survive `load` (2.1.0, section 2: the standard may be extended; no
official schema forbids them, VDA5050#174).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, TypeAlias

from marshmallow import INCLUDE, Schema, ValidationError, validates_schema

from vda5050.schemas.members import Member
from vda5050.schemas.versions import Version

Forms: TypeAlias = Member | Sequence[Member]
"""A member, or its forms in different versions."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`members` are required where the member `name` has the value `value`."""

    name: str
    value: str
    members: tuple[str, ...]


class Vda5050Schema(Schema):
    """What all schemas of the standard share."""

    shape: ClassVar["Shape"]
    standard: ClassVar[Version]

    class Meta:
        """Marshmallow's options."""

        unknown = INCLUDE

    @validates_schema(skip_on_field_errors=False)
    def _check_presence(self, data: Mapping[str, Any], **_: Any) -> None:
        missing = {
            name: ["Missing data for required field."]
            for condition in self.shape.conditions
            if data.get(condition.name) == condition.value
            for name in condition.members
            if name not in data
        }
        any_of = self.shape.any_of.get(self.standard, ())
        if any_of and not any(name in data for name in any_of):
            missing[any_of[0]] = [f"One of {', '.join(any_of)} is required."]
        if missing:
            raise ValidationError(missing)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A JSON object: its name in the standard, where each version defines it, and its members by JSON name.

    `any_of` (by version): at least one of these must be there. `conditions`: what is required only in some objects.
    """

    name: str
    section: Mapping[Version, str]
    required: Mapping[str, Forms]
    optional: Mapping[str, Forms] = field(default_factory=dict)
    any_of: Mapping[Version, tuple[str, ...]] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def schema(self, version: Version) -> type[Vda5050Schema]:
        """Give the marshmallow schema of this object in a version; always the same class for the same version."""
        return _schema(self, version)

    def members(self, version: Version) -> Iterator[tuple[str, Member, bool]]:
        """Name each member that a version has, and say whether it is required."""
        for forms_by_name, is_required in ((self.required, True), (self.optional, False)):
            for name, forms in forms_by_name.items():
                for form in (forms,) if isinstance(forms, Member) else forms:
                    if version in form.versions:
                        yield name, form, is_required


@cache
def _schema(shape: Shape, version: Version) -> type[Vda5050Schema]:
    declared: dict[str, Any] = {}
    for name, member, is_required in shape.members(version):
        if name in declared:
            raise ValueError(f"{shape.name}.{name} has two forms in {version.text}")
        metadata = {"description": member.description, "section": (member.section or shape.section)[version]}
        if member.unit is not None:
            metadata["unit"] = member.unit
        declared[name] = member.make(version)(required=is_required, metadata=metadata)
    attributes = declared | {"shape": shape, "standard": version}
    return type(f"{shape.name[0].upper()}{shape.name[1:]}{version.name}", (Vda5050Schema,), attributes)
