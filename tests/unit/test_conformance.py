"""The doctor beside the stream: a fault in it costs its findings, never the link to the broker."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson
import pytest

from tests.unit.builders import ROBOT, START_S, Chain, FakeClock, state
from vda5050.conformance import Conformance
from vda5050.doctor import Doctor, Finding, Observation
from vda5050.entries import Entry, Told
from vda5050.ingest import Ingest
from vda5050.metrics import Metrics

TOPIC = f"uagv/v2/{ROBOT}/state"


class _FaintingDoctor(Doctor):
    """Raises at every message."""

    def observe(self, *_: Any) -> NoReturn:
        raise ZeroDivisionError

    def refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ZeroDivisionError


class _Offsets:
    """Counts entries."""

    count = 0

    def put(self, _entry: Entry) -> int:
        """Take the next entry."""
        self.count += 1
        return self.count


class _Said(_Offsets):
    """Keeps what the doctor told."""

    def __init__(self) -> None:
        self.findings: list[Told] = []

    def put(self, entry: Entry) -> int:
        """Take the next entry."""
        if isinstance(entry, Told):
            self.findings.append(entry)
        return super().put(entry)


@pytest.fixture
def chain() -> Iterator[Chain]:
    """Give a chain whose streams end with the test."""
    chain = Chain()
    yield chain
    chain.close()


def test_an_error_after_valid_messages_is_found(chain: Chain) -> None:
    """After valid messages that differ in a number only one with a wrong number is judged all the same."""
    clock, metrics, said = FakeClock(START_S), Metrics(), _Said()
    conformance = Conformance(Doctor(), said, metrics, clock=clock, wall_clock=clock)
    ingest = Ingest(
        chain.robots, said, metrics, examiner=conformance, max_payload_bytes=2_000, clock=clock, wall_clock=clock
    )
    for number in range(1, 6):
        ingest.receive(TOPIC, orjson.dumps(state(headerId=number, lastNodeSequenceId=0)))
    before = [told.finding["rule"] for told in said.findings]
    ingest.receive(TOPIC, orjson.dumps(state(headerId=6, lastNodeSequenceId=-1)))

    assert "schema" not in before
    assert [(told.finding["rule"], told.finding["place"]) for told in said.findings[len(before) :]] == [
        ("schema", "range text /lastNodeSequenceId")
    ]


class _AttentiveDoctor(Doctor):
    """Counts the messages about which it asks its rules."""

    observed = 0

    def observe(self, seen: Observation) -> list[Finding]:
        """Judge a message."""
        self.observed += 1
        return super().observe(seen)


def test_no_rule_is_asked_about_what_says_nothing_new(chain: Chain) -> None:
    """Of messages that only number on the first two are judged by all rules, a retained one, one after a lost link."""
    clock, doctor, offsets = FakeClock(START_S), _AttentiveDoctor(), _Offsets()
    conformance = Conformance(doctor, offsets, Metrics(), clock=clock, wall_clock=clock)
    ingest = Ingest(
        chain.robots, offsets, Metrics(), examiner=conformance, max_payload_bytes=2_000, clock=clock, wall_clock=clock
    )
    stamp = datetime.fromtimestamp(START_S, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    payloads = [orjson.dumps(state(headerId=number, timestamp=stamp)) for number in range(1, 10)]
    for payload in payloads[:6]:
        ingest.receive(TOPIC, payload)
    assert doctor.observed == 2

    ingest.receive(TOPIC, payloads[6], is_retained=True)
    assert doctor.observed == 3
    ingest.receive(TOPIC, payloads[6])
    assert doctor.observed == 3
    doctor.set_link(is_up=True, at=clock())
    for payload in payloads[7:]:
        ingest.receive(TOPIC, payload)
    assert doctor.observed == 4
    assert not list(doctor.findings())


@pytest.mark.parametrize("payload", [b'{"headerId":1}', b"{broken"])
def test_a_fault_of_the_doctor_ends_nothing(chain: Chain, caplog: pytest.LogCaptureFixture, payload: bytes) -> None:
    """Whether a message was read or refused: a doctor that raises is logged, and `receive` raises nothing."""
    clock, metrics = FakeClock(START_S), Metrics()
    conformance = Conformance(_FaintingDoctor(), _Offsets(), metrics, clock=clock, wall_clock=clock)
    ingest = Ingest(
        chain.robots,
        _Offsets(),
        metrics,
        examiner=conformance,
        max_payload_bytes=1_000,
        clock=clock,
        wall_clock=clock,
    )
    chain.receive()  # so that the robot is known
    ingest._address(TOPIC)  # noqa: SLF001 - as its first message does
    with caplog.at_level(logging.ERROR):
        ingest.receive(TOPIC, payload)

    assert "could not be judged" in caplog.text
