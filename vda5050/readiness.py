"""Whether the gateway can do its job, by each thing that it stands on: what `/ready` and a metric say.

Takes the service's parts, gives words for a person and no secrets. What is turned off is not among them.
"""

from dataclasses import dataclass
from typing import Protocol

from vda5050.api_keys import KeyRing
from vda5050.backplane import Backplane
from vda5050.database import Database
from vda5050.event_bus import EventBus
from vda5050.history import History
from vda5050.mqtt_bridge import LinkState, MqttBridge
from vda5050.settings import Settings


@dataclass(frozen=True, slots=True)
class Dependency:
    """One thing the gateway stands on. `detail` says how it stands, in words for a person and without secrets.

    Without one that is not required the gateway still does its job, only less of it: it is told, and not waited for.
    """

    is_ready: bool
    detail: str
    is_required: bool = True


class Parts(Protocol):
    """What is asked (`service.Service`); None is turned off."""

    settings: Settings
    is_running: bool
    is_stopping: bool
    bridge: MqttBridge
    keys: KeyRing
    database: Database | None
    backplane: Backplane | None
    event_bus: EventBus | None
    history: History | None


def dependencies_of(parts: Parts) -> dict[str, Dependency]:
    """Tell how each thing stands, by name."""
    is_serving = parts.is_running and not parts.is_stopping
    found = {
        "service": Dependency(is_serving, "running" if is_serving else "stopping"),
        "broker": _broker(parts),
    }
    if parts.settings.auth != "off" and parts.database is not None:
        found["keys"] = _keys(parts.keys, parts.database)
    if parts.backplane is not None:
        found["redis"] = _redis(parts.backplane)
    if parts.event_bus is not None:
        found["event_bus"] = _event_bus(parts.event_bus)
    if parts.history is not None:
        found["history"] = Dependency(parts.history.is_ready, parts.history.detail, is_required=False)
    return found


def _broker(parts: Parts) -> Dependency:
    bridge, url = parts.bridge, str(parts.settings.mqtt)
    if parts.backplane is not None and not parts.backplane.is_ingesting:
        is_connected = parts.backplane.is_broker_connected
        return Dependency(is_connected, f"the worker that ingests is {'' if is_connected else 'not '}connected")
    is_connected = bridge.state is LinkState.CONNECTED
    return Dependency(
        is_connected, f"connected to {url}" if is_connected else f"not connected to {url}: {bridge.problem}"
    )


def _keys(keys: KeyRing, database: Database) -> Dependency:
    """Once they were read, the keys go on being valid without the database."""
    if keys.problem is None and keys.is_loaded:
        return Dependency(is_ready=True, detail=f"read from {database.name}")
    if keys.is_loaded:
        known = "those known are valid until they expire, new and revoked ones are not seen"
        return Dependency(is_ready=False, detail=f"{database.name}: {keys.problem}; {known}", is_required=False)
    return Dependency(is_ready=False, detail=f"not read yet from {database.name}: {keys.problem}")


def _redis(backplane: Backplane) -> Dependency:
    """Tell of Redis. It is required: without it this worker shows nothing new, as without the broker."""
    if backplane.problem is not None:
        where = "connected" if backplane.is_connected else "not connected"
        return Dependency(is_ready=False, detail=f"{where} to {backplane.url}: {backplane.problem}")
    part = "this worker ingests" if backplane.is_ingesting else "another worker ingests"
    return Dependency(is_ready=True, detail=f"connected to {backplane.url}; {part}")


def _event_bus(bus: EventBus) -> Dependency:
    detail = f"connected to {bus.url}" if bus.problem is None else f"not connected to {bus.url}: {bus.problem}"
    return Dependency(bus.problem is None, detail, is_required=False)
