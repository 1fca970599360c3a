"""The event bus gets every update once it is reachable, in order; what its buffer gives up is the oldest."""

import tracemalloc
from collections.abc import Sequence

import gevent
import pytest

from tests.unit.builders import ROBOT
from vda5050.bus_url import BusUrl
from vda5050.event_bus import EventBus, bus
from vda5050.event_bus.events import BusError, Event
from vda5050.metrics import Metrics
from vda5050.sinks import Record
from vda5050.topics import parse_topic

URL = BusUrl.parse("amqp://localhost")
ADDRESS = parse_topic(f"uagv/v2/{ROBOT}/state")
PAYLOAD = b'{"headerId":%06d}'
RECORD_BYTES = len(PAYLOAD % 0) + bus.RECORD_BYTES


def record(number: int) -> Record:
    """Make an update that can be told from others by its number."""
    return Record(ADDRESS, PAYLOAD % number, 1_763_900_000.5, is_retained=False, epoch="e", offset=number)


class ScriptedBus:
    """A bus that goes through the outcomes it is given, one a batch: how many events it confirms before it fails."""

    def __init__(self, *outcomes: int | None) -> None:
        self.got: list[Event] = []
        self.connects = 0
        self.closes = 0
        self._outcomes = list(outcomes)

    def connect(self, _url: BusUrl) -> "ScriptedBus":
        self.connects += 1
        return self

    def publish(self, events: Sequence[Event]) -> int:
        confirmed = self._outcomes.pop(0) if self._outcomes else None
        if confirmed is None:
            self.got += events
            return 0
        self.got += events[:confirmed]
        raise BusError("gone", events[confirmed:])

    def keep_alive(self) -> None:
        raise BusError("gone while idle")

    def close(self) -> None:
        self.closes += 1


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """Read a metric; 0 where it was never counted."""
    return metrics.registry.get_sample_value(f"vda5050_event_bus_{name}", labels) or 0.0


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the pauses out of a bus that comes back."""
    monkeypatch.setattr(bus, "BACK_OFF_S", (0.0, 0.0))


def run(scripted: ScriptedBus, numbers: Sequence[int], *, max_buffer_bytes: int = 1_000_000) -> Metrics:
    """Hand updates to a bus that is then started, and stop it when it has taken what it could."""
    metrics = Metrics()
    event_bus = EventBus(URL, metrics, max_buffer_bytes=max_buffer_bytes, connect=scripted.connect)
    for number in numbers:
        event_bus.put(record(number))
    event_bus.start()
    event_bus.stop()
    return metrics


def test_event_is_the_streams_own_object() -> None:
    """What goes to the bus is the object that the stream's clients get, under the same id."""
    event = Event.of(record(7))

    assert event.id == "e-7"
    assert event.body == b'{"type":"update","data":{"topic":"%b","type":"state","payload":{"headerId":000007}}}' % (
        ROBOT.encode()
    )


def test_everything_arrives_once_in_order() -> None:
    """More updates than one batch holds arrive once, in order."""
    scripted = ScriptedBus()

    metrics = run(scripted, range(1_201))

    assert [event.id for event in scripted.got] == [f"e-{number}" for number in range(1_201)]
    assert value(metrics, "published_total") == 1_201


def test_unconfirmed_is_sent_again_first() -> None:
    """What was not confirmed when the bus went away is sent first when it is back, and nothing twice."""
    scripted = ScriptedBus(3, 0, 2)

    metrics = run(scripted, range(10))

    assert [event.id for event in scripted.got] == [f"e-{number}" for number in range(10)]
    assert value(metrics, "published_total") == 10
    assert (scripted.connects, scripted.closes) == (4, 4)


def test_full_buffer_keeps_the_newest() -> None:
    """Beyond its bound the buffer gives up the oldest and counts them."""
    scripted = ScriptedBus()

    metrics = run(scripted, range(100), max_buffer_bytes=10 * RECORD_BYTES)

    assert [event.id for event in scripted.got] == [f"e-{number}" for number in range(90, 100)]
    assert value(metrics, "dropped_total", reason="buffer") == 90
    assert value(metrics, "buffer_bytes") == 0


def test_small_updates_are_bounded_too() -> None:
    """What updates take beside their payload counts: a full buffer of the smallest ones is no more memory."""
    metrics = Metrics()
    event_bus = EventBus(URL, metrics, max_buffer_bytes=200_000, connect=ScriptedBus().connect)
    tracemalloc.start()
    for number in range(10_000):
        event_bus.put(record(number))
    grown_by, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown_by < 2 * 200_000  # unbounded it is ten times as much


def test_what_is_left_at_the_end_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that is away when the gateway stops holds it up for a bounded time, and what it missed is counted."""
    monkeypatch.setattr(bus, "LAST_WORDS_S", 0.01)
    monkeypatch.setattr(bus, "BACK_OFF_S", (0.001, 0.001))
    scripted = ScriptedBus(*[0] * 10_000)

    metrics = run(scripted, range(5))

    assert value(metrics, "dropped_total", reason="shutdown") == 5


def test_idle_bus_that_went_away_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is lost while nothing is sent is noticed and said."""
    monkeypatch.setattr(bus, "IDLE_S", 0.0)
    problems: list[str | None] = []

    def connect(_url: BusUrl) -> ScriptedBus:
        problems.append(event_bus.problem)
        return ScriptedBus()

    event_bus = EventBus(URL, Metrics(), max_buffer_bytes=1_000, connect=connect)
    event_bus.start()
    with gevent.Timeout(5):
        while len(problems) < 2:
            gevent.sleep(0)
    event_bus.stop()

    assert problems[:2] == ["not connected yet", "gone while idle"]


def test_fault_of_ours_is_survived() -> None:
    """An exception that nobody expected does not end the bus, nor lose what it held."""

    class Broken(ScriptedBus):
        def connect(self, url: BusUrl) -> ScriptedBus:
            if not self.connects:
                self.connects += 1
                raise ZeroDivisionError
            return super().connect(url)

    scripted = Broken()

    run(scripted, range(3))

    assert len(scripted.got) == 3


@pytest.mark.parametrize(
    ("text", "hosts", "virtual_host", "target"),
    [
        ("amqp://localhost", ("localhost:5672",), "/", "vda5050"),
        ("amqps://u:p%40@mq.example:5000/fleet?exchange=agv", ("mq.example:5000",), "fleet", "agv"),
        ("kafka://a:9093,b/robots?security.protocol=SSL", ("a:9093", "b:9092"), "/", "robots"),
        ("kafka://[::1]:9092", ("[::1]:9092",), "/", "vda5050"),
    ],
)
def test_url_is_read(text: str, hosts: tuple[str, ...], virtual_host: str, target: str) -> None:
    """A URL names hosts, virtual host and exchange or topic; what is left out has its usual value."""
    url = BusUrl.parse(text)

    assert (url.hosts, url.virtual_host, url.target) == (hosts, virtual_host, target)


@pytest.mark.parametrize(
    "text", ["http://x", "amqp://", "kafka://h:0", "kafka://h:x", "kafka://h/a/b", "localhost:9092"]
)
def test_url_that_names_no_bus_is_refused(text: str) -> None:
    """A URL of another kind, without a host or with an impossible port is refused at the start."""
    with pytest.raises(ValueError, match=r"."):
        BusUrl.parse(text)


def test_url_shows_no_secret() -> None:
    """What the log and /ready show of the URL has no password and no options."""
    url = BusUrl.parse("kafka://user:hunter2@h/t?sasl.password=hunter3")

    assert "hunter" not in f"{url} {url!r}"
    assert (url.username, url.password) == ("user", "hunter2")
