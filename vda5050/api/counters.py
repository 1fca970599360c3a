"""Where requests are counted: in Redis for all workers and machines, or in this process.

Takes keys and windows from `rate_limits`, gives counts. While Redis is away or slow the process counts for itself, so
that nobody is refused or kept waiting for it: a limit is then each worker's own.

The library's own storage in memory is not used: it looks through all its keys on a timer that every request may start
(2.4 ms a look with 20,000 addresses, while no stream is served), and grows with every address that comes.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from limits.storage import RedisStorage, Storage
from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from vda5050.logs import get_logger

log = get_logger(__name__)
_Answer = TypeVar("_Answer")

MAX_KEYS = 50_000
"""Of about 200 bytes. An attacker with more addresses than that makes the oldest forgotten."""
REDIS_TIMEOUT_S = 0.25
REDIS_CONNECTIONS = 16
RETRY_S = 5.0
"""How long Redis is left alone after it failed."""


class Counters(Storage):
    """Counts of fixed windows by key, for the strategies of `limits`."""

    STORAGE_SCHEME = None

    def __init__(self, *, redis_url: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._memory = WindowCounts(clock)
        self._redis = None if redis_url is None else _open(redis_url)
        self._clock = clock
        self._asks_redis_from = float("-inf")

    @property
    def base_exceptions(self) -> type[Exception]:
        """Give what this storage raises: nothing of its own."""
        return RedisError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, in a window that begins with its first count and lasts `expiry` seconds; give the count."""
        return self._ask(lambda store: store.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        """Give the count of a window, 0 where none is open."""
        return self._ask(lambda store: store.get(key))

    def get_expiry(self, key: str) -> float:
        """Give when the window ends, in epoch seconds."""
        return self._ask(lambda store: store.get_expiry(key))

    def check(self) -> bool:
        """Tell whether counts can be kept: always, at least here."""
        return True

    def reset(self) -> int | None:
        """Forget all that is counted here."""
        return self._memory.reset()

    def clear(self, key: str) -> None:
        """Forget a window."""
        self._ask(lambda store: store.clear(key))

    def _ask(self, question: Callable[["Storage | WindowCounts"], _Answer]) -> _Answer:
        if self._redis is not None and self._clock() >= self._asks_redis_from:
            try:
                return question(self._redis)
            except RedisError as error:
                self._asks_redis_from = self._clock() + RETRY_S
                log.warning("each worker counts limits by itself: Redis does not answer", error=type(error).__name__)
        return question(self._memory)


class WindowCounts:
    """Counts in this process, of MAX_KEYS keys at most. Never switches greenlets."""

    def __init__(self, clock: Callable[[], float], *, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._windows: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """See `Counters`."""
        now = self._clock()
        count, ends_at = self._windows.get(key, (0, 0.0))
        if ends_at <= now:
            self._windows.pop(key, None)  # so that it goes in last: the oldest windows stand first
            if len(self._windows) >= self._max_keys:
                self._make_room(now)
            count, ends_at = 0, now + expiry
        self._windows[key] = (count + amount, ends_at)
        return count + amount

    def get(self, key: str) -> int:
        """See `Counters`."""
        count, ends_at = self._windows.get(key, (0, 0.0))
        return count if ends_at > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        """See `Counters`."""
        _, ends_at = self._windows.get(key, (0, 0.0))
        return time.time() + max(0.0, ends_at - self._clock())

    def reset(self) -> int:
        """Forget everything; give how many windows there were."""
        count = len(self._windows)
        self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget a window."""
        self._windows.pop(key, None)

    def _make_room(self, now: float) -> None:
        """Forget windows that have ended, and the oldest tenth where that is not enough."""
        self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
        if len(self._windows) >= self._max_keys:
            for key in list(self._windows)[: self._max_keys // 10 + 1]:
                del self._windows[key]


def _open(redis_url: str) -> Storage:
    """Make a client that connects when it is first asked, asks once, and waits for a fraction of a second."""
    pool = BlockingConnectionPool.from_url(
        redis_url,
        max_connections=REDIS_CONNECTIONS,
        timeout=REDIS_TIMEOUT_S,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    return RedisStorage(redis_url, connection_pool=pool)
