"""Whatever arrives is taken in or rejected, counted once, and said at a bounded rate; nothing is ever raised."""

import json
import logging
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import ROBOT, START_S, Chain, connection, state
from tests.unit.test_topics import topic_texts
from vda5050.entries import Update
from vda5050.errors import RejectedMessage
from vda5050.ingest import LOG_EVERY_S
from vda5050.topics import parse_topic

TOPIC = f"uagv/v2/{ROBOT}/state"

anything = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b'{"a":1}', b'{"a":NaN}', b'{"a":null,"a":1}', b"[]", b'{"a":"\\ud800"}', b"{" * 2_000]),
)


def counted(chain: Chain, name: str) -> dict[str, float]:
    """Give a counter's values by their label, where they are not 0."""
    samples = next(metric for metric in chain.metrics.registry.collect() if metric.name == f"vda5050_{name}").samples
    return {
        label: sample.value
        for sample in samples
        for label in sample.labels.values()
        if sample.name.endswith("_total") and sample.value
    }


@pytest.fixture
def chain() -> Iterator[Chain]:
    """Give a chain whose streams end with the test."""
    chain = Chain(max_payload_bytes=2_000, max_robots=2)
    yield chain
    chain.close()


def test_accepted(chain: Chain) -> None:
    """A message goes into the state and out to the streams, and is counted by its topic."""
    client = chain.subscribe()
    client.take()
    chain.receive(state(driving=True))
    chain.receive(connection(), topic="connection")
    chain.flush()

    updates = [(event.data["topic"], event.data["type"], event.data["payload"]) for event in client.take()]
    assert updates == [(ROBOT, "state", state(driving=True)), (ROBOT, "connection", connection())]
    assert ROBOT in chain.robots
    assert counted(chain, "messages") == {"state": 1, "connection": 1}
    assert counted(chain, "rejected_messages") == {}


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("uagv/v2/KUKA/state", b"{}", "topic"),
        (TOPIC, b"x" * 2_001, "size"),
        (TOPIC, b"", "empty"),
        (TOPIC, b"\xff", "encoding"),
        (TOPIC, b'{"a":"\x01"}', "control_character"),
        (TOPIC, b'{"a":NaN}', "nan"),
        (TOPIC, b'{"a":' * 300, "json"),
        (TOPIC, b'{"a":' * 300 + b"1" + b"}" * 300, "depth"),
        (TOPIC, b"hello", "json"),
        (TOPIC, b"[]", "not_object"),
    ],
)
def test_rejected(chain: Chain, topic: str, payload: bytes, reason: str) -> None:
    """A message that cannot be used is counted by its reason, and neither kept nor published."""
    client = chain.subscribe()
    client.take()
    chain.ingest.receive(topic, payload)
    chain.flush()

    assert counted(chain, "rejected_messages") == {reason: 1}
    assert counted(chain, "messages") == {}
    assert client.take() == []
    assert len(chain.robots) == 0


def test_one_robot_too_many(chain: Chain) -> None:
    """Messages of a robot beyond the limit are rejected; those of the others are taken still."""
    for robot in ("A/1", "A/2", "A/3", "A/3", "A/1"):
        chain.receive(robot=robot)

    assert counted(chain, "messages") == {"state": 3}
    assert counted(chain, "rejected_messages") == {"robots": 2}


def test_largest_payload(chain: Chain) -> None:
    """A payload of exactly the size allowed is taken."""
    chain.receive(orjson.dumps({"a": "x" * (2_000 - len('{"a":""}'))}))

    assert counted(chain, "messages") == {"state": 1}


def test_odd(chain: Chain) -> None:
    """An odd message is accepted, and counted beside that by each of its oddities."""
    chain.receive(b'{"a":1,\n"a":null}')

    assert counted(chain, "messages") == {"state": 1}
    assert counted(chain, "odd_messages") == {"duplicate_key": 1, "null": 1, "line_break": 1}


def test_line_breaks_never_go_through(chain: Chain) -> None:
    """Of a robot that always writes its messages over several lines, no line break comes to a stream."""
    for number in range(1, 6):
        chain.receive(json.dumps(state(headerId=number), indent=1).encode())
        kept = chain.robots.kept(ROBOT, "state")
        assert kept is not None
        assert b"\n" not in kept.payload
    assert counted(chain, "odd_messages") == {"line_break": 5}


