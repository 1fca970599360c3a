"""What the gateway (`courier`) and the process that writes (`process`) say to each other.

Over one end each of a socket pair: the gateway sends `Orders`, then `Piece`s of records, and closes its side; back come
`Report`s, the last one when everything is done. All of it is pickled, one object after the other: both ends are the
same code, and nobody else can reach the socket.

A message costs the streams what packing it takes: 0.4 us in columns and with each address said once, and 0.5 at the
other end. As a `Record` of its own it took 2.8 and 2.3.
"""

import pickle
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from gevent import socket

from vda5050.history.writer import Standing
from vda5050.metrics import Metrics
from vda5050.sinks import Record
from vda5050.topics import Address

MAX_ADDRESSES = 20_000
_READ_BYTES = 262_144


class Orders(NamedTuple):
    """What the process is to do, as in `Settings`; `owner` names it in the database's lease (see `lease`)."""

    owner: str
    database_url: str
    max_age_days: float
    max_bytes: int
    max_buffer_bytes: int
    log_level: str
    log_format: str
    secrets: tuple[str, ...]


class Piece(NamedTuple):
    """Some records in columns, made by `Packer` and read by `Unpacker`.

    `addresses` are new ones, told from place `known` on; those told before it hold on. `places` are the records'.
    """

    known: int
    addresses: list[Address]
    places: list[int]
    payloads: tuple[bytes, ...]
    received_at: tuple[float, ...]
    are_retained: tuple[bool, ...]
    epochs: tuple[str, ...]
    offsets: tuple[int, ...]


class Packer:
    """Packs records for one `Unpacker`. Remembers MAX_ADDRESSES, then begins anew."""

    def __init__(self) -> None:
        self._addresses: list[Address] = []
        self._places: dict[int, int] = {}  # by id, which is an address's own while it is remembered

    def pack(self, records: Sequence[Record]) -> Piece:
        """Pack one record or more."""
        if len(self._addresses) >= MAX_ADDRESSES:
            self._addresses.clear()
            self._places.clear()
        known = len(self._addresses)
        addresses, payloads, received_at, are_retained, epochs, offsets = zip(*records, strict=True)
        places = list(map(self._place, addresses))
        return Piece(known, self._addresses[known:], places, payloads, received_at, are_retained, epochs, offsets)

    def _place(self, address: Address) -> int:
        place = self._places.get(id(address))
        if place is None:
            place = self._places[id(address)] = len(self._addresses)
            self._addresses.append(address)
        return place


class Unpacker:
    """Reads what one `Packer` packed, in its order."""

    def __init__(self) -> None:
        self._addresses: list[Address] = []

    def unpack(self, piece: Piece) -> list[Record]:
        """Give the records."""
        self._addresses[piece.known :] = piece.addresses
        addresses = map(self._addresses.__getitem__, piece.places)
        columns = (piece.payloads, piece.received_at, piece.are_retained, piece.epochs, piece.offsets)
        return [Record(*fields) for fields in zip(addresses, *columns, strict=True)]


class Call(NamedTuple):
    """`metrics.<metric>.labels(*labels).<method>(value)`, to be made in the gateway."""

    metric: str
    labels: tuple[str, ...]
    method: str
    value: float

    def make(self, metrics: Metrics) -> None:
        """Make it."""
        metric = getattr(metrics, self.metric)
        getattr(metric.labels(*self.labels) if self.labels else metric, self.method)(self.value)


class Report(NamedTuple):
    """How the writer stands, and what it did since the process began.

    `done` messages of `done_bytes` (see `backlog.weight`) are off its hands, stored or counted as lost. `calls` are
    those on the metrics since the last report.
    """

    standing: Standing
    problem: str
    done: int
    done_bytes: int
    calls: list[Call]


class NotedMetrics:
    """Stands for `Metrics` in the process that writes: notes the calls."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def __getattr__(self, metric: str) -> "_NotedMetric":
        return _NotedMetric(self.calls, metric, ())


class _NotedMetric:
    def __init__(self, calls: list[Call], metric: str, labels: tuple[str, ...]) -> None:
        self._calls = calls
        self._metric = metric
        self._labels = labels

    def labels(self, *labels: str) -> "_NotedMetric":
        return _NotedMetric(self._calls, self._metric, labels)

    def inc(self, value: float = 1) -> None:
        self._note("inc", value)

    def set(self, value: float) -> None:
        self._note("set", value)

    def observe(self, value: float) -> None:
        self._note("observe", value)

    def _note(self, method: str, value: float) -> None:
        self._calls.append(Call(self._metric, self._labels, method, value))


def say(sock: socket.socket, word: Any) -> None:
    """Send one object. Raises OSError where the other side is gone."""
    sock.sendall(pickle.dumps(word, protocol=pickle.HIGHEST_PROTOCOL))


def heard(sock: socket.socket) -> Iterator[Any]:
    """Give the other side's objects until it has closed or died, be it in the middle of one."""
    with sock.makefile("rb", buffering=_READ_BYTES) as file, suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            yield pickle.load(file)  # noqa: S301 - from our own code, see above
