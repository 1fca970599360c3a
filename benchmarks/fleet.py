"""A fleet that publishes: VDA 5050 2.1 states of about 2 kB over one raw MQTT connection, evenly spaced in time.

Each state is valid against the standard's schema, counts its robot's `headerId` up from 1, and says in
`information[0].infoDescription` when it was sent (`sentNs=` CLOCK_MONOTONIC nanoseconds), so that a client on the same
machine knows how old it is. What moves on a real robot moves here too: position, velocity, charge, and the distance
driven change with every message and differ between robots. Everything else is text made once.

MQTT 3.1.1, sections 3.1 to 3.3 (CONNECT, CONNACK, PUBLISH with QoS 0).
"""

import json
import random
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import Any

from systems import LOOPBACK

MANUFACTURER = "bench"
TOPIC = "uagv/v2/{m}/{s}/state"
MAX_BURST = 50
"""Messages sent in one piece when the publisher is late."""
_HOLE = "@@"


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What a publisher is to do. `port` is the broker's, or with `by_http` that of a server that takes POST /pub."""

    port: int
    robots: int
    hz: float
    topic: str = TOPIC
    by_http: bool = False


class SimulatedRobot:
    """Writes one robot's states; `next_state` gives each with the next headerId."""

    def __init__(self, serial_number: str) -> None:
        self.serial_number = serial_number
        self.header_id = 0
        self._dice = random.Random(serial_number)
        self._parts = json.dumps(_state(serial_number, self._dice), separators=(",", ":")).split(f'"{_HOLE}"')
        self._x, self._y = self._dice.uniform(0, 80), self._dice.uniform(0, 40)

    def next_state(self) -> bytes:
        """Write the next state, sent now."""
        self.header_id += 1
        dice = self._dice.random()
        self._x += dice - 0.5
        self._y += 0.25 - dice / 2
        now = time.time()
        clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        values = (
            self.header_id,
            f'"{clock}.{int(now * 1000) % 1000:03d}Z"',
            f"{self.header_id * 0.17 % 9:.3f}",
            f"{self._x:.4f}",
            f"{self._y:.4f}",
            f"{dice * 6.2831 - 3.1415:.4f}",
            f"{1.2 + dice / 5:.3f}",
            f"{dice / 50:.4f}",
            f"{90 - self.header_id % 7000 / 100:.2f}",
            f"{50.2 - dice:.2f}",
            f'"sentNs={time.monotonic_ns()}"',
        )
        text = self._parts[0]
        for value, part in zip(values, self._parts[1:], strict=True):
            text += f"{value}{part}"
        return text.encode()


def _state(serial_number: str, dice: random.Random) -> dict[str, Any]:
    """Build the state of a robot with six nodes to go; what changes is a hole, in the order of `next_state`."""
    first = dice.randrange(10, 500)
    nodes = [
        {
            "nodeId": f"N{first + step:04d}",
            "sequenceId": 2 * step,
            "released": step < 4,
            "nodePosition": {"x": first + 3.5 * step, "y": 4.25 * step, "theta": 1.57, "mapId": "ground-floor"},
        }
        for step in range(1, 7)
    ]
    edges = [
        {"edgeId": f"E{first + step:04d}", "sequenceId": 2 * step - 1, "released": step < 4} for step in range(1, 7)
    ]
    actions = [
        {"actionId": f"{serial_number}-{kind}", "actionType": kind, "actionStatus": "WAITING", "resultDescription": ""}
        for kind in ("pick", "drop")
    ]
    position = {"x": _HOLE, "y": _HOLE, "theta": _HOLE, "mapId": "ground-floor"}
    warning = {
        "errorType": "pathBlocked",
        "errorLevel": "WARNING",
        "errorDescription": "waits for a person to pass",
        "errorReferences": [{"referenceKey": "edgeId", "referenceValue": f"E{first + 1:04d}"}],
    }
    return {
        "headerId": _HOLE,
        "timestamp": _HOLE,
        "version": "2.1.0",
        "manufacturer": MANUFACTURER,
        "serialNumber": serial_number,
        "orderId": f"transport-{serial_number}-{first}",
        "orderUpdateId": 2,
        "lastNodeId": f"N{first:04d}",
        "lastNodeSequenceId": 0,
        "nodeStates": nodes,
        "edgeStates": edges,
        "driving": True,
        "paused": False,
        "newBaseRequest": False,
        "distanceSinceLastNode": _HOLE,
        "agvPosition": {"positionInitialized": True, "localizationScore": 0.93, **position},
        "velocity": {"vx": _HOLE, "vy": 0.0, "omega": _HOLE},
        "actionStates": actions,
        "batteryState": {"batteryCharge": _HOLE, "batteryVoltage": _HOLE, "charging": False, "reach": 9800},
        "operatingMode": "AUTOMATIC",
        "errors": [warning],
        "information": [{"infoType": "sent", "infoLevel": "DEBUG", "infoDescription": _HOLE}],
        "safetyState": {"eStop": "NONE", "fieldViolation": False},
    }