def test_dialects_share_a_robot(chain: Chain) -> None:
    """Both layouts and a dialect's topic lead to the same robot and topic."""
    for topic in (f"uagv/v2/{ROBOT}/connection", f"/vda5050/{ROBOT}/connection", f"uagv/v1/{ROBOT}/connect"):
        chain.ingest.receive(topic, orjson.dumps(connection()))

    assert counted(chain, "messages") == {"connection": 3}
    assert len(chain.robots) == 1


def test_retained(chain: Chain) -> None:
    """That a message was retained reaches the state."""
    chain.ingest.receive(TOPIC, orjson.dumps(state()), is_retained=True)

    robot = chain.robots.get_robot(ROBOT)
    assert robot is not None
    assert orjson.loads(robot)["last_seen"] is None


@pytest.mark.parametrize(
    ("topic", "known", "is_kept_retained", "again", "is_news"),
    [
        ("state", b'{"n": 1}', True, b'{"n":\n1}', False),
        ("state", b'{"n": 1}', False, b'{"n": 0}', False),
        ("order", b'{"n": 1}', False, b'{"n": 0}', False),
        ("state", b'{"n": 1}', True, b'{"n": 2}', True),
        ("connection", b'{"n": 1}', False, b'{"n": 1}', False),
        ("connection", b'{"n": 1}', False, b'{"n": 2}', True),
        ("factsheet", b'{"n": 1}', False, b'{"n": 2}', True),
    ],
    ids=["the same", "after a live state", "after a live order", "another retained one", "the same connection",
         "another connection", "another factsheet"],
)  # fmt: skip
def test_retained_again(
    chain: Chain, topic: str, known: bytes, again: bytes, *, is_kept_retained: bool, is_news: bool
) -> None:
    """What the broker had kept takes the place of nothing newer and is no update twice; it is counted all the same."""
    where = f"uagv/v2/{ROBOT}/{topic}"
    chain.ingest.receive(where, known, is_retained=is_kept_retained)
    chain.ingest.receive(where, again, is_retained=True)

    kept = chain.robots.kept(ROBOT, topic)
    assert kept is not None
    assert kept.payload == (again if is_news else known)
    assert len(chain.sink.records) == 1 + is_news
    assert counted(chain, "messages") == {topic: 2}
    assert counted(chain, "odd_messages") == ({} if is_news else {"old_retained": 1})


@pytest.mark.parametrize(("sent", "is_news"), [("2026-11-23T10:00:01Z", True), ("2026-11-23T09:59:59.5Z", False)])
def test_retained_after_a_restart(chain: Chain, sent: str, *, is_news: bool) -> None:
    """What the history or a lost link left here gives way to what the robot has retained since, by its own time."""
    known = orjson.dumps({"headerId": 1, "timestamp": "2026-11-23T10:00:00.00Z"})
    again = orjson.dumps({"headerId": 7, "timestamp": sent})
    chain.robots.restore(Update.of(parse_topic(TOPIC), known, received_at=START_S - 1_000, is_retained=False))
    chain.ingest.receive(TOPIC, again, is_retained=True)

    kept = chain.robots.kept(ROBOT, "state")
    assert kept is not None
    assert kept.payload == (again if is_news else known)


def test_sinks(chain: Chain) -> None:
    """Every accepted message reaches the sinks in order, as it is streamed and with its event's id; no other does."""
    client = chain.subscribe()
    client.take()
    chain.receive(b'{"a":\n1}')
    chain.receive(b"hello")
    chain.clock.advance(5)
    chain.wall_clock.advance(5)
    chain.ingest.receive(f"uagv/v2/{ROBOT}/connection", b"{}", is_retained=True)
    chain.flush()

    ids = [event.id for event in client.take()]
    assert [(r.address.topic, r.payload, r.received_at, r.is_retained) for r in chain.sink.records] == [
        ("state", b'{"a": 1}', START_S, False),
        ("connection", b"{}", START_S + 5, True),
    ]
    assert [f"{r.epoch}-{r.offset}" for r in chain.sink.records] == ids


def test_reject(chain: Chain) -> None:
    """What the bridge did not even read is counted as any other rejected message."""
    chain.ingest.reject(TOPIC, RejectedMessage("size", "5 GB"))

    assert counted(chain, "rejected_messages") == {"size": 1}


def test_said_at_a_bounded_rate(chain: Chain, caplog: pytest.LogCaptureFixture) -> None:
    """A reason is logged once in a while, however often it occurs; another reason has its own turn."""
    said = []

    for seconds in (0, 0, LOG_EVERY_S - 0.5, 0.5):
        chain.clock.advance(seconds)
        for _ in range(50):
            chain.receive(b"hello")
        said.append(len(caplog.records))
    chain.receive(b"[]")
    assert [*said, len(caplog.records)] == [1, 1, 1, 2, 3]
    assert counted(chain, "rejected_messages") == {"json": 200, "not_object": 1}


