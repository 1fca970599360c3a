"""The doctor beside the stream: a fault in it costs its findings, never the link to the broker."""

import logging
from collections.abc import Iterator
from typing import Any, NoReturn

import orjson
import pytest

from tests.unit.builders import ROBOT, START_S, Chain, FakeClock, state
from vda5050.conformance import Conformance
from vda5050.doctor import Doctor
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
    """After valid messages of one kind, which are read in one pass, one with a wrong number is judged all the same."""
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