def packet(kind: int, *fields: bytes) -> bytes:
    """Write an MQTT packet: first byte, length as of section 2.2.3, body."""
    body = b"".join(fields)
    length, size = bytearray(), len(body)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes([kind]) + bytes(length) + body


def text_field(text: str) -> bytes:
    """Write an MQTT string (section 1.5.3)."""
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def connect_packet(client_id: str) -> bytes:
    """Write CONNECT: 3.1.1, clean session, no keep-alive."""
    return packet(0x10, text_field("MQTT"), b"\x04\x02\x00\x00", text_field(client_id))


def publish_packet(topic: str, payload: bytes) -> bytes:
    """Write PUBLISH with QoS 0, not retained."""
    return packet(0x30, text_field(topic), payload)


def connect_to_broker(port: int, client_id: str) -> socket.socket:
    """Open an MQTT connection. Raises ConnectionError when the broker refuses it."""
    sock = socket.create_connection((LOOPBACK, port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(connect_packet(client_id))
    answer = sock.recv(4)
    if answer != b"\x20\x02\x00\x00":
        raise ConnectionError(f"the broker on port {port} answered {answer!r} to CONNECT")
    return sock


def publish_fleet(plan: FleetPlan, *, start: Event, stop: Event, count: "Synchronized[int]") -> None:
    """Publish robots x hz states a second, one robot after the other, from `start` until `stop`.

    Meant as a process of its own. Keeps `count` at the number of messages sent.
    """
    robots = [SimulatedRobot(f"R{number:05d}") for number in range(plan.robots)]
    topics = [plan.topic.format(m=MANUFACTURER, s=robot.serial_number) for robot in robots]
    rate = plan.robots * plan.hz
    sock = socket.create_connection((LOOPBACK, plan.port)) if plan.by_http else connect_to_broker(plan.port, "fleet")
    start.wait()
    for first, upto in _due(rate, stop):
        pieces = []
        for number in range(first, upto):
            index = number % plan.robots
            state = robots[index].next_state()
            pieces.append(_post(state) if plan.by_http else publish_packet(topics[index], state))
        sock.sendall(b"".join(pieces))
        if plan.by_http:
            _discard_answers(sock)
        count.value = upto


def _due(rate: float, stop: Event) -> Iterator[tuple[int, int]]:
    """Give the numbers of the messages to send now, [first, upto), each time one or more are due."""
    started, sent = time.monotonic(), 0
    while not stop.is_set():
        due = int((time.monotonic() - started) * rate)
        if due > sent:
            upto = min(due, sent + MAX_BURST)
            yield sent, upto
            sent = upto
        else:
            time.sleep(max(0.0002, (sent + 1) / rate - (time.monotonic() - started)))


def _post(state: bytes) -> bytes:
    return b"POST /pub HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%b" % (len(state), state)


def _discard_answers(sock: socket.socket) -> None:
    """Take what the server answered so far, so that it never waits for this side."""
    try:
        while sock.recv(65_536, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return
