"""Many stream clients in one process: all receive, a sample of them reads every message.

Takes a `StreamPlan`, gives `Received`. A sampled client decodes all it gets, checks that each robot's `headerId` goes
up by one, and notes each message's age by the `sentNs` in it. The others look for the one mark that stands once in
every message; where the bytes are compressed, their messages are told from their bytes, by what the sampled ones found
in theirs (all of one filter are sent the same bytes).

Counted from the moment `is_measuring` is set until it is cleared; order is checked all the time, for a gap is a defect
whenever it happens.
"""

import os
import re
import select
import socket
import time
from dataclasses import dataclass, field
from enum import Enum
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event

from decoders import Decoder, MqttDecoder, Refused, SseDecoder, WebSocketDecoder
from fleet import connect_packet, packet, text_field
from systems import LOOPBACK

MARK = b'"headerId"'
_HEADER_ID = re.compile(rb'"headerId": ?(\d+)')
_SERIAL_NUMBER = re.compile(rb'"serialNumber": ?"([^"]+)"')
_SENT = b"sentNs="
_HEAD_CHARS = 100
"""In so many first characters the envelope of an event that is no update says so."""
_RECEIVE_BYTES = 262_144
_CLIENTS_PER_ADDRESS = 5_000
_MASKED = 0x80
_NOWHERE = bytearray(_RECEIVE_BYTES)


