"""One stream client: connects as a `StreamPlan` says, reads or counts what it is sent, adds it to `Received`.

A client that reads decodes all it gets, checks that each robot's `headerId` goes up by one, and tells each message's
age by the `sentNs` in it. One that counts looks for the mark that stands once in every message.
"""

import multiprocessing
import os
import re
import socket
import sys
import time
from dataclasses import dataclass, field
from enum import Enum

from decoders import Decoder, MqttDecoder, Refused, SseDecoder, WebSocketDecoder
from fleet import connect_packet, packet, text_field
from systems import LOOPBACK

MARK = b'"headerId"'
_HEADER_ID = re.compile(rb'"headerId": ?(\d+)')
_SERIAL_NUMBER = re.compile(rb'"serialNumber": ?"([^"]+)"')
_SENT = b"sentNs="
_HEAD_CHARS = 100
"""In so many first characters the envelope of an event that is no update says so."""
_CLIENTS_PER_ADDRESS = 5_000
_MASKED = 0x80


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
    """What arrived. `ages_ns`: publish to read, for each message of a sampled client. `closed`: ended by the server.

    `sampled_sent` counts those of the sampled clients' messages that were sent in the measured time.
    """

    events: int = 0
    wire_bytes: int = 0
    sampled_clients: int = 0
    sampled_sent: int = 0
    sampled_events: int = 0
    sampled_bytes: int = 0
    gaps: int = 0
    reorders: int = 0
    resets: int = 0
    closed: int = 0
    ages_ns: list[int] = field(default_factory=list)


class Measured:
    """The measured time, shared by the process that sets it and the one that receives."""

    def __init__(self) -> None:
        self._since_ns = multiprocessing.Value("q", sys.maxsize, lock=False)
        self._until_ns = multiprocessing.Value("q", sys.maxsize, lock=False)

    def begin(self) -> None:
        """Begin now."""
        self._since_ns.value = time.monotonic_ns()

    def end(self) -> None:
        """End now."""
        self._until_ns.value = time.monotonic_ns()

    def holds(self, moment_ns: int) -> bool:
        """Tell whether a moment lies in it."""
        return bool(self._since_ns.value <= moment_ns < self._until_ns.value)


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

    def read(self, data: bytes, received: Received, measured: "Measured") -> list[int]:
        """Read every message that `data` completes: fills in the order's figures, returns the messages' ages."""
        assert self.decoder is not None
        ages_ns = []
        self._is_checked = True  # by the decoder
        for message in self.decoder.messages(data):
            head = message[:_HEAD_CHARS]
            if b'"snapshot"' in head:
                self.has_snapshot = True
            elif b'"reset"' in head:
                received.resets += 1
                self._last.clear()
            elif (sent := message.rfind(_SENT)) >= 0:
                sent_ns = int(message[sent + len(_SENT) : message.index(b'"', sent)])
                ages_ns.append(time.monotonic_ns() - sent_ns)
                received.sampled_sent += measured.holds(sent_ns)
                self._check_order(message, received)
        return ages_ns

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
        fields = ["Host: 127.0.0.1", "Accept: text/event-stream", *plan.headers]
        if plan.is_gzip:
            fields.append("Accept-Encoding: gzip")
        self.socket.sendall("\r\n".join([f"GET {plan.path} HTTP/1.1", *fields, "", ""]).encode())

    def _upgrade(self, plan: StreamPlan, number: int) -> None:
        fields = ["Host: 127.0.0.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
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
