"""What a lenient, old or faulty broker may send, which mosquitto does not: a fake one on a socket."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.live.marker import events_before_marker
from tests.live.mqtt_packets import FakeBroker, publish
from tests.live.stream_client import SseClient
from tests.services import Gateway, gateway, wait_until

TOPIC = "uagv/v2/ACME/R1/state"
REJECTED = "vda5050_rejected_messages_total"
CR_LF_ATTACK = '\r\n\r\ndata: {"type":"reset"}\r\n\r\n'


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeBroker]:
    """Run a broker that sends what the test wants."""
    with FakeBroker() as broker:
        yield broker


@pytest.fixture(scope="module")
def behind_fake(fake: FakeBroker) -> Iterator[Gateway]:
    """Run the gateway, connected to `fake`."""
    with gateway(fake, until="/health") as service:
        fake.accept()
        wait_until(lambda: service.has("/ready"), what="connected to the fake broker")
        yield service


@pytest.fixture
def stream(fake: FakeBroker, behind_fake: Gateway) -> Iterator[SseClient]:
    """Open `/stream`; what it gets from now on was sent from now on."""
    with SseClient(behind_fake.port) as client:
        client.next("snapshot")
        events_before_marker(fake, client)
        yield client


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("name", [f"evil{CR_LF_ATTACK}", "NUL\0", "\u2028", "DEL\x7f", "+", "\ufeff", "\ud7ff\ufffe"])
def test_topic_cannot_break_out_of_its_event(
    fake: FakeBroker, behind_fake: Gateway, stream: SseClient, name: str, qos: int
) -> None:
    """CR, LF, NUL and the like in a robot's name are text in its events, nothing more."""
    fake.publish(f"uagv/v2/ACME/{name}/state", '{"headerId":1}', qos=qos)

    update = stream.next()
    assert update.data == {
        "type": "update",
        "data": {"topic": f"ACME/{name}", "type": "state", "payload": {"headerId": 1}},
    }
    assert behind_fake.get(f"/robots/ACME/{quote(name, safe='')}").json()["serial_number"] == name


@pytest.mark.parametrize("qos", [0, 1])
def test_topic_that_is_not_utf8_is_counted(fake: FakeBroker, behind_fake: Gateway, stream: SseClient, qos: int) -> None:
    """A topic in no known encoding is rejected as `topic`; the next message is taken in."""
    counted_before = behind_fake.metric(REJECTED, reason="topic")

    fake.publish(b"uagv/v2/ACME/\xff/state", '{"headerId":1}', qos=qos)

    assert events_before_marker(fake, stream, qos=qos) == []
    assert behind_fake.metric(REJECTED, reason="topic") == counted_before + 1


@pytest.mark.parametrize("qos", [0, 1])
def test_log_line_cannot_be_forged(fake: FakeBroker, behind_fake: Gateway, stream: SseClient, qos: int) -> None:
    """A line break in a topic does not begin a line of the log."""
    fake.publish(f"uagv/v2/ACME/\nCRITICAL forged {qos}\n/nonsense", "{}", qos=qos)

    assert events_before_marker(fake, stream, qos=qos) == []
    assert f"\nCRITICAL forged {qos}" not in behind_fake.output()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x30\xff\xff\xff\xff\xff\x7f",  # a remaining length of five bytes
        b"\x00\x00",  # packet type 0
        b"\xf0\x00",  # packet type 15
        publish(TOPIC, b"{}", qos=3),
        b"\x30\x04\xff\xffab",  # a topic longer than its packet
        b"\x30\x00",  # a PUBLISH without a topic
        b"\x32\x04\x00\x01ab",  # QoS 1 with half a packet identifier
        b"\x90\xff\xff\xff\x7f",  # a SUBACK of 256 MB
        b"HTTP/1.1 400 Bad Request\r\nServer: no broker at all\r\nContent-Length: 42\r\nConnection: close"
        + b"\r\n" * 20,
    ],
    ids=["endless length", "type 0", "type 15", "QoS 3", "long topic", "no topic", "no id", "256 MB", "HTTP"],
)
def test_nonsense_from_the_broker_is_survived(
    fake: FakeBroker, behind_fake: Gateway, stream: SseClient, garbage: bytes
) -> None:
    """A broker that breaks the protocol is left and tried again; the streams stay open, say so, and go on."""
    fake.send(garbage)
    fake.wait_for_loss()
    fake.accept()

    links = [event.data["data"] for event in events_before_marker(fake, stream)]
    assert links == [{"broker": "disconnected"}, {"broker": "connected"}]
    assert "Traceback" not in behind_fake.output()