class Kind(Enum):
    """How a client connects."""

    SSE = "sse"
    WEBSOCKET = "websocket"
    MQTT = "mqtt"


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What the clients connect to: `kind` at `path` of `port`; every `sample`-th reads everything."""

    port: int
    clients: int
    kind: Kind = Kind.SSE
    path: str = "/stream"
    headers: tuple[str, ...] = ()
    is_gzip: bool = False
    sample: int = 20
    mqtt_filter: str = "uagv/#"


@dataclass(slots=True)
class Received:
    """What arrived. `ages_ns`: publish to read, for each message of a sampled client. `closed`: ended by the server."""

    events: int = 0
    wire_bytes: int = 0
    sampled_events: int = 0
    sampled_bytes: int = 0
    gaps: int = 0
    reorders: int = 0
    resets: int = 0
    closed: int = 0
    ages_ns: list[int] = field(default_factory=list)


class StreamClient:
    """One connection. `is_answered` once anything came, `has_snapshot` once a decoded one was given a snapshot.

    What comes for one that `is_done` is thrown away by the kernel.
    """

    def __init__(self, plan: StreamPlan, number: int) -> None:
        self.decoder: Decoder | None = _decoder(plan.kind) if number % plan.sample == 0 else None
        self.has_snapshot = False
        self.is_answered = False
        self.is_done = False
        self._is_checked = plan.kind is not Kind.SSE
        self._tail = b""
        self._last: dict[bytes, int] = {}
        source = f"127.0.0.{1 + number // _CLIENTS_PER_ADDRESS}"
        self.socket = socket.create_connection((LOOPBACK, plan.port), timeout=30, source_address=(source, 0))
        if plan.kind is Kind.SSE:
            self._ask_for_events(plan)
        else:
            self._upgrade(plan, number)
        self.socket.setblocking(False)

    def count(self, data: bytes) -> int:
        """Count the messages that begin in `data`, without reading them. Raises Refused."""
        if not self._is_checked:
            if b" 200 " not in data[:20]:
                raise Refused(data[:300].decode("latin-1"))
            self._is_checked = True
        torn = (self._tail + data[: len(MARK) - 1]).count(MARK)
        self._tail = data[1 - len(MARK) :]
        return torn + data.count(MARK)

    def read(self, data: bytes, received: Received, ages_ns: list[int]) -> int:
        """Read every message that `data` completes: fills the order's figures and the ages, returns how many."""
        assert self.decoder is not None
        count = 0
        self._is_checked = True  # by the decoder
        for message in self.decoder.messages(data):
            head = message[:_HEAD_CHARS]
            if b'"snapshot"' in head:
                self.has_snapshot = True
            elif b'"reset"' in head:
                received.resets += 1
                self._last.clear()
            elif (sent := message.rfind(_SENT)) >= 0:
                count += 1
                ages_ns.append(time.monotonic_ns() - int(message[sent + len(_SENT) : message.index(b'"', sent)]))
                self._check_order(message, received)
        return count

    def _check_order(self, message: bytes, received: Received) -> None:
        serial_number, header_id = _SERIAL_NUMBER.search(message), _HEADER_ID.search(message)
        if serial_number is None or header_id is None:
            received.gaps += 1
            return
        robot, number = serial_number[1], int(header_id[1])
        last = self._last.get(robot)
        if last is not None:
            received.gaps += number > last + 1
            received.reorders += number <= last
        self._last[robot] = number

    def _ask_for_events(self, plan: StreamPlan) -> None:
        fields = ["Host: bench", "Accept: text/event-stream", *plan.headers]
        if plan.is_gzip:
            fields.append("Accept-Encoding: gzip")
        self.socket.sendall("\r\n".join([f"GET {plan.path} HTTP/1.1", *fields, "", ""]).encode())

    def _upgrade(self, plan: StreamPlan, number: int) -> None:
        fields = ["Host: bench", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        fields += ["Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==", *plan.headers]
        if plan.kind is Kind.MQTT:
            fields.append("Sec-WebSocket-Protocol: mqtt")
        self.socket.sendall("\r\n".join([f"GET {plan.path} HTTP/1.1", *fields, "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):  # byte by byte: what follows belongs to the decoder
            byte = self.socket.recv(1)
            if not byte:
                raise Refused(head.decode("latin-1"))
            head += byte
        if b" 101 " not in head:
            raise Refused(head.decode("latin-1"))
        if plan.kind is Kind.MQTT:
            self.socket.sendall(_masked_frame(connect_packet(f"client-{os.getpid()}-{number}")))
            self.socket.sendall(_masked_frame(packet(0x82, b"\x00\x01", text_field(plan.mqtt_filter), b"\x00")))


def _decoder(kind: Kind) -> Decoder:
    match kind:
        case Kind.SSE:
            return SseDecoder()
        case Kind.WEBSOCKET:
            return WebSocketDecoder()
        case Kind.MQTT:
            return MqttDecoder()


def _masked_frame(data: bytes) -> bytes:
    """Write a short binary message as a client must: masked, here with zeros."""
    return bytes([0x82, _MASKED | len(data)]) + bytes(4) + data


class Crowd:
    """All clients of one process, and what they received."""

    def __init__(self, plan: StreamPlan) -> None:
        self.received = Received()
        self._is_gzip = plan.is_gzip
        self._plan = plan
        self._poll = select.epoll()
        self.by_descriptor: dict[int, StreamClient] = {}

    def connect(self, number: int) -> StreamClient:
        """Add a client. Raises Refused, OSError."""
        client = StreamClient(self._plan, number)
        self.by_descriptor[client.socket.fileno()] = client
        self._poll.register(client.socket, select.EPOLLIN)
        return client

    def receive(self, *, wait_s: float, is_measuring: bool) -> list[StreamClient]:
        """Take what came, at most `wait_s` seconds later; returns those it came for. Raises Refused."""
        served = []
        for descriptor, _ in self._poll.poll(wait_s):
            client = self.by_descriptor[descriptor]
            try:
                if client.is_done:
                    client.socket.recv_into(_NOWHERE, _RECEIVE_BYTES, socket.MSG_TRUNC)
                    continue
                data = client.socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                data = b""
            if data:
                client.is_answered = True
                self._take(client, data, is_measuring=is_measuring)
                served.append(client)
            else:
                self.received.closed += 1
                self._poll.unregister(descriptor)
        return served

    def _take(self, client: StreamClient, data: bytes, *, is_measuring: bool) -> None:
        received = self.received
        events = 0
        if client.decoder is not None:
            events = client.read(data, received, received.ages_ns if is_measuring else [])
        elif not self._is_gzip:
            events = client.count(data)
        if is_measuring:
            received.events += events
            received.wire_bytes += len(data)
            if client.decoder is not None:
                received.sampled_events += events
                received.sampled_bytes += len(data)

    def result(self) -> Received:
        """Return what was received; compressed messages that nobody counted are told from their bytes."""
        received = self.received
        if self._is_gzip and received.sampled_bytes:
            received.events = round(received.sampled_events * received.wire_bytes / received.sampled_bytes)
        return received


def receive_streams(
    plan: StreamPlan, *, are_connected: Event, is_measuring: "Synchronized[int]", stop: Event
) -> Received:
    """Connect all clients, set `are_connected` when each has had an answer, then receive until `stop`."""
    crowd = Crowd(plan)
    for number in range(plan.clients):
        crowd.connect(number)
        if number % 100 == 99:  # a server that has many to greet is not kept waiting
            crowd.receive(wait_s=0, is_measuring=False)
    while not all(client.is_answered for client in crowd.by_descriptor.values()):
        crowd.receive(wait_s=0.2, is_measuring=False)
    are_connected.set()
    while not stop.is_set():
        crowd.receive(wait_s=0.2, is_measuring=bool(is_measuring.value))
    return crowd.result()
