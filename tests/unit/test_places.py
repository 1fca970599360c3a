"""How many streams there may be is counted exactly, in all and for each client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.broadcast.places import Places, affordable_streams
from vda5050.errors import TooManyStreams


def test_a_client_cannot_have_them_all() -> None:
    """A client too greedy is refused while others are let in, and told so."""
    places = Places(max_streams=5, max_of_client=2)
    places.take("a")
    places.take("a")

    with pytest.raises(TooManyStreams) as raised:
        places.take("a")
    places.take("b")

    assert (raised.value.limit, raised.value.is_of_client) == (2, True)
    assert "for this client" in str(raised.value)
    assert places.count == 3


def test_a_client_may_have_them_all_where_it_is_allowed() -> None:
    """With 0 only the worker's own limit counts."""
    places = Places(max_streams=5, max_of_client=0)
    for _ in range(5):
        places.take("a")

    with pytest.raises(TooManyStreams) as raised:
        places.take("a")

    assert (raised.value.limit, raised.value.is_of_client) == (5, False)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_places_add_up(steps: list[tuple[str, bool]]) -> None:
    """Whatever order clients come and go in, nobody has more than allowed and nothing is left over."""
    places = Places(max_streams=6, max_of_client=3)
    open_streams: list[str] = []
    for client, comes in steps:
        if not comes and client in open_streams:
            open_streams.remove(client)
            places.leave(client)
        elif comes:
            is_full = len(open_streams) == 6 or open_streams.count(client) == 3
            try:
                places.take(client)
            except TooManyStreams:
                assert is_full
            else:
                assert not is_full
                open_streams.append(client)

    assert places.count == len(open_streams)
    for client in open_streams:
        places.leave(client)
    assert places.count == 0
    assert not vars(places)["_of_client"]


@pytest.mark.parametrize(
    ("wanted", "descriptors", "affordable"),
    [(10_000, 1_048_576, 10_000), (10_000, 1_024, 874), (3, 1_024, 3), (9, 20, 1)],
)
def test_streams_leave_descriptors_for_the_rest(wanted: int, descriptors: int, affordable: int) -> None:
    """A process with few descriptors refuses streams before it has none left for the broker and for itself."""
    assert affordable_streams(wanted, descriptors=descriptors) == affordable
