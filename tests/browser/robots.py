"""Robots for the browser tests: one MQTT connection each, and messages that a test can change member by member."""

import json
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.services import LOOPBACK


class Robot:
    """One robot on a connection of its own, with the last will that the standard asks for (VDA 5050 2.1.0, 6.14)."""

    def __init__(self, broker_port: int, name: str, *, version: str = "2.1.0") -> None:
        self.manufacturer, self.serial_number = name.split("/")
        self.version = version
        root = "vda5050/v3" if version.startswith("3") else "uagv/v2"
        self._topic = f"{root}/{name}"
        self._header_id = 0
        self._broken = "CONNECTION_BROKEN" if version.startswith("3") else "CONNECTIONBROKEN"
        self._port = broker_port
        self._client: mqtt.Client | None = None

    def connect(self) -> "Robot":
        """Connect and say ONLINE."""
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.will_set(
            f"{self._topic}/connection", self._text({"connectionState": self._broken}), 1, retain=True
        )
        self._client.connect(LOOPBACK, self._port)
        self._client.loop_start()
        self.say("connection", {"connectionState": "ONLINE"}, retain=True)
        return self

    def say(self, topic: str, body: dict[str, Any], *, retain: bool = False) -> None:
        """Publish a message with the standard's header before `body`; returns when the broker has it."""
        assert self._client is not None
        self._client.publish(f"{self._topic}/{topic}", self._text(body), 1, retain=retain).wait_for_publish(5)

    def vanish(self) -> None:
        """Drop the connection without a word, as a robot that loses its network does: the broker sends the will."""
        assert self._client is not None
        self._client.loop_stop()
        sock = self._client.socket()
        assert sock is not None
        sock.close()
        self._client = None

    def leave(self) -> None:
        """Say OFFLINE and disconnect. May be called twice."""
        if self._client is not None:
            if self._client.is_connected():
                self.say("connection", {"connectionState": "OFFLINE"}, retain=True)
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def _text(self, body: dict[str, Any]) -> str:
        self._header_id += 1
        header = {
            "headerId": self._header_id,
            "timestamp": "2026-11-23T12:00:00.000Z",
            "version": self.version,
            "manufacturer": self.manufacturer,
            "serialNumber": self.serial_number,
        }
        return json.dumps(header | body)


def state(
    *, x: float = 1.0, y: float = 2.0, map_id: str = "hall", version: str = "2.1.0", **overrides: Any
) -> dict[str, Any]:
    """Build the body of a state message of an idle robot; `overrides` replace whole members."""
    is_3 = version.startswith("3")
    position = {"x": x, "y": y, "theta": 0.0, "mapId": map_id, "localized" if is_3 else "positionInitialized": True}
    body: dict[str, Any] = {
        "orderId": "",
        "orderUpdateId": 0,
        "lastNodeId": "N1",
        "lastNodeSequenceId": 0,
        "nodeStates": [],
        "edgeStates": [],
        "actionStates": [],
        "driving": False,
        "operatingMode": "AUTOMATIC",
        "errors": [],
        "mobileRobotPosition" if is_3 else "agvPosition": position,
        "powerSupply" if is_3 else "batteryState": {
            "stateOfCharge" if is_3 else "batteryCharge": 80.0,
            "charging": False,
        },
        "safetyState": {"activeEmergencyStop" if is_3 else "eStop": "NONE", "fieldViolation": False},
    }
    return body | overrides


StartRobot = Callable[..., Robot]
"""What the fixture `start_robot` gives: name and version -> a connected robot."""
