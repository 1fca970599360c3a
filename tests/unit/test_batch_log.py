"""The latest batches of all groups: bounded together, the oldest goes first, and each log says what it has."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import EPOCH, reader_of
from vda5050.broadcast.batch import Batch
from vda5050.broadcast.batch_log import LOG_S, BatchLog, LogBudget
from vda5050.frames import Frame, Wire, status_json

MAX_BYTES = 1_000


def batch(offset: int, *, size: int = 100, at: float = 0.0) -> Batch:
    """Give a batch of one frame."""
    json = status_json("x")
    return Batch(EPOCH.encode(), [Frame(offset, "", "status", json + b" " * (size - len(json)))], at)


def offsets(log: BatchLog) -> list[int]:
    """Give the offsets that a log has."""
    reader = reader_of(Wire.SSE)
    return [
        e.offset for parcel in log.since(log.start, Wire.SSE) for piece in parcel.pieces for e in reader.read(piece)
    ]


def test_oldest_of_all_goes_first() -> None:
    """A log that is full takes the room of the one whose batches are the oldest, whatever each of them has."""
    budget = LogBudget(MAX_BYTES)
    small, large = BatchLog(budget, start=0), BatchLog(budget, start=0)
    small.append(batch(1))
    large.append(batch(2))
    small.append(batch(3))
    for offset in range(4, 13):
        large.append(batch(offset))

    assert (offsets(small), small.start) == ([3], 1)
    assert (offsets(large), large.start) == (list(range(4, 13)), 2)
    assert budget.size == MAX_BYTES


def test_old_batches_of_others_go() -> None:
    """A group that is quiet keeps nothing longer than the others do."""
    budget = LogBudget(MAX_BYTES)
    quiet, busy = BatchLog(budget, start=0), BatchLog(budget, start=0)
    quiet.append(batch(1, at=0.0))
    busy.append(batch(2, at=LOG_S))
    busy.append(batch(3, at=LOG_S + 0.1))

    assert (offsets(quiet), quiet.start) == ([], 1)
    assert offsets(busy) == [2, 3]


def test_what_is_forgotten_leaves_room() -> None:
    """What a log has forgotten by itself is not counted, and its newer batches are not taken for those."""
    budget = LogBudget(MAX_BYTES)
    one, other = BatchLog(budget, start=0), BatchLog(budget, start=0)
    for offset in range(1, 6):
        one.append(batch(offset))
    one.begin_at(50)
    size = budget.size
    one.append(batch(51))
    for offset in range(52, 61):
        other.append(batch(offset))

    assert size == 0
    assert (offsets(one), one.start) == ([51], 50)
    assert offsets(other) == list(range(52, 61))


ACTS = st.tuples(st.integers(0, 2), st.one_of(st.integers(40, 700), st.just("begin")), st.sampled_from([0.0, 0.1, 6.0]))


@given(st.lists(ACTS, max_size=40))
def test_bounded_and_complete(acts: list[tuple[int, int | str, float]]) -> None:
    """Whatever comes and goes: within the bound or a single batch, and every log has all that it says it has."""
    budget = LogBudget(MAX_BYTES)
    logs = [BatchLog(budget, start=0) for _ in range(3)]
    sent: list[list[int]] = [[], [], []]
    now, sizes = 0.0, {}
    for offset, (which, act, passed) in enumerate(acts, 1):
        now += passed
        if isinstance(act, str):
            logs[which].begin_at(offset)
        else:
            logs[which].append(batch(offset, size=act, at=now))
            sent[which].append(offset)
            sizes[offset] = act
        kept = [offsets(log) for log in logs]

        assert kept == [[n for n in sent[i] if n > log.start] for i, log in enumerate(logs)]
        assert budget.size == sum(sizes[n] for of_one in kept for n in of_one)
        assert budget.size <= MAX_BYTES or sum(map(len, kept)) == 1
