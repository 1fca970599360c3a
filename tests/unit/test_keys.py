"""Keys, and the ring that holds them: what opens, what no longer does, and who is ended for it."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from vda5050.api_keys import LOCAL, Key, KeyRing, Role, store
from vda5050.api_keys.keys import KeyRefusedError, digest, id_of, make_key, read_expiry
from vda5050.database import Database, Lane
from vda5050.errors import DatabaseUnavailable, FilterError

NOW = 1_800_000_000
DAY = 86_400


class Clock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def new_key(name: str = "wallboard", **changes: object) -> tuple[Key, str]:
    """Make a key that may read and never expires."""
    wanted = {"role": Role.READ, "robots": "", "now": NOW, "expires_at": None, **changes}
    return make_key(name=name, **wanted)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    """Open a database of its own."""
    lane = Database(f"sqlite:///{tmp_path}/keys.db").lane(threads=1)
    yield lane
    lane.close()


@pytest.fixture
def ring(clock: Clock) -> KeyRing:
    """Build a ring that knows no key yet, and has no database to read any."""
    return KeyRing(None, clock=clock, session_secret=b"s" * 32)


@pytest.fixture
def started(tmp_path: Path, clock: Clock) -> Iterator[KeyRing]:
    """Give a ring on the database of `lane`, read when a test says so."""
    ring = KeyRing(Database(f"sqlite:///{tmp_path}/keys.db"), clock=clock)
    assert ring._database is not None  # noqa: SLF001 - as `start`, without the greenlets
    ring._lane, ring._writing = ring._database.lane(threads=1), ring._database.lane(threads=1)  # noqa: SLF001
    yield ring
    ring.stop()


def adding(key: Key) -> Callable[[Connection], None]:
    """Give what adds a key to the database."""
    return lambda connection: store.add(connection, key)


def test_key_is_kept_as_a_hash() -> None:
    """What is kept is the SHA-256 of the key's text; neither it nor a key that is shown holds the secret."""
    key, shown = new_key()

    assert re.fullmatch(r"vda5050_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", shown)
    assert key.digest == hashlib.sha256(shown.encode()).digest()
    assert id_of(shown) == key.id
    assert shown.rpartition(key.id)[2][1:] not in repr(key)


