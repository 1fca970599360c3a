"""What is read from Redis is what was written; what nobody of this version wrote is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.backplane.batches import Batch, BatchError, decode, decode_entry, encode, encode_entry
from vda5050.entries import LinkChange, Told, Update
from vda5050.topics import Address

names = st.text(min_size=1, max_size=20)
times = st.floats(0, 2e9)
updates = st.builds(
    Update,
    st.builds(Address, names, st.none() | names, names, names, st.sampled_from(["state", "connection"])),
    st.binary(max_size=3_000),
    times,
    st.booleans(),
)
told = st.builds(Told, names, st.dictionaries(names, st.none() | names | st.integers(0, 9), max_size=3))
entries = updates | told | st.builds(LinkChange, st.booleans(), times)


@given(written=st.lists(entries, max_size=8), note=st.none() | st.dictionaries(names, names, max_size=3))
def test_batch(written: list[Update | Told | LinkChange], note: dict[str, str] | None) -> None:
    """Entries come back as they were, byte for byte, small or compressed."""
    batch = Batch("worker", tuple(written), note)

    assert decode(encode(batch)) == batch


@given(entry=entries)
def test_entry(entry: Update | Told | LinkChange) -> None:
    """One entry by itself comes back, too."""
    assert decode_entry(encode_entry(entry)) == entry


def test_compressed() -> None:
    """A hundred states that differ in a few digits take a tenth of their bytes or less."""
    address = Address("uagv", "v2", "KUKA", "1", "state")
    payloads = [b'{"headerId":%d,"x":%d.5,"text":"%b"}' % (n, n * 7, b"the same for all" * 50) for n in range(100)]
    written = encode(Batch("worker", tuple(Update(address, payload, 1.0, is_retained=False) for payload in payloads)))

    assert len(written) < sum(map(len, payloads)) / 10


def test_an_address_is_one_object() -> None:
    """What is read later has the very address of before, which the history's writer is told only once."""
    update = Update(Address("uagv", "v2", "KUKA", "1", "state"), b"{}", 1.0, is_retained=False)
    read = [decode(encode(Batch("worker", (update, update)))).entries for _ in range(2)]
    addresses = {id(entry.address) for entries in read for entry in entries if isinstance(entry, Update)}

    assert len(addresses) == 1


@given(data=st.binary(max_size=60))
def test_garbage(data: bytes) -> None:
    """Whatever else lies there raises BatchError and nothing else."""
    for read in (decode, decode_entry):
        try:
            read(data)
        except BatchError:
            continue


@pytest.mark.parametrize("cut", [1, 5, 40, -1])
def test_cut_off(cut: int) -> None:
    """Half a batch is no batch."""
    whole = encode(Batch("worker", (Told("KUKA/1", {"rule": "x"}), Update(
        Address("uagv", None, "KUKA", "1", "state"), b"{}", 1.0, is_retained=True))))  # fmt: skip

    with pytest.raises(BatchError):
        decode(whole[:cut])
