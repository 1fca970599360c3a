"""MQTT 3.1.1 by hand: a publisher that sends what no library would, and a broker that does.

`Publisher` speaks to a real broker, `FakeBroker` to the real gateway, for what a real broker keeps from it. Bytes in
topics, so that they may be anything. OASIS MQTT 3.1.1, sections 2.2 and 3.
"""

import socket
import struct
from types import TracebackType
from typing import Self

from tests.services import LOOPBACK, wait_until

DEADLINE_S = 15.0
_CONNECT, _CONNACK, _PUBACK, _SUBACK = 0x10, 0x20, 0x40, 0x90


def packet(first: int, body: bytes) -> bytes:
    """Write a control packet: first byte, remaining length, body."""
    length = bytearray()
    rest = len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([first]) + bytes(length) + body


def publish(
    topic: str | bytes, payload: bytes, *, qos: int = 0, is_retained: bool = False, packet_id: int = 1
) -> bytes:
    """Write a PUBLISH packet."""
    name = topic.encode() if isinstance(topic, str) else topic
    packet_id_bytes = struct.pack("!H", packet_id) if qos else b""
    body = struct.pack("!H", len(name)) + name + packet_id_bytes + payload
    return packet(0x30 | qos << 1 | is_retained, body)


def _read_packet(sock: socket.socket) -> tuple[int, bytes]:
    """Read one whole packet: first byte and body. Raises EOFError at the end."""
    first, digit = _read(sock, 2)
    length, shift = digit & 0x7F, 7
    while digit & 0x80:
        (digit,) = _read(sock, 1)
        length |= (digit & 0x7F) << shift
        shift += 7
    return first, _read(sock, length)


def _read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError("the other side closed the connection")
        data += piece
    return data


class _Session:
    """A connection in a `with` block."""

    _socket: socket.socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are. Raises OSError."""
        self._socket.sendall(data)


class Publisher(_Session):
    """A connected MQTT client without keepalive. Raises OSError, EOFError where the broker is gone or refuses."""

    def __init__(self, port: int, *, will: tuple[str, bytes] | None = None) -> None:
        self._socket = socket.create_connection((LOOPBACK, port), timeout=DEADLINE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fields = [b""]  # no client id: the broker makes one for a clean session
        flags = 0x02
        if will is not None:
            flags |= 0x04 | 0x20 | 0x08  # will, retained, QoS 1
            fields += [will[0].encode(), will[1]]
        body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x00"
        self.send(packet(_CONNECT, body + b"".join(struct.pack("!H", len(f)) + f for f in fields)))
        first, answer = _read_packet(self._socket)
        if first != _CONNACK or answer[1]:
            raise EOFError(f"the broker refused: {answer!r}")

    def publish(self, topic: str | bytes, payload: bytes | str, *, qos: int = 0, is_retained: bool = False) -> None:
        """Publish; with QoS 1 return when the broker has it."""
        data = payload.encode() if isinstance(payload, str) else payload
        self.send(publish(topic, data, qos=qos, is_retained=is_retained))
        if qos:
            first, _body = _read_packet(self._socket)
            if first != _PUBACK:
                raise EOFError(f"no PUBACK but {first:#x}")

    def is_hung_up_on(self) -> bool:
        """Wait for what the broker does to a client whose packet it refuses. True where it closes the connection."""
        self._socket.settimeout(DEADLINE_S)
        try:
            return self._socket.recv(1) == b""
        except ConnectionResetError:
            return True


class FakeBroker(_Session):
    """Takes one client after the other, accepts all it wants, and sends it whatever the test wants."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.settimeout(DEADLINE_S)
        self._socket = self._listener  # until a client is there

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def accept(self) -> None:
        """Wait for the next client that stays, and until it has subscribed. Raises TimeoutError."""
        while True:
            if self._socket is not self._listener:
                self._socket.close()
            self._socket, _address = self._listener.accept()
            self._socket.settimeout(DEADLINE_S)
            try:
                self._greet()
            except (EOFError, ConnectionError):
                continue  # it had given up before
            return

    def _greet(self) -> None:
        _read_packet(self._socket)
        self.send(packet(_CONNACK, b"\x00\x00"))
        _first, body = _read_packet(self._socket)
        self.send(packet(_SUBACK, body[:2] + b"\x01" * _filter_count(body[2:])))

    def publish(self, topic: str | bytes, payload: bytes | str, *, qos: int = 0) -> None:
        """Send a message to the client."""
        self.send(publish(topic, payload.encode() if isinstance(payload, str) else payload, qos=qos))

    def has_lost_client(self) -> bool:
        """Tell whether the client has hung up, waiting a little; what it sends is dropped."""
        self._socket.settimeout(0.05)
        try:
            return self._socket.recv(65_536) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def wait_for_loss(self) -> None:
        """Wait until the client has hung up."""
        wait_until(self.has_lost_client, what="the gateway gives the connection up", deadline_s=DEADLINE_S)

    def close(self) -> None:
        super().close()
        self._listener.close()


def _filter_count(body: bytes) -> int:
    """Count the topic filters of a SUBSCRIBE packet's payload."""
    count = at = 0
    while at < len(body):
        at += 2 + int.from_bytes(body[at : at + 2], "big") + 1
        count += 1
    return count