def test_keys_differ() -> None:
    """No two keys share id or secret."""
    made = [new_key()[1] for _ in range(100)]

    assert len({id_of(shown) for shown in made}) == len(set(made)) == 100


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a" * 101, "\x1b[31m"])
def test_refused_names(name: str) -> None:
    """A name that cannot be read in a list is refused."""
    with pytest.raises(KeyRefusedError, match="printable"):
        new_key(name)


@pytest.mark.parametrize("robots", ["KUKA", "KUKA/*,ABB", ",", " ", " , ", ",\t,"])
def test_robots_that_are_none(robots: str) -> None:
    """A filter that could match nothing, since it forgot the serial number, or that there is nothing in, is refused."""
    with pytest.raises(KeyRefusedError, match="names no robot"):
        new_key(robots=robots)


@pytest.mark.parametrize("robots", [",", " ", " , "])
def test_a_filter_that_names_nothing_shows_nothing(robots: str) -> None:
    """A key that was made with such a filter, before that was refused, was not meant for all robots."""
    key, _ = new_key()

    assert not replace(key, robots=robots).principal().may_see("ABB/1")
    assert replace(key, robots="").principal().may_see("ABB/1")


def test_robots_that_no_stream_would_take() -> None:
    """A key's filter obeys the limits of a stream's."""
    with pytest.raises(FilterError):
        new_key(robots=",".join(f"{i}*" for i in range(99)))


@pytest.mark.parametrize(
    ("wanted", "expires_at"),
    [
        ("never", None),
        ("90m", NOW + 5_400),
        ("12h", NOW + 43_200),
        ("30d", NOW + 30 * DAY),
        ("52w", NOW + 364 * DAY),
        ("2027-01-31", 1_801_440_000),  # the end of that day
    ],
)
def test_expiries(wanted: str, expires_at: int | None) -> None:
    """A key's life is given as a span, as its last day, or without end."""
    assert read_expiry(wanted, NOW) == expires_at


@pytest.mark.parametrize("wanted", ["", "0d", "-1d", "1", "d", "1.5d", "1y", "tomorrow", "2027-02-30", "99999999d"])
def test_refused_expiries(wanted: str) -> None:
    """What is no time is refused, never taken for `never`."""
    with pytest.raises(KeyRefusedError):
        read_expiry(wanted, NOW)


def test_a_key_of_the_past() -> None:
    """A key that would have expired already is not made."""
    with pytest.raises(KeyRefusedError, match="expired"):
        new_key(expires_at=NOW)


def test_a_right_key_opens(ring: KeyRing) -> None:
    """A key's text gives its name, role, robots and end."""
    key, shown = new_key(role=Role.CONTROL, robots="KUKA/*", expires_at=NOW + DAY)
    ring.replace([key])
    found = ring.by_text(shown)

    assert found is not None
    assert (found.name, found.role, found.key_id, found.expires_at) == (key.name, Role.CONTROL, key.id, NOW + DAY)
    assert (found.may_see("KUKA/1"), found.may_see("ABB/1"), found.may_see("xKUKA/1")) == (True, False, False)


@given(st.text(max_size=200))
def test_no_other_text_opens(shown: str) -> None:
    """Nothing but a key's text is one, and nothing that is sent raises."""
    ring = KeyRing(None, clock=Clock())
    ring.replace([new_key()[0]])

    assert ring.by_text(shown) is None


def test_a_key_with_another_secret_does_not_open(ring: KeyRing) -> None:
    """The id alone is worth nothing: it is shown in lists."""
    key, shown = new_key()
    ring.replace([key])
    forged = shown[:-1] + ("A" if shown[-1] != "A" else "B")

    assert (ring.by_text(forged), ring.by_text(new_key()[1]), ring.by_text(shown.upper())) == (None, None, None)


@pytest.mark.parametrize("change", [{"expires_at": NOW + 10}, {"revoked_at": NOW - 1}])
def test_a_key_that_is_over_does_not_open(ring: KeyRing, clock: Clock, change: dict[str, int]) -> None:
    """Neither an expired nor a revoked key opens, by its text or its cookie."""
    made, shown = new_key()
    ring.replace([replace(made, **change)])  # type: ignore[arg-type]
    clock.now += 10

    assert (ring.by_text(shown), ring.by_id(made.id)) == (None, None)


def test_roles_include_the_lower_ones() -> None:
    """Admin may what control may, control may what read may; never the other way round."""
    allowed = {(role, other) for role in Role for other in Role if role.includes(other)}

    assert {(Role.READ, Role.CONTROL), (Role.READ, Role.ADMIN), (Role.CONTROL, Role.ADMIN)}.isdisjoint(allowed)
    assert len(allowed) == 6


def test_holds_end_with_their_key(ring: KeyRing, clock: Clock) -> None:
    """When a key expires, is revoked or changes, what it holds open is ended, and nothing else."""
    kept, expiring, revoked = new_key("kept")[0], new_key("e", expires_at=NOW + 5)[0], new_key("r")[0]
    ring.replace([kept, expiring, revoked])
    ended: list[str] = []
    for key in (kept, expiring, revoked):
        found = ring.by_id(key.id)
        assert found is not None
        ring.hold(found, lambda name=key.name: ended.append(name))  # type: ignore[misc]
    ring.end_lost()
    before = list(ended)

    ring.replace([kept, expiring])
    clock.now += 5
    ring.end_lost()

    assert before == []
    assert sorted(ended) == ["e", "r"]


def test_a_released_hold_is_forgotten(ring: KeyRing) -> None:
    """What was given back is not ended later; giving back twice does no harm."""
    key, _ = new_key()
    ring.replace([key])
    found = ring.by_id(key.id)
    assert found is not None
    ended: list[int] = []
    held = ring.hold(found, lambda: ended.append(1))
    ring.release(held)
    ring.release(held)

    ring.replace([new_key()[0]])
    ring.end_lost()

    assert ended == []


def test_the_first_key_ends_who_had_none(ring: KeyRing) -> None:
    """Who was let in because no key existed is ended as soon as one does."""
    ended: list[int] = []
    ring.hold(LOCAL, lambda: ended.append(1))
    ring.end_lost()
    before = list(ended)

    ring.replace([new_key()[0]])
    ring.end_lost()

    assert (before, ended) == ([], [1])
    assert ring.needs_key


def test_keys_that_vanish_are_kept(ring: KeyRing) -> None:
    """A database that lost all keys (restored, emptied) does not open the gateway to everybody."""
    key, shown = new_key()
    ring.replace([key])
    ring.replace([])

    assert ring.needs_key
    assert ring.by_text(shown) is not None


def test_stored_and_read_again(lane: Lane, started: KeyRing) -> None:
    """A key made by another process opens after the next reading, and no longer after it was revoked there."""
    key, shown = new_key(robots="KUKA/*", expires_at=NOW + DAY)
    started.refresh()
    before = started.is_loaded, started.needs_key
    lane.write(adding(key))
    started.refresh()
    meanwhile = started.by_text(shown)

    lane.write(lambda connection: store.revoke(connection, key.name, NOW))
    started.refresh()

    assert before == (True, False)
    assert meanwhile is not None
    assert started.by_text(shown) is None
    assert started.needs_key


def test_names_are_unique_among_valid_keys(lane: Lane) -> None:
    """A second valid key of a name is refused; after revoking the first one the name is free."""
    lane.write(adding(new_key()[0]))
    with pytest.raises(KeyRefusedError, match="revoke it first"):
        lane.write(adding(new_key()[0]))

    lane.write(lambda connection: store.revoke(connection, "wallboard", NOW))

    lane.write(adding(new_key()[0]))


def test_revoking_what_is_none(lane: Lane) -> None:
    """What names no valid key is refused, saying which of both it is."""
    key, _ = new_key()
    lane.write(adding(key))
    lane.write(lambda connection: store.revoke(connection, key.id, NOW))

    with pytest.raises(KeyRefusedError, match="already"):
        lane.write(lambda connection: store.revoke(connection, key.id, NOW))
    with pytest.raises(KeyRefusedError, match="no key's name"):
        lane.write(lambda connection: store.revoke(connection, "nobody", NOW))


def test_instances_share_the_secret_of_sessions(lane: Lane) -> None:
    """Whoever asks first makes the secret that signs cookies; all others get the same."""
    first, second = (lane.write(lambda connection: store.session_secret(connection, NOW)) for _ in range(2))

    assert first == second
    assert len(first) == 32


def test_last_use_is_written_now_and_then(lane: Lane, started: KeyRing) -> None:
    """When a key was last used is written by itself, not at each request."""
    key, shown = new_key()
    lane.write(adding(key))
    started.refresh()
    started.by_text(shown)
    started.refresh()
    ((_, at_once),) = lane.read(store.all_keys)

    started.note_used()

    ((_, later),) = lane.read(store.all_keys)
    assert (at_once, later) == (None, NOW)


@pytest.mark.parametrize("change", ["role = 'root'", f"robots = '{','.join(f'{i}*' for i in range(30))}'"])
def test_a_row_that_is_not_understood_opens_nothing(lane: Lane, started: KeyRing, change: str) -> None:
    """A row that somebody edited by hand opens nothing, counts as a key, and spoils no other."""
    (odd, odd_shown), (good, good_shown) = new_key("odd"), new_key("good")
    lane.write(adding(odd))
    lane.write(adding(good))
    lane.write(lambda connection: connection.execute(text(f"UPDATE api_keys SET {change} WHERE name = 'odd'")))  # noqa: S608

    started.refresh()

    assert started.by_text(odd_shown) is None
    assert started.by_text(good_shown) is not None


def test_known_keys_outlive_the_database(lane: Lane, started: KeyRing, tmp_path: Path, clock: Clock) -> None:
    """While the database is gone, known keys are valid until they expire, and the ring says that it cannot read."""
    key, shown = new_key(expires_at=NOW + DAY)
    lane.write(adding(key))
    started.refresh()
    (tmp_path / "keys.db").write_bytes(b"no database any more" * 100)
    started.stop()
    started._database = Database(f"sqlite:///{tmp_path}/keys.db")  # noqa: SLF001 - as after a restart of the server
    started._lane = started._database.lane(threads=1)  # noqa: SLF001
    with pytest.raises(DatabaseUnavailable):
        started.refresh()

    assert started.by_text(shown) is not None
    assert started.problem is not None
    clock.now += DAY
    assert started.by_text(shown) is None


def test_digest_is_of_the_whole_text() -> None:
    """Two keys that differ in their last character only have different digests."""
    assert digest("vda5050_a_b") != digest("vda5050_a_c")
