"""What is handed to a bus, and what a publisher must do."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from vda5050.errors import Vda5050Error
from vda5050.frames import update_json
from vda5050.sinks import Record


class BusError(Vda5050Error):
    """The bus cannot be reached or did not confirm. `unconfirmed`: the events to be sent again, in order."""

    def __init__(self, problem: str, unconfirmed: Sequence["Event"] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.unconfirmed = list(unconfirmed)


class Event(NamedTuple):
    """One update for the bus: `body` is the object that the stream's clients get, `id` its event id there."""

    id: str
    manufacturer: str
    serial_number: str
    topic: str
    received_at: float
    body: bytes

    @classmethod
    def of(cls, record: Record) -> "Event":
        """Write a record as an event."""
        address = record.address
        body = update_json(address.robot, address.topic, record.payload)
        event_id = f"{record.epoch}-{record.offset}"
        return cls(event_id, address.manufacturer, address.serial_number, address.topic, record.received_at, body)

    @property
    def robot(self) -> str:
        """The robot key."""
        return f"{self.manufacturer}/{self.serial_number}"


class Publisher(Protocol):
    """A connection to a bus. Used from one greenlet; may switch, never blocks the hub for longer than a few ms."""

    def publish(self, events: Sequence[Event]) -> int:
        """Send events in order and wait until the bus has confirmed them. Returns how many it can never take.

        Raises BusError with what was not confirmed.
        """

    def keep_alive(self) -> None:
        """Do what an idle connection needs. Raises BusError where it is lost."""

    def close(self) -> None:
        """Let the connection go; never raises."""
