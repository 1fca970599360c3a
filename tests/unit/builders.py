"""What tests are made of: messages, a clock, the chain without a broker, and a reader for each wire.

Every builder gives something plain and valid, and takes what the test is about as an override: `state(driving=True)`.
Nothing here opens a socket, sleeps or starts a greenlet.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gevent
import orjson
from wsproto.frame_protocol import Frame, FrameProtocol, Opcode

from vda5050.broadcast import EVERYTHING, Broadcaster, Filter, StreamEnded, Subscription
from vda5050.doctor import Doctor
from vda5050.errors import RejectedMessage
from vda5050.frames import Wire
from vda5050.ingest import Ingest
from vda5050.message_reader import Message
from vda5050.metrics import Metrics
from vda5050.replica import Replica
from vda5050.robot_state import RobotState
from vda5050.settings import Settings
from vda5050.sinks import Record
from vda5050.topics import Address

EPOCH = "e9"
ROBOT = "KUKA/KR_1001"
START_S = 1_700_000_000.0
"""Where fake clocks begin: 2023-11-14T22:13:20Z."""


def state(**override: Any) -> dict[str, Any]:
    """Give a VDA 5050 2.1.0 state of an idle robot."""
    return _header() | {
        "orderId": "",
        "orderUpdateId": 0,
        "lastNodeId": "n1",
        "lastNodeSequenceId": 0,
        "nodeStates": [],
        "edgeStates": [],
        "driving": False,
        "actionStates": [],
        "batteryState": {"batteryCharge": 80.0, "charging": False},
        "operatingMode": "AUTOMATIC",
        "errors": [],
        "safetyState": {"eStop": "NONE", "fieldViolation": False},
        **override,
    }


def connection(**override: Any) -> dict[str, Any]:
    """Give a VDA 5050 2.1.0 connection message of a robot that is there."""
    return _header() | {"connectionState": "ONLINE", **override}


def visualization(**override: Any) -> dict[str, Any]:
    """Give a VDA 5050 2.1.0 visualization."""
    position = {"x": 1.5, "y": 2.5, "theta": 0.5, "mapId": "hall", "positionInitialized": True}
    return _header() | {"agvPosition": position, **override}


def _header() -> dict[str, Any]:
    return {
        "headerId": 1,
        "timestamp": "2026-11-23T10:00:00.00Z",
        "version": "2.1.0",
        "manufacturer": "KUKA",
        "serialNumber": "KR_1001",
    }


class FakeClock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float = START_S) -> None:
        self.now = now

    def __call__(self) -> float:
        """Read the clock."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class NoExaminer:
    """Judges nothing, so that only messages have offsets."""

    def examine(self, address: Address, message: Message, *, offset: int, is_retained: bool) -> None:
        """Say nothing."""

    def refuse(self, address: Address, rejected: RejectedMessage) -> None:
        """Say nothing."""


class RecordingSink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.skipped = 0

    def put(self, record: Record) -> None:
        """Keep it."""
        self.records.append(record)

    def skip(self, count: int) -> None:
        """Count it."""
        self.skipped += count


class Chain:
    """ingest -> replica (robot_state, broadcast), as `Service` builds them, on a fake clock and without greenlets.

    The broker is connected. Tests put messages in with `receive` and flush when they choose.
    """

    def __init__(self, **override: Any) -> None:
        self.clock = FakeClock()
        self.wall_clock = FakeClock()
        self.settings = Settings(**override)
        self.metrics = Metrics()
        self.robots = RobotState(
            max_robots=self.settings.max_robots,
            max_bytes=self.settings.max_kept_bytes,
            stale_after_s=self.settings.stale_after_s,
            clock=self.clock,
        )
        self.broadcaster = Broadcaster(
            self.robots, self.metrics, self.settings, epoch=EPOCH, clock=self.clock, wall_clock=self.wall_clock
        )
        self.sink = RecordingSink()
        self.ingest = Ingest(
            self.robots,
            Replica(self.robots, self.broadcaster, Doctor(), sinks=[self.sink], wall_clock=self.wall_clock),
            self.metrics,
            examiner=NoExaminer(),
            max_payload_bytes=self.settings.max_payload_bytes,
            clock=self.clock,
            wall_clock=self.wall_clock,
        )
        self._subscriptions: list[Subscription] = []

    def receive(self, document: Any = None, *, robot: str = ROBOT, topic: str = "state") -> None:
        """Let a robot's message arrive; `document` may be bytes."""
        payload = document if isinstance(document, bytes) else orjson.dumps(state() if document is None else document)
        self.ingest.receive(f"uagv/v2/{robot}/{topic}", payload)

    def flush(self) -> None:
        """Flush every group that is due, as the broadcaster's greenlet does."""
        flush(self.broadcaster, self.clock())

    def subscribe(
        self, wanted: Filter = EVERYTHING, wire: Wire = Wire.SSE, last_event_id: str | None = None
    ) -> "Client":
        """Open a stream; `close` ends it."""
        subscription = self.broadcaster.subscribe(wanted, wire, last_event_id)
        self._subscriptions.append(subscription)
        return Client(subscription)

    def close(self) -> None:
        """Unsubscribe all who are still there."""
        for subscription in self._subscriptions:
            self.broadcaster.unsubscribe(subscription)

    def metric(self, name: str, **labels: str) -> float:
        """Read `vda5050_<name>`; 0 where it was never counted."""
        return self.metrics.registry.get_sample_value(f"vda5050_{name}", labels) or 0.0


