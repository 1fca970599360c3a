"""What the gateway tells the process that writes arrives as it was put."""

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.history import talk
from vda5050.history.talk import Packer, Piece, Unpacker
from vda5050.sinks import Record
from vda5050.topics import Address

ADDRESSES = [Address("uagv", "v2", "KUKA", f"R{number}", topic) for number in range(4) for topic in ("state", "order")]

records = st.builds(
    Record,
    st.sampled_from(ADDRESSES),
    st.binary(max_size=20),
    st.floats(0, 2e9),
    st.booleans(),
    st.sampled_from(["e1", "e2"]),
    st.integers(0, 2**62),
)


def sent(piece: Piece) -> Piece:
    """Send a piece, as `say` and `heard` do."""
    arrived: Piece = pickle.loads(pickle.dumps(piece))  # noqa: S301 - our own
    return arrived


@given(st.lists(st.lists(records, min_size=1, max_size=8), max_size=12), st.integers(1, 9))
def test_records_arrive(pieces: list[list[Record]], max_addresses: int) -> None:
    """Every record arrives, in order, also when more addresses were told than are remembered."""
    packer, unpacker = Packer(), Unpacker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(talk, "MAX_ADDRESSES", max_addresses)
        arrived = [unpacker.unpack(sent(packer.pack(piece))) for piece in pieces]

    assert arrived == pieces


def test_an_address_is_told_once() -> None:
    """A robot that speaks again costs no second address; what is equal but another object is another one."""
    packer = Packer()
    first = Record(ADDRESSES[0], b"{}", 1.0, False, "e1", 1)
    told = [packer.pack([first, first]), packer.pack([first, first._replace(address=replace(ADDRESSES[0]))])]

    assert [(piece.known, len(piece.addresses), piece.places) for piece in told] == [(0, 1, [0, 0]), (1, 1, [0, 1])]


def test_addresses_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invented robots make nobody's memory grow without end: at a bound all is told anew."""
    monkeypatch.setattr(talk, "MAX_ADDRESSES", 100)
    packer = Packer()
    told = [
        packer.pack([Record(Address("uagv", "v2", "KUKA", f"R{number}", "state"), b"{}", 1.0, False, "e1", number)])
        for number in range(1_000)
    ]

    assert max(piece.known + len(piece.addresses) for piece in told) == 100
