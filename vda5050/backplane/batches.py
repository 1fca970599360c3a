"""Entries <-> bytes, as they lie in Redis: a batch in the stream, a single entry in the hash of last messages.

    byte     1 plain, 2 zstandard (what follows)
    uint32   length of the table, big endian
    table    JSON: {"w": the writer's token, "n": note or null, "e": [one row an entry]}
    payloads one after the other, as long as the rows say

    row      [0, interface, major_version, manufacturer, serial_number, topic, received_at, is_retained, length]
             [1, robot, length]      a finding, its payload is JSON
             [2, is_up, at]          the link

A payload is copied, never encoded again. Compressed, a batch of 100 states of 2 kB has a twelfth of its size.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import zstandard

from vda5050.entries import Entry, LinkChange, Told, Update
from vda5050.errors import Vda5050Error
from vda5050.topics import Address

_PLAIN, _ZSTD = b"\x01", b"\x02"
_COMPRESS_FROM_BYTES = 512
_LEVEL = 1
"""The fastest: the batch is read by every worker, and written while clients wait."""
_UPDATE, _TOLD, _LINK = 0, 1, 2
_MAX_BATCH_BYTES = 268_435_456
"""What a corrupt length is not believed beyond."""
_MAX_ADDRESSES = 20_000


class BatchError(Vda5050Error):
    """What lies in Redis was not written by a gateway of this version, or an entry cannot be written."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries in order, by `writer`. `note`: what else the writer tells the other workers at this point, see `node`."""

    writer: str
    entries: tuple[Entry, ...] = ()
    note: dict[str, Any] | None = None


def encode(batch: Batch) -> bytes:
    """Write a batch. Raises BatchError."""
    rows: list[tuple[object, ...]] = []
    payloads: list[bytes] = []
    for entry in batch.entries:
        row, payload = _row(entry)
        rows.append(row)
        payloads.append(payload)
    table = _json({"w": batch.writer, "n": batch.note, "e": rows})
    body = b"".join([struct.pack(">I", len(table)), table, *payloads])
    if len(body) < _COMPRESS_FROM_BYTES:
        return _PLAIN + body
    return _ZSTD + zstandard.ZstdCompressor(level=_LEVEL).compress(body)


def decode(data: bytes) -> Batch:
    """Read a batch. Raises BatchError."""
    try:
        body = _body(data)
        size = struct.unpack_from(">I", body)[0]
        table = orjson.loads(body[4 : 4 + size])
        return Batch(table["w"], tuple(_entries(table["e"], body, 4 + size)), table["n"])
    except (struct.error, ValueError, KeyError, TypeError, IndexError, zstandard.ZstdError) as error:
        raise BatchError(f"a batch of {len(data)} bytes cannot be read: {error}") from error


def encode_entry(entry: Entry) -> bytes:
    """Write one entry by itself. Raises BatchError."""
    row, payload = _row(entry)
    table = _json(row)
    return struct.pack(">I", len(table)) + table + payload


def decode_entry(data: bytes) -> Entry:
    """Read one entry. Raises BatchError."""
    try:
        size = struct.unpack_from(">I", data)[0]
        return next(_entries([orjson.loads(data[4 : 4 + size])], data, 4 + size))
    except (struct.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise BatchError(f"an entry of {len(data)} bytes cannot be read: {error}") from error


def _row(entry: Entry) -> tuple[tuple[object, ...], bytes]:
    match entry:
        case Update(address, payload, received_at, is_retained):
            where = (address.interface, address.major_version, address.manufacturer, address.serial_number)
            return (_UPDATE, *where, address.topic, received_at, is_retained, len(payload)), payload
        case Told(robot, finding):
            payload = _json(finding)
            return (_TOLD, robot, len(payload)), payload
        case LinkChange(is_up, at):
            return (_LINK, is_up, at), b""


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:  # nested too deep, or half a surrogate pair
        raise BatchError(f"cannot be written: {error}") from error


def _body(data: bytes) -> bytes:
    kind, body = data[:1], data[1:]
    if kind == _ZSTD:
        return zstandard.ZstdDecompressor().decompress(body, max_output_size=_MAX_BATCH_BYTES)
    if kind == _PLAIN:
        return body
    raise ValueError(f"unknown kind {kind!r}")


def _entries(rows: Iterable[list[Any]], body: bytes, at: int) -> Iterator[Entry]:
    for kind, *row in rows:
        if kind == _LINK:
            yield LinkChange(*row)
            continue
        end = at + row[-1]
        payload = body[at:end]
        if len(payload) != row[-1]:
            raise ValueError("a payload is cut off")
        at = end
        if kind == _UPDATE:
            yield Update(_address(*row[:5]), payload, row[5], row[6])
        elif kind == _TOLD:
            yield Told(row[0], orjson.loads(payload))
        else:
            raise ValueError(f"unknown entry {kind!r}")


@lru_cache(maxsize=_MAX_ADDRESSES)
def _address(*row: Any) -> Address:
    """Give the same object for the same address: who passes it on says each only once (`history.talk`)."""
    return Address(*row)