def flush(broadcaster: Broadcaster, now: float) -> None:
    """Flush every group that is due at `now`, as the broadcaster's greenlet does."""
    flushing = broadcaster._flushing  # noqa: SLF001 - no seam yet
    for group in [group for group in flushing.dirty if group.due_at <= now]:
        flushing.flush(group, now)


@dataclass(frozen=True, slots=True)
class Event:
    """What a client saw: `id` as it stood, or None; `type` and `data` of the JSON object, `text` the object itself."""

    id: str | None
    type: str
    data: Any
    text: bytes

    @property
    def offset(self) -> int:
        """The number in the id."""
        assert self.id is not None, f"{self.type} without an id"
        return int(self.id.rpartition("-")[2])


class Client:
    """A subscription read to the end of what waits, with the reader of its wire behind it."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.reader = reader_of(subscription.wire)
        self.has_ended = False

    @property
    def retries_ms(self) -> list[int]:
        """The reconnection times that it was told."""
        return self.reader.retries_ms

    def take(self) -> list[Event]:
        """Take all that waits, and give the events in it. Fails where it does not end with a whole event."""
        events = [event for chunk in self.chunks() for event in self.reader.read(chunk)]
        assert self.reader.is_between_events, "half an event was left behind"
        return events

    def chunks(self) -> Iterator[bytes]:
        """Give all that waits, as it would be written."""
        while not self.has_ended and (chunk := self.chunk()) is not None:
            yield chunk

    def chunk(self) -> bytes | None:
        """Take once; None where nothing waits or the stream has ended."""
        chunk: bytes | None = None
        try:
            with gevent.Timeout(0, exception=False):  # type: ignore[arg-type]  # the stub does not know False
                chunk = self.subscription.take()
                assert chunk, "an empty chunk would end an HTTP response"
        except StreamEnded as ended:
            self.has_ended = True
            chunk = ended.last_words or None
        return chunk


class SseReader:
    """An event stream's reader (WHATWG HTML, section 9.2.6) for chunks cut anywhere."""

    def __init__(self) -> None:
        self.comments = 0
        self.retries_ms: list[int] = []
        self._text = b""
        self._id: str | None = None
        self._data: list[str] = []

    @property
    def is_between_events(self) -> bool:
        """True where no line and no event is half read."""
        return not (self._text or self._data or self._id)

    def read(self, chunk: bytes) -> list[Event]:
        """Give the events that end in this chunk."""
        *lines, self._text = re.split(rb"\r\n|\n|\r", self._text + chunk)
        return [event for line in lines if (event := self._line(line.decode())) is not None]

    def _line(self, line: str) -> Event | None:
        field, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            return self._dispatch()
        if not field and colon:
            self.comments += 1
        elif field == "id":
            self._id = value
        elif field == "data":
            self._data.append(value)
        elif field == "retry":
            self.retries_ms.append(int(value))
        else:
            raise AssertionError(f"no field of an event stream: {line!r}")
        return None

    def _dispatch(self) -> Event | None:
        text, number = "\n".join(self._data).encode(), self._id
        self._data, self._id = [], None
        return event_of(number, text) if text else None


class GzipReader(SseReader):
    """The same through a decompressor that knows gzip's header."""

    def __init__(self) -> None:
        super().__init__()
        self._decompressor = zlib.decompressobj(31)

    def read(self, chunk: bytes) -> list[Event]:
        """Give the events that end in this chunk."""
        return super().read(self._decompressor.decompress(chunk))


class WebSocketReader:
    """The client side of an open WebSocket."""

    def __init__(self) -> None:
        self.comments = 0
        self.retries_ms: list[int] = []
        self._text = ""
        self._protocol = FrameProtocol(client=True, extensions=[])

    @property
    def is_between_events(self) -> bool:
        """True where no message is half read."""
        return not self._text

    def read(self, chunk: bytes) -> list[Event]:
        """Give the messages that end in this chunk; pings are counted as comments."""
        self._protocol.receive_bytes(chunk)
        return [event for frame in self._protocol.received_frames() if (event := self._frame(frame)) is not None]

    def _frame(self, frame: Frame) -> Event | None:
        if frame.opcode is Opcode.PING:
            self.comments += 1
            return None
        assert frame.opcode is Opcode.TEXT
        self._text += str(frame.payload)
        if not frame.frame_finished:
            return None
        assert frame.message_finished, "one message, one frame"
        text, self._text = self._text.encode(), ""
        return event_of(orjson.loads(text).get("id"), text)


Reader = SseReader | GzipReader | WebSocketReader


def reader_of(wire: Wire) -> Reader:
    """Give a reader for a stream from its first byte on."""
    if wire is Wire.WEBSOCKET:
        return WebSocketReader()
    return GzipReader() if wire is Wire.SSE_GZIP else SseReader()


def event_of(number: str | None, text: bytes) -> Event:
    """Read an event's object."""
    message = orjson.loads(text)
    return Event(number, message["type"], message.get("data"), text)
