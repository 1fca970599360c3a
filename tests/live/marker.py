"""A good message after what a test sent: whoever has seen its update has been sent all that came before it.

A new stream may begin with a shared snapshot of up to a second ago and the updates since (see vda5050/broadcast), so a
test that looks at every event begins behind a marker as well.
"""

import itertools
import json
from typing import Protocol

from tests.live.event_decoder import Event
from tests.live.stream_client import SseClient

TOPIC = "uagv/v2/ACME/marker/state"
_numbers = itertools.count(1)


class Sender(Protocol):
    """Who can send a message to the gateway: a robot, or a fake broker."""

    def publish(self, topic: str, payload: str, *, qos: int = 0) -> None: ...


def events_before_marker(sender: Sender, stream: SseClient, *, qos: int = 0) -> list[Event]:
    """Send a marker; give the events that came before its update. Fails the test when that does not come."""
    marker = {"headerId": next(_numbers)}
    sender.publish(TOPIC, json.dumps(marker), qos=qos)
    before: list[Event] = []
    while True:
        event = stream.next()
        if event.type == "update" and event.data["data"] == {
            "topic": "ACME/marker",
            "type": "state",
            "payload": marker,
        }:
            return before
        before.append(event)
