"""What the bridge makes of the packets that it takes: messages, rejections, acknowledgements. Links: tests/live."""

from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.enums import MQTTErrorCode

from tests.unit.builders import FakeClock
from tests.unit.test_read_buffer import PACKET_ID, PINGRESP, FakeSocket, publish
from vda5050.errors import RejectedMessage
from vda5050.metrics import Metrics
from vda5050.mqtt_bridge import LinkState, MqttBridge
from vda5050.mqtt_bridge.bridge import round_s
from vda5050.mqtt_bridge.read_buffer import ReadBuffer
from vda5050.settings import Settings


class Receiver:
    """Notes everything that happens, in its order."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Note a message."""
        self.seen.append(("message", topic, payload, is_retained))

    def reject(self, topic: str, rejected: RejectedMessage) -> None:
        """Note a rejection."""
        self.seen.append(("rejected", topic, rejected.reason))


def seen_of(data: bytes, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Let the bridge take what one read gave; paho is a stand-in that reads two bytes a call."""
    receiver = Receiver()
    settings = Settings(max_payload_bytes=100)
    bridge = MqttBridge(settings, receiver, Metrics(), on_link=lambda *, is_up: None, clock=FakeClock())  # noqa: ARG005
    buffer = ReadBuffer(FakeSocket([data]))
    buffer.fill()

    def loop_read() -> MQTTErrorCode:
        receiver.seen.append(("paho", buffer.recv(2)))
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    client = SimpleNamespace(
        socket=lambda: buffer, loop_read=loop_read, ack=lambda mid, qos: receiver.seen.append(("ack", mid, qos))
    )
    monkeypatch.setattr(bridge, "_client", client)
    bridge._take_packets(client, buffer)  # type: ignore[arg-type]  # noqa: SLF001 - the rest needs a broker
    return receiver.seen


def test_packets_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are handed on as they came, other packets are read by paho in between."""
    data = publish("a/1", b"1") + PINGRESP + publish("a/2", b"", is_retained=True) + PINGRESP

    assert seen_of(data, monkeypatch) == [
        ("message", "a/1", b"1", False),
        ("paho", PINGRESP),
        ("message", "a/2", b"", True),
        ("paho", PINGRESP),
    ]


def test_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A QoS 1 message is acknowledged, once it was taken in; one of QoS 0 is not."""
    data = publish("a/0", b"0") + publish("a/1", b"1", qos=1)

    assert seen_of(data, monkeypatch)[1:] == [("message", "a/1", b"1", False), ("ack", PACKET_ID, 1)]


@pytest.mark.parametrize(
    ("topic", "payload", "rejected"),
    [
        (b"a/\xff", b"1", ("rejected", "", "topic")),
        (b"a/b", b"x" * 101, ("rejected", "a/b", "size")),
        (b"a/\xff", b"x" * 101, ("rejected", "", "topic")),
    ],
)
@pytest.mark.parametrize("qos", [0, 1])
def test_rejected(
    monkeypatch: pytest.MonkeyPatch, *, qos: int, topic: bytes, payload: bytes, rejected: tuple[str, ...]
) -> None:
    """What cannot be read is rejected once, and acknowledged all the same: it would come again for ever."""
    seen = seen_of(publish(topic, payload, qos=qos) + publish("next", b"1"), monkeypatch)

    assert seen == [rejected, *([("ack", PACKET_ID, 1)] if qos else []), ("message", "next", b"1", False)]


@pytest.mark.parametrize(("gathering_s", "expected"), [(0.0, 0.004), (0.05, 0.01), (0.1, 0.02), (5.0, 0.02)])
def test_round_grows_with_the_batches(gathering_s: float, expected: float) -> None:
    """While the streams gather for long, so does the bridge, up to a bound; in a quiet moment it hands on at once."""
    assert round_s(gathering_s) == pytest.approx(expected)


def test_before_the_start() -> None:
    """A bridge that was not started is stopped, and says nothing of a link."""
    told: list[bool] = []
    bridge = MqttBridge(
        Settings(), Receiver(), Metrics(), on_link=lambda *, is_up: told.append(is_up), clock=FakeClock()
    )
    bridge.stop()
    bridge.stop()

    assert (bridge.state, told) == (LinkState.STOPPED, [])
