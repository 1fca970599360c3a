"""What robots send by mistake or malice, through a real broker; test_faulty_broker has what that one keeps away."""

import json
from urllib.parse import quote

import orjson
import pytest

from tests.live.bad_payloads import (
    ODD_PAYLOADS,
    REFUSED_PAYLOADS,
    STRANGE_NAMES,
    TOPICS_THAT_DO_NOT_FIT,
    WELL_FORMED_PAYLOADS,
)
from tests.live.marker import events_before_marker
from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient
from tests.log_lines import log_lines
from tests.services import Gateway, Service, gateway, mosquitto, wait_until

TOPIC = "uagv/v2/ACME/R1/state"
REJECTED = "vda5050_rejected_messages_total"
ODD = "vda5050_odd_messages_total"


@pytest.mark.parametrize("refused", REFUSED_PAYLOADS.values(), ids=REFUSED_PAYLOADS)
@pytest.mark.parametrize("qos", [0, 1])
def test_unusable_payload_is_counted_and_kept_from_the_stream(
    running: Gateway, robot: Publisher, stream: SseClient, refused: tuple[bytes, str], qos: int
) -> None:
    """A payload that cannot be used is counted and logged with its reason; the streams never see it and go on."""
    payload, reason = refused
    counted_before = running.metric(REJECTED, reason=reason)
    connects = running.metric("vda5050_broker_connects_total")

    robot.publish(TOPIC, payload, qos=qos)

    assert events_before_marker(robot, stream, qos=qos) == []
    assert running.metric(REJECTED, reason=reason) == counted_before + 1
    assert running.metric("vda5050_broker_connects_total") == connects
    said = [line for line in log_lines(running) if line["event"] == "rejected a message"]
    assert (TOPIC, reason) in [(line["topic"], line["reason"]) for line in said]


@pytest.mark.parametrize(("payload", "reason"), ODD_PAYLOADS.values(), ids=ODD_PAYLOADS)
def test_odd_payload_is_counted_and_shown(
    running: Gateway, robot: Publisher, stream: SseClient, payload: bytes, reason: str
) -> None:
    """A payload that is JSON, but odd, is shown as it means, counted and logged with what is odd."""
    counted_before = running.metric(ODD, reason=reason)

    robot.publish(TOPIC, payload)

    (event,) = events_before_marker(robot, stream)
    assert event.data["data"] == {"topic": "ACME/R1", "type": "state", "payload": json.loads(payload)}
    assert running.metric(ODD, reason=reason) == counted_before + 1
    said = [line for line in log_lines(running) if line["event"] == "accepted a message although it is odd"]
    assert (TOPIC, reason) in [(line["topic"], line["reason"]) for line in said]


@pytest.mark.parametrize("payload", WELL_FORMED_PAYLOADS.values(), ids=WELL_FORMED_PAYLOADS)
def test_well_formed_payload_is_shown_whatever_it_says(
    running: Gateway, robot: Publisher, stream: SseClient, payload: str
) -> None:
    """Valid JSON with wrong, strange or no fields shows on the stream, in its robot's entry and among all robots."""
    robot.publish(TOPIC, payload)

    (event,) = events_before_marker(robot, stream)
    document = orjson.loads(payload)
    assert event.data["data"] == {"topic": "ACME/R1", "type": "state", "payload": document}
    assert orjson.loads(running.get("/robots/ACME/R1").body)["payload"] == document
    assert orjson.loads(running.get("/robots").body)["ACME/R1"]["messages"]["state"] == document


@pytest.mark.parametrize("topic", TOPICS_THAT_DO_NOT_FIT)
def test_topic_that_does_not_fit_is_counted(running: Gateway, robot: Publisher, stream: SseClient, topic: str) -> None:
    """A topic that is no robot's is counted as `topic`, and its message goes nowhere."""
    counted_before = running.metric(REJECTED, reason="topic")
    robots_before = running.get("/robots").json().keys()

    robot.publish(topic, '{"headerId":1}')

    assert events_before_marker(robot, stream) == []
    assert running.metric(REJECTED, reason="topic") == counted_before + 1
    assert running.get("/robots").json().keys() - {"ACME/marker"} == robots_before - {"ACME/marker"}


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_robot_with_a_strange_name_is_a_robot(running: Gateway, robot: Publisher, stream: SseClient, name: str) -> None:
    """Whatever MQTT lets a robot be called, it has its updates, its entry, its address and a stream of its own."""
    robot.publish(f"uagv/v2/ACME/{name}/state", '{"headerId":1}')

    (event,) = events_before_marker(robot, stream)
    assert event.data["data"]["topic"] == f"ACME/{name}"
    address = f"ACME/{quote(name, safe='')}"
    assert running.get(f"/robots/{address}").json()["serial_number"] == name
    with SseClient(running.port, f"/stream/{address}") as own:
        assert own.next("snapshot").data["data"].keys() == {f"ACME/{name}"}


