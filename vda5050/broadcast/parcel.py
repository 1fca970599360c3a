"""The unit of a client's queue: bytes that must be written whole.

Shared by all clients of a group, and cut into pieces, so that the copy that gunicorn makes while it frames one
(Response.write) stays small however slow the client is.
"""

from typing import NamedTuple

PIECE_BYTES = 262_144
"""A batch of 100 states of 2 kB is one piece: cutting it into four costs three times the CPU."""
JOIN_BYTES = 65_536
"""What waits is joined up to this; a joined chunk is the client's own copy."""


class Parcel(NamedTuple):
    """Bytes to be written whole: `pieces` of at most PIECE_BYTES each, `size` bytes together, `events` in them."""

    pieces: tuple[bytes, ...]
    size: int
    events: int

    @classmethod
    def of(cls, data: bytes, *, events: int = 0) -> "Parcel":
        """Cut `data` into pieces."""
        size = len(data)
        if size <= PIECE_BYTES:
            return cls((data,), size, events)
        return cls(tuple(data[i : i + PIECE_BYTES] for i in range(0, size, PIECE_BYTES)), size, events)


def joined(pieces: list[bytes]) -> list[bytes]:
    """Join small neighbours until they reach JOIN_BYTES; large pieces stay what they are, shared."""
    chunks: list[bytes] = []
    run: list[bytes] = []
    size = 0
    for piece in pieces:
        if run and (size >= JOIN_BYTES or len(piece) >= JOIN_BYTES):
            chunks.append(b"".join(run))
            run, size = [], 0
        run.append(piece)
        size += len(piece)
    return [*chunks, b"".join(run)]
