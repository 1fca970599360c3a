"""Rests between the slices of a native thread's work, which shares the interpreter's lock with the streams.

While the thread has Python to run, the hub waits for the lock at every read and write, up to the switch interval
(wsgi.py). In the course of a batch of 1,250 messages in one go these waits added up: a hundredth of all messages was
more than ten times as late as without a history. Rests give the hub its turn (benchmarks/README.md).
"""

from collections.abc import Callable

from gevent.monkey import get_original

REST = 3.0
"""A rest is so many times as long as the work before it."""
LONGEST_REST_S = 0.006

_sleep: Callable[[float], None] = get_original("time", "sleep")
"""Lets the thread sleep: gevent's is for greenlets."""


def no_rest() -> None:
    """Go on at once."""


def rests(*, clock: Callable[[], float], sleep: Callable[[float], None] = _sleep) -> Callable[[], None]:
    """Give what a thread calls after each slice of its work, and then rests in."""
    since = clock()

    def rest() -> None:
        nonlocal since
        sleep(min(LONGEST_REST_S, REST * (clock() - since)))
        since = clock()

    return rest