@pytest.mark.parametrize("name", ["CR\rLF\n", "NUL\0", b"not UTF-8 \xff", "+", "#"])
def test_broker_keeps_forbidden_topics_away(
    broker: Service, running: Gateway, robot: Publisher, stream: SseClient, name: str | bytes
) -> None:
    """The broker hangs up on whoever publishes a topic that MQTT forbids; the gateway and its streams see nothing."""
    rejected_before = running.metric(REJECTED)
    encoded = name if isinstance(name, bytes) else name.encode()

    with Publisher(broker.port) as villain:
        villain.publish(b"uagv/v2/ACME/" + encoded + b"/state", b'{"headerId":1}')
        assert villain.is_hung_up_on()

    assert events_before_marker(robot, stream) == []
    assert running.metric(REJECTED) == rejected_before


def test_deleting_a_retained_message_deletes_no_state(running: Gateway, robot: Publisher, stream: SseClient) -> None:
    """An empty retained payload, which deletes what the broker kept, is counted as `empty`; the robot stays."""
    topic = "uagv/v2/ACME/retained/connection"
    robot.publish(topic, '{"connectionState":"ONLINE"}', is_retained=True)
    stream.next("update")
    counted_before = running.metric(REJECTED, reason="empty")

    robot.publish(topic, b"", is_retained=True)

    assert events_before_marker(robot, stream) == []
    assert running.metric(REJECTED, reason="empty") == counted_before + 1
    assert running.get("/robots/ACME/retained").json()["connection_state"] == "ONLINE"


def test_a_thousand_bad_messages_are_a_handful_of_log_lines(
    running: Gateway, robot: Publisher, stream: SseClient
) -> None:
    """The metric counts every bad message; the log names each reason, but not a thousand times."""
    counted_before = running.metric(REJECTED)
    lines_before = running.output().count("\n")

    for number in range(250):
        robot.publish(TOPIC, f"bad {number}")
        robot.publish(TOPIC, b"\xff")
        robot.publish(TOPIC, REFUSED_PAYLOADS["NaN before 100,000 levels"][0])
        robot.publish(f"uagv/v2/ACME/R1/bad{number}", "{}")

    assert events_before_marker(robot, stream) == []
    assert running.metric(REJECTED) == counted_before + 1_000
    assert running.output().count("\n") - lines_before <= 8


def test_log_names_topics_without_forging_lines(running: Gateway, robot: Publisher, stream: SseClient) -> None:
    """What a topic holds is quoted in the log, at a bounded length."""
    longest_before = max(map(len, running.output().splitlines()))
    robot.publish("uagv/" + "x" * 60_000 + "/state", "{}")

    assert events_before_marker(robot, stream) == []
    assert max(map(len, running.output().splitlines())) <= max(longest_before, 600)


def test_retained_poison_does_not_keep_the_gateway_from_starting() -> None:
    """Bad messages that the broker keeps, and sends at every connect, are rejected once a connect and harm nothing."""
    kinds = ["NaN before 100,000 levels", "100,000 levels", "not UTF-8", "5 MB", "not JSON", "null at the top"]
    with mosquitto() as own_broker, Publisher(own_broker.port) as robot:
        for number, kind in enumerate(kinds):
            topic = f"uagv/v2/ACME/poison{number}/state"
            robot.publish(topic, REFUSED_PAYLOADS[kind][0], qos=1, is_retained=True)

        with gateway(own_broker) as running:
            wait_until(lambda: running.metric(REJECTED) == len(kinds), what="the retained messages have been counted")
            with SseClient(running.port) as stream:
                stream.next("snapshot")
                assert events_before_marker(robot, stream) == []
            assert running.metric(REJECTED) == len(kinds)
            assert running.metric("vda5050_broker_connects_total") == 1
            assert running.output().count("Traceback") == 0
