"""Many stream clients in one process: all receive, a sample of them reads every message.

Takes a `StreamPlan`, gives `Received`. Where the bytes are compressed, the messages of the clients that only count are
told from their bytes, by what the sampled ones found in theirs: all of one filter are sent the same bytes.

Counted is what arrives in the measured time, and, by the sampled clients, what was sent in it, whenever it arrives.
Order is checked all the time, for a gap is a defect whenever it happens.
"""

import select
import socket
import time
from multiprocessing.synchronize import Event

from clients import Measured, Received, StreamClient, StreamPlan

_RECEIVE_BYTES = 262_144
_NOWHERE = bytearray(_RECEIVE_BYTES)


class Crowd:
    """All clients of one process, and what they received."""

    def __init__(self, plan: StreamPlan, measured: Measured) -> None:
        self.received = Received()
        self._measured = measured
        self._is_gzip = plan.is_gzip
        self._plan = plan
        self._poll = select.epoll()
        self.by_descriptor: dict[int, StreamClient] = {}

    def connect(self, number: int) -> StreamClient:
        """Add a client. Raises Refused, OSError."""
        client = StreamClient(self._plan, number)
        self.by_descriptor[client.socket.fileno()] = client
        self._poll.register(client.socket, select.EPOLLIN)
        self.received.sampled_clients += client.decoder is not None
        return client

    def receive(self, wait_s: float) -> list[StreamClient]:
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
                self._take(client, data)
                served.append(client)
            else:
                self.received.closed += 1
                self._poll.unregister(descriptor)
        return served

    def _take(self, client: StreamClient, data: bytes) -> None:
        received = self.received
        is_measured = self._measured.holds(time.monotonic_ns())
        events = 0
        if client.decoder is not None:
            ages_ns = client.read(data, received, self._measured)
            events = len(ages_ns)
            if is_measured:
                received.ages_ns += ages_ns
                received.sampled_events += events
                received.sampled_bytes += len(data)
        elif not self._is_gzip:
            events = client.count(data)
        if is_measured:
            received.events += events
            received.wire_bytes += len(data)

    def result(self) -> Received:
        """Return what was received; compressed messages that nobody counted are told from their bytes."""
        received = self.received
        if self._is_gzip and received.sampled_bytes:
            received.events = round(received.sampled_events * received.wire_bytes / received.sampled_bytes)
        return received


def receive_streams(plan: StreamPlan, measured: Measured, *, are_connected: Event, stop: Event) -> Received:
    """Connect all clients, set `are_connected` when each has had an answer, then receive until `stop`."""
    crowd = Crowd(plan, measured)
    for number in range(plan.clients):
        crowd.connect(number)
        if number % 100 == 99:  # a server that has many to greet is not kept waiting
            crowd.receive(wait_s=0)
    while not all(client.is_answered for client in crowd.by_descriptor.values()):
        crowd.receive(wait_s=0.2)
    are_connected.set()
    while not stop.is_set():
        crowd.receive(wait_s=0.2)
    return crowd.result()
