"""MQTT topic text <-> Address.

Takes the topic a message arrived on, gives who sent it and what it is. Two layouts are understood (VDA 5050 2.1.0,
section 6.3 "Topic levels"; the standard does not fix the structure, only the name of the last level):

    standard   interface/majorVersion/manufacturer/serialNumber/topic   uagv/v2/KUKA/KR_1001/state
    flat       interface/manufacturer/serialNumber/topic                /vda5050/KUKA/KR_1001/state

The interface may have several levels; a leading slash is part of it. Robots are keyed by their topic, not by the
message's header: in the field the two differ (VDA5050#605).
"""

import re
from dataclasses import dataclass, field

from vda5050.errors import RejectedMessage

TOPICS = frozenset(
    {"order", "instantActions", "state", "visualization", "connection", "factsheet", "zoneSet", "responses"}
)
"""The last levels that the standard defines, 1.1 to 3.0."""

FROM_ROBOT = frozenset({"state", "visualization", "factsheet", "connection"})
"""Those that a robot speaks on (and the broker for it, on `connection`); on the others its master control does."""

_DIALECT = {"instantAction": "instantActions", "connect": "connection"}
"""Last levels seen in the field, and what they mean."""

_MAJOR_VERSION = re.compile(r"v\d+(\.\d+)*")
_MAX_TOPIC_CHARS = 600
_MAX_NAME_CHARS = 200
"""No standard length exists; a name longer than this is an attack or an accident, and every client would carry it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message belongs.

    `interface` is all levels before the version (or before the manufacturer) joined by "/", `major_version` the level
    as it stands ("v2") or None in the flat layout, `topic` one of `TOPICS`. `robot` is the robot's key everywhere in
    this package: `manufacturer/serial_number`.
    """

    interface: str
    major_version: str | None
    manufacturer: str
    serial_number: str
    topic: str
    robot: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "robot", f"{self.manufacturer}/{self.serial_number}")


def parse_topic(text: str) -> Address:
    """Read a topic of either layout.

    Raises RejectedMessage("topic", ...) for a topic that no robot can have sent.
    """
    if len(text) > _MAX_TOPIC_CHARS:
        raise RejectedMessage("topic", f"{len(text)} characters, at most {_MAX_TOPIC_CHARS} are read")
    levels = text.split("/")
    if len(levels) < 4:
        raise RejectedMessage("topic", f"{len(levels)} levels, at least 4 are needed")
    *interface, manufacturer, serial_number, last = levels
    topic = _DIALECT.get(last, last)
    if topic not in TOPICS:
        raise RejectedMessage("topic", f"the last level {last[:50]!r} is no VDA 5050 topic")
    for name in (manufacturer, serial_number):
        if not 0 < len(name) <= _MAX_NAME_CHARS:
            raise RejectedMessage("topic", f"manufacturer and serial number have 1 to {_MAX_NAME_CHARS} characters")
    major_version = None
    if len(interface) > 1 and _MAJOR_VERSION.fullmatch(interface[-1]):
        major_version = interface.pop()
    elif _MAJOR_VERSION.fullmatch(manufacturer):
        raise RejectedMessage("topic", "the manufacturer or the serial number is missing after the version")
    if not any(interface):
        raise RejectedMessage("topic", "the interface level is missing")
    return Address("/".join(interface), major_version, manufacturer, serial_number, topic)


def format_topic(address: Address) -> str:
    """Write the topic that `parse_topic` reads back as the same address."""
    version = [] if address.major_version is None else [address.major_version]
    return "/".join([address.interface, *version, address.manufacturer, address.serial_number, address.topic])
