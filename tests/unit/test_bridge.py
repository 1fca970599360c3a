"""What the bridge makes of the packets that it takes: messages, rejections, acknowledgements. Links: tests/live."""

from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.enums import MQTTErrorCode

from tests.unit.builders import FakeClock
from tests.unit.test_read_buffer import PACKET_ID, PINGRESP, FakeSocket, publish
from vda5050.broadcast import Pace
from vda5050.errors import RejectedMessage
from vda5050.metrics import Metrics
from vda5050.mqtt_bridge import LinkState, MqttBridge
from vda5050.mqtt_bridge.read_buffer import READ_BYTES, ReadBuffer
from vda5050.mqtt_bridge.rounds import next_round_at
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


def pace(*, is_watched: bool = True) -> Pace:
    """Give streams that are flushed as soon as something comes."""
    return Pace(0.1, is_watched=is_watched)


def seen_of(data: bytes, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Let the bridge take what one read gave; paho is a stand-in that reads two bytes a call."""
    receiver = Receiver()
    settings = Settings(max_payload_bytes=100)
    bridge = MqttBridge(
        settings,
        receiver,
        Metrics(),
        on_link=lambda *, is_up: None,  # noqa: ARG005
        pace=pace(),
        clock=FakeClock(),
    )
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


@pytest.mark.parametrize(
    ("paused_for_s", "message_every_s", "is_watched", "expected"),
    [
        (0.0, 0.001, True, 0.004),
        (0.0, 0.001, False, 0.020),
        (0.003, 0.001, True, 0.004),
        (0.1, 0.001, True, 0.1),
        (9.0, 0.001, True, 0.150),
        (0.1, 0.0001, True, 0.03),
        (0.1, 0.000001, True, 0.004),
        (0.1, 0.0, True, 0.0),
        (0.1, 0.0, False, 0.0),
    ],
    ids=[
        "quick streams",
        "nobody watches",
        "short pause",
        "long pause",
        "endless",
        "many messages",
        "far too many",
        "more waits",
        "more waits, unwatched",
    ],
)
def test_round_waits_for_the_streams(
    *, paused_for_s: float, message_every_s: float, is_watched: bool, expected: float
) -> None:
    """What would not be sent yet is read later, unless it is too much to be left to the broker."""
    streams = pace(is_watched=is_watched)
    streams.next_flush_at = 5.0 + paused_for_s

    assert next_round_at(5.0, streams, message_every_s=message_every_s) == pytest.approx(5.0 + expected)


def test_bridge_reads_at_the_end_of_the_pause_and_after_a_full_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the streams pause nothing is read, unless more was waiting than one read takes: it would never be less."""
    clock, streams = FakeClock(), pace()
    receiver, slept = Receiver(), []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        clock.now += seconds

    monkeypatch.setattr("vda5050.mqtt_bridge.bridge.gevent.sleep", sleep)
    bridge = MqttBridge(
        Settings(),
        receiver,
        Metrics(),
        on_link=lambda *, is_up: None,  # noqa: ARG005
        pace=streams,
        clock=clock,
    )
    message = publish("a/1", b"x" * 10_000)
    full = message * (READ_BYTES // len(message)) + message[: READ_BYTES % len(message)]
    rest = message[READ_BYTES % len(message) :]
    buffer = ReadBuffer(FakeSocket([full, rest, publish("a/2", b"1"), publish("a/3", b"1")]))
    client = SimpleNamespace(buffer=buffer, socket=lambda: buffer, want_write=lambda: False, loop_misc=lambda: None)
    for _ in range(4):
        streams.next_flush_at = clock.now + 0.1
        bridge._pump(client)  # type: ignore[arg-type]  # noqa: SLF001 - the rest needs a broker

    assert slept == [0.004, 0.1]
    assert len(receiver.seen) == READ_BYTES // len(message) + 3


def test_before_the_start() -> None:
    """A bridge that was not started is stopped, and says nothing of a link."""
    told: list[bool] = []
    bridge = MqttBridge(
        Settings(),
        Receiver(),
        Metrics(),
        on_link=lambda *, is_up: told.append(is_up),
        pace=pace(),
        clock=FakeClock(),
    )
    bridge.stop()
    bridge.stop()

    assert (bridge.state, told) == (LinkState.STOPPED, [])
