"""A planned hand-over takes every message once; what is held back is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.backplane import hand_over
from vda5050.backplane.hand_over import Gate, Intake, hash_of
from vda5050.errors import RejectedMessage

TOPIC = "uagv/v2/ACME/1/state"


class Recorder:
    """Takes messages in, and notes them."""

    def __init__(self, *, known: tuple[bytes, ...] = ()) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.looked_at: list[bytes] = []
        self.rejected = 0
        self._known = known

    def receive(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        """Note it."""
        assert not (is_retained and payload in self._known)
        self.taken.append((topic, payload))

    def reject(self, topic: str, rejected: RejectedMessage) -> None:
        """Count it."""
        assert (topic, rejected.reason) == (TOPIC, "size")
        self.rejected += 1

    def look_at_retained(self, topic: str, payload: bytes) -> bool:
        """Know some."""
        assert topic
        self.looked_at.append(payload)
        return payload in self._known


@given(
    sent=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=30),
    subscribed_at=st.integers(0, 30),
    announced_at=st.integers(0, 30),
    leaver_has=st.integers(0, 30),
    successor_has=st.integers(0, 30),
)
def test_every_message_once(
    sent: list[str], subscribed_at: int, announced_at: int, leaver_has: int, successor_has: int
) -> None:
    """Whatever each of the two had been sent when it came to pass: together they take all in, in order, each once."""
    messages = [(f"uagv/v2/ACME/{robot}/state", b"%d" % number) for number, robot in enumerate(sent)]
    announced_at = min(announced_at, subscribed_at)  # first announced, then claimed
    leaver_has = max(leaver_has, subscribed_at)  # it waits for all from before the subscription
    leaver, successor = Recorder(), Recorder()
    leaving, taking_over = Intake(leaver), Intake(successor)
    leaving.open()
    for number, message in enumerate(messages[:leaver_has]):
        if number == announced_at:
            leaving.record()
        leaving.receive(*message)
    if announced_at >= min(leaver_has, len(messages)):
        leaving.record()

    taking_over.hold()
    theirs = messages[subscribed_at:]
    successor_has = min(successor_has, len(theirs))
    for message in theirs[:successor_has]:
        taking_over.receive(*message)
    taking_over.open(leaving.taken())
    for message in theirs[successor_has:]:
        taking_over.receive(*message)

    for topic in {topic for topic, _ in messages}:
        together = [message for message in leaver.taken + successor.taken if message[0] == topic]
        assert together == [message for message in messages if message[0] == topic]


def test_closed() -> None:
    """A worker that does not ingest takes nothing in, and counts nothing as rejected."""
    recorder = Recorder()
    intake = Intake(recorder)

    intake.receive(TOPIC, b"1")
    intake.reject(TOPIC, RejectedMessage("size", "large"))

    assert recorder.taken == []
    assert recorder.rejected == 0


def test_retained_is_no_news() -> None:
    """A retained message of a robot and topic that is known is judged and not taken in; of another it is taken in."""
    recorder = Recorder(known=(b"old",))
    intake = Intake(recorder)
    intake.hold()
    intake.receive(TOPIC, b"old", is_retained=True)
    intake.receive(TOPIC, b"unknown", is_retained=True)

    intake.open({})

    assert recorder.looked_at == [b"old", b"unknown"]
    assert recorder.taken == [(TOPIC, b"unknown")]


def test_what_is_held_back_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """When too much is held back the oldest goes, and it is told that there is a hole."""
    recorder = Recorder()
    intake = Intake(recorder)
    intake.hold()
    monkeypatch.setattr(hand_over, "MAX_HELD_BYTES", 1_000)
    for number in range(10):
        intake.receive(TOPIC, b"%d" % number * 100)

    assert intake.has_hole
    intake.open({})
    assert [payload[:1] for _, payload in recorder.taken] == [b"8", b"9"]


def test_closing_forgets() -> None:
    """What was held back for a hand-over that did not come to pass is another worker's."""
    recorder = Recorder()
    intake = Intake(recorder)
    intake.hold()
    intake.receive(TOPIC, b"1")
    intake.close()

    intake.open()
    intake.receive(TOPIC, b"2")

    assert intake.gate is Gate.OPEN
    assert recorder.taken == [(TOPIC, b"2")]


def test_successor_that_never_saw_the_rest() -> None:
    """Where the broker sent the successor less than the leaving worker, its next message is news all the same."""
    recorder = Recorder()
    intake = Intake(recorder)
    intake.hold()
    intake.open({TOPIC: [hash_of(b"1"), hash_of(b"2")]})

    for payload in (b"1", b"3", b"2"):
        intake.receive(TOPIC, payload)

    assert recorder.taken == [(TOPIC, b"3"), (TOPIC, b"2")]