def test_own_faults_are_said_at_a_bounded_rate(
    chain: Chain, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the gateway's own, which every message may meet, does not fill the log either."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(chain.robots, "update_from_mqtt", fail)
    for _ in range(50):
        chain.receive()

    assert counted(chain, "rejected_messages") == {"internal": 50}
    assert len(caplog.records) <= 2
    assert any(record.msg["exc_info"] for record in caplog.records if isinstance(record.msg, dict))


def test_log_line_is_short_and_without_payload(chain: Chain, caplog: pytest.LogCaptureFixture) -> None:
    """A log line stays one line of bounded length, whatever the topic, and shows nothing of the payload."""
    chain.ingest.receive("evil\nline/" + "x" * 60_000, b"geheim")
    chain.ingest.receive(TOPIC, b"geheim")

    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert max(map(len, lines)) < 600
    assert not any("\n" in line or "geheim" in line for line in lines)


def test_odd_messages_are_said(chain: Chain, caplog: pytest.LogCaptureFixture) -> None:
    """An oddity is logged too, with the topic it came on."""
    chain.receive(b'{"a":null}')

    assert [TOPIC in record.getMessage() and "null" in record.getMessage() for record in caplog.records] == [True]


def test_many_topics_are_not_remembered_for_ever(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Topics that come and go, with robots that are not taken, do not fill the memory."""
    monkeypatch.setattr("vda5050.ingest._MAX_CACHED_ADDRESSES", 10)
    for number in range(35):
        chain.receive(robot=f"A/{number}")

    assert len(chain.ingest._addresses) <= 10  # noqa: SLF001 - no outside sign of it
    assert counted(chain, "messages") == {"state": 2}


@given(st.lists(st.tuples(st.one_of(topic_texts, st.just(TOPIC)), anything), min_size=1, max_size=8))
def test_anything_is_counted_once(messages: list[tuple[str, bytes]]) -> None:
    """Any bytes on any topic are counted exactly once, as accepted or as rejected; nothing is raised or unforeseen."""
    logging.getLogger("vda5050.ingest").disabled = True
    chain = Chain(max_robots=3)
    try:
        for topic, payload in messages:
            chain.ingest.receive(topic, payload)
    finally:
        logging.getLogger("vda5050.ingest").disabled = False

    accepted, rejected = counted(chain, "messages"), counted(chain, "rejected_messages")
    assert sum(accepted.values()) + sum(rejected.values()) == len(messages)
    assert "internal" not in rejected


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a":NaN,"b":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":1,"a":' + b"9" * 300 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":' + b"[" * 2_000_000,
        b'{"a":"' + b"x" * 5_000_000 + b'"}',
    ],
    ids=["deep-after-nan", "long-number", "long-number-twice", "surrogate", "deep-5-mb", "5-mb"],
)
def test_attacks_are_no_fault_of_ours(payload: bytes) -> None:
    """A message made to break a parser is judged like any other: it never ends as an internal fault."""
    chain = Chain(max_payload_bytes=10_000_000)
    chain.receive(payload)

    accepted, rejected = counted(chain, "messages"), counted(chain, "rejected_messages")
    assert sum(accepted.values()) + sum(rejected.values()) == 1
    assert "internal" not in rejected


@pytest.mark.parametrize(
    ("topic", "document"),
    [
        ("fts/v1/ff/S1/instantAction", {"actions": []}),
        ("fts/v1/ff/S1/state", {"actionStates": [{"id": 1, "command": "x"}], "batteryState": {"percentage": 219}}),
        ("uagv/v2.0.0/m/s/connect", {"connectionState": 2, "version": "v2.0.0", "timestamp": 0}),
        ("/vda5050/m/s/state", {"safetyState": {"emergencyStopType": None}, "nodeStates": None, "driving": "yes"}),
        ("uagv/v2/m/s/factsheet", {"factsheet": {"TypeSpecification": {}}}),
    ],
)
def test_wrong_fields_show(chain: Chain, topic: str, document: dict[str, object]) -> None:
    """Valid JSON with fields that the standard does not know, as robots in the field send it, is shown as it came."""
    chain.ingest.receive(topic, orjson.dumps(document))

    (robot,) = orjson.loads(chain.robots.get_snapshot()).values()
    assert robot["payload"] == document
    assert counted(chain, "rejected_messages") == {}
