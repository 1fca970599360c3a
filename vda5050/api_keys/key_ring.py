"""The keys in memory: asked for every request, read again every REFRESH_S, so that no request waits for the database.

A key made or revoked anywhere (another instance, the command line) is known within REFRESH_S and the time to read.
Whoever holds a stream open is held on to here, and let go of when its key is revoked, has expired or was changed: one
greenlet looks once a second, whatever the number of streams.

While the database is gone, the keys that are known go on being valid until they expire. Before they were read for the
first time nobody is let in (`is_loaded`), because nobody knows who may be.

Once a key was ever made, requests need one: revoking the last key locks everyone out, rather than letting everyone in.
"""

import hmac
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import gevent
from gevent.event import Event

from vda5050.api_keys import store
from vda5050.api_keys.keys import Key, digest, id_of
from vda5050.api_keys.principal import LOCAL, Principal
from vda5050.database import Database, Lane
from vda5050.errors import DatabaseUnavailable
from vda5050.greenlets import start
from vda5050.logs import get_logger

log = get_logger(__name__)

REFRESH_S = 2.0
TICK_S = 1.0
READ_TIMEOUT_S = 5.0
FIRST_READING_S = 3.0
NOTE_USED_EVERY_S = 60.0
_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """Something that may go on only while its principal's key is valid; `end` must not block."""

    principal: Principal
    end: Callable[[], None]


class KeyRing:
    """The keys of one process. Without a database (None) no key exists or can be made."""

    def __init__(
        self, database: Database | None, *, clock: Callable[[], float], session_secret: bytes | None = None
    ) -> None:
        self._database = database
        self._lane: Lane | None = None
        self._writing: Lane | None = None
        self._clock = clock
        self._given_secret = session_secret
        self._keys: dict[str, Key] = {}
        self._principals: dict[str, Principal] = {}
        self._holds: dict[str | None, set[Hold]] = defaultdict(set)
        self._used: dict[str, int] = {}
        self._first_reading = Event()
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self.is_loaded = database is None
        self.session_secret = session_secret

    @property
    def needs_key(self) -> bool:
        """True once a key was ever made."""
        return bool(self._keys)

    @property
    def problem(self) -> str | None:
        """Why the keys cannot be read at the moment; None while they can."""
        return None if self._database is None or self._database.is_open else self._database.problem

    def now(self) -> float:
        """Give the time that keys expire by: epoch seconds."""
        return self._clock()

    def start(self) -> None:
        """Begin to read the keys, and to end what lost its key; wait a moment for the first reading.

        So that nobody is refused at every start of a worker; a database that is away does not keep it from starting.
        """
        if self._database is None:
            return
        self._lane, self._writing = self._database.lane(threads=1), self._database.lane(threads=1)
        for loop in (self._refresh_for_ever, self._end_for_ever, self._note_used_for_ever):
            self._greenlets.append(start(loop, name=f"keys{loop.__name__}"))
        self._first_reading.wait(FIRST_READING_S)

    def stop(self) -> None:
        """Stop reading. May be called twice."""
        gevent.killall(self._greenlets)
        self._greenlets.clear()
        for lane in (self._lane, self._writing):
            if lane is not None:
                lane.close()
        self._lane = self._writing = None

    def by_text(self, text: str) -> Principal | None:
        """Give who shows this key; None where it opens nothing. Takes the same time for every secret."""
        key_id = id_of(text)
        key = None if key_id is None else self._keys.get(key_id)
        is_right = hmac.compare_digest(digest(text), _NO_DIGEST if key is None else key.digest)
        return self.by_id(key.id) if key is not None and is_right else None

    def by_id(self, key_id: str) -> Principal | None:
        """Give who has the valid key of this id; None where there is none."""
        key, now = self._keys.get(key_id), self._clock()
        if key is None or not key.is_valid(now):
            return None
        self._used[key_id] = int(now)
        return self._principals[key_id]

    def robots_of(self, principal: Principal) -> str | None:
        """Give a principal's robot filter as it was written; None where it is none."""
        key = self._keys.get(principal.key_id or "")
        return None if key is None or principal.robots is None else key.robots

    def hold(self, principal: Principal, end: Callable[[], None]) -> Hold:
        """Call `end` within a moment when `principal` is no longer let in. To be given back with `release`."""
        held = Hold(principal, end)
        self._holds[principal.key_id].add(held)
        return held

    def release(self, held: Hold) -> None:
        """Forget a hold. May be called twice."""
        holds = self._holds.get(held.principal.key_id)
        if holds is not None:
            holds.discard(held)
            if not holds:
                del self._holds[held.principal.key_id]

    def is_current(self, principal: Principal) -> bool:
        """Tell whether one who was let in would be still, as the same."""
        if principal.key_id is None:
            return principal is not LOCAL or not self.needs_key
        key = self._keys.get(principal.key_id)
        return key is not None and key.is_valid(self._clock()) and self._principals[key.id] is principal

    def end_lost(self) -> None:
        """End whatever is held open for a key that is no longer valid as it was; called about every TICK_S."""
        for holds in list(self._holds.values()):
            by_principal = {id(held.principal): held.principal for held in holds}
            lost = {known for known, principal in by_principal.items() if not self.is_current(principal)}
            for held in list(holds) if lost else ():
                if id(held.principal) in lost:
                    held.end()

    def refresh(self) -> None:
        """Read all keys. Raises DatabaseUnavailable."""
        assert self._lane is not None
        rows = self._lane.read(store.all_keys, timeout_s=READ_TIMEOUT_S)
        self.replace(key for key, _ in rows)
        now = self._clock()
        if self.needs_key and self.session_secret is None:
            self.session_secret = self._lane.write(lambda connection: store.session_secret(connection, now))

    def note_used(self) -> None:
        """Write when keys were last used. Raises DatabaseUnavailable.

        On a lane of its own: SQLite has one writer, the history's most of the time, and reading must not wait for it.
        """
        assert self._writing is not None
        used, self._used = self._used, {}
        if used:
            self._writing.write(lambda connection: store.note_used(connection, used))

    def replace(self, keys: Iterable[Key]) -> None:
        """Know these keys from now on. A key that has not changed keeps its principal."""
        found = {key.id: key for key in keys}
        if self.needs_key and not found:
            log.critical("the database holds no key any more; the ones known until now are kept")
            return
        self._principals = {
            key.id: self._principals[key.id] if self._keys.get(key.id) == key else key.principal()
            for key in found.values()
            if key.revoked_at is None
        }
        if found and not self.needs_key and self.is_loaded:
            log.warning("the first key was made: requests need one from now on")
        self._keys = found
        self.is_loaded = True

    def _refresh_for_ever(self) -> None:
        while True:
            try:
                self.refresh()
            except DatabaseUnavailable as error:
                log.debug("the keys could not be read", problem=error.reason)  # the database has told it already
            except Exception:
                log.exception("the keys could not be read; they are tried again")
            self._first_reading.set()
            gevent.sleep(REFRESH_S)

    def _note_used_for_ever(self) -> None:
        while True:
            gevent.sleep(NOTE_USED_EVERY_S)
            try:
                self.note_used()
            except DatabaseUnavailable as error:
                log.debug("the last use of keys could not be written", problem=error.reason)
            except Exception:
                log.exception("the last use of keys could not be written")

    def _end_for_ever(self) -> None:
        while True:
            gevent.sleep(TICK_S)
            try:
                self.end_lost()
            except Exception:
                log.exception("streams of lost keys could not be ended; they are tried again")
