"""How many streams there may be: in all, and of one client. As with streams, so with what else takes long.

Refusing is the cheap part of an attack: nothing is built for a stream before it has its place.
"""

import random
from collections import Counter

from vda5050.errors import TooManyStreams

SPARE_DESCRIPTORS = 150
"""For what is no stream: the broker, the database, files, other requests. A process without a descriptor left can do
nothing about anything, so streams are refused before."""
RETRY_AFTER_S = (2, 10)
"""Between these a refused client is told to wait, so that not all come back at once."""


class Places:
    """The streams that are open, or `what` else. `max_of_client` 0: one client may have them all."""

    def __init__(self, *, max_streams: int, max_of_client: int, what: str = "streams") -> None:
        self.max_streams = max_streams
        self._what = what
        self._max_of_client = max_of_client
        self._of_client: Counter[str] = Counter()
        self.count = 0

    def take(self, client: str) -> None:
        """Give a client a place; to be given back with `leave`. Raises TooManyStreams."""
        if self.count >= self.max_streams:
            raise TooManyStreams(self.max_streams, random.randint(*RETRY_AFTER_S), what=self._what)
        if self._max_of_client and self._of_client[client] >= self._max_of_client:
            wait_s = random.randint(*RETRY_AFTER_S)
            raise TooManyStreams(self._max_of_client, wait_s, what=self._what, is_of_client=True)
        self._of_client[client] += 1
        self.count += 1

    def leave(self, client: str) -> None:
        """Take a client's place back."""
        self.count -= 1
        self._of_client[client] -= 1
        if not self._of_client[client]:
            del self._of_client[client]


def affordable_streams(wanted: int, *, descriptors: int) -> int:
    """Give how many streams a process may have that may open so many descriptors; at least one."""
    return max(1, min(wanted, descriptors - SPARE_DESCRIPTORS))
