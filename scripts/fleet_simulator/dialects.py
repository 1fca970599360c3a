"""What each version of VDA 5050 calls things: the field names and words of 1.1.0, 2.0.0, 2.1.0 and 3.0.0.

Gives one `Dialect` per version; the message builders take their keys from it. Where the text and the schema of 1.1
disagree, the schema counts (1.1 says so itself): actionStatus and eStop in lower case. `informations` is the text's
name there, and the schema lets it pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Layout(Enum):
    """How topics are built: the standard's five levels, or /vda5050/<manufacturer>/<serial>/<topic>."""

    STANDARD = "standard"
    FLAT = "flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The words of one version; `*_key` are JSON keys. A key that is None does not exist in that version."""

    version: str
    topic_root: str
    connection_broken: str = "CONNECTIONBROKEN"
    position_key: str = "agvPosition"
    localized_key: str = "positionInitialized"
    power_key: str = "batteryState"
    charge_key: str = "batteryCharge"
    range_key: str = "reach"
    current_key: str | None = None
    emergency_stop_key: str = "eStop"
    no_emergency_stop: str = "NONE"
    information_key: str = "information"
    information_text_key: str = "infoDescription"
    action_result_key: str = "resultDescription"
    node_text_key: str = "nodeDescription"
    instant_states_key: str | None = None
    map_description_key: str | None = None
    error_hint_key: str | None = "errorHint"
    instant_actions_key: str = "actions"
    has_lower_case_statuses: bool = False
    has_upper_case_error_types: bool = False
    has_control_point_weights: bool = False
    has_factsheet: bool = True
    has_planned_path: bool = False
    extra_instant_actions: frozenset[str] = frozenset({"factsheetRequest"})

    def topic(self, layout: Layout, manufacturer: str, serial: str, name: str) -> str:
        """Return the MQTT topic of one kind of message."""
        root = "/vda5050" if layout is Layout.FLAT else self.topic_root
        return f"{root}/{manufacturer}/{serial}/{name}"


DIALECTS = MappingProxyType(
    {
        dialect.version: dialect
        for dialect in (
            Dialect(
                version="1.1.0",
                topic_root="uagv/v1",
                no_emergency_stop="none",
                information_key="informations",
                error_hint_key=None,
                instant_actions_key="instantActions",
                has_lower_case_statuses=True,
                has_control_point_weights=True,
                has_factsheet=False,
                extra_instant_actions=frozenset(),
            ),
            Dialect(version="2.0.0", topic_root="uagv/v2", error_hint_key=None, has_control_point_weights=True),
            Dialect(version="2.1.0", topic_root="uagv/v2", map_description_key="mapDescription"),
            Dialect(
                version="3.0.0",
                topic_root="vda5050/v3",
                connection_broken="CONNECTION_BROKEN",
                position_key="mobileRobotPosition",
                localized_key="localized",
                power_key="powerSupply",
                charge_key="stateOfCharge",
                range_key="range",
                current_key="batteryCurrent",
                emergency_stop_key="activeEmergencyStop",
                information_text_key="infoDescriptor",
                action_result_key="actionResult",
                node_text_key="nodeDescriptor",
                instant_states_key="instantActionStates",
                map_description_key="mapDescriptor",
                has_upper_case_error_types=True,
                has_planned_path=True,
                extra_instant_actions=frozenset({"factsheetRequest", "clearInstantActions"}),
            ),
        )
    }
)
