"""Messages -> a Parquet file, written while it is read: one row group a page.

Needs pyarrow, which is not installed with the gateway.

Takes pages of stored messages, gives the bytes of the file in pieces; only one row group is held.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from vda5050.errors import Vda5050Error
from vda5050.history.reader import Stored
from vda5050.history.rows import COLUMNS, HEAD, row_of

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class NoPyarrow(Vda5050Error):  # noqa: N818 - reads as the claim it is
    """The package pyarrow is not installed."""


def parquet_pieces(pages: Iterable[Sequence[Stored]]) -> Iterator[bytes]:
    """Write the columns of `rows` and `payload`, the message as text. Raises NoPyarrow, before anything is read."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise NoPyarrow from error
    kinds = {str: pa.string(), float: pa.float64(), bool: pa.bool_()}
    names = [(name, pa.string()) for name in HEAD[1:]]
    names += [(name, kinds[kind]) for name, (kind, _) in COLUMNS.items()]
    schema = pa.schema([("received_at", pa.timestamp("us", "UTC")), *names, ("payload", pa.string())])
    return _pieces(pa, parquet, schema, pages)


def _pieces(pa: Any, parquet: Any, schema: Any, pages: Iterable[Sequence[Stored]]) -> Iterator[bytes]:
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema) as writer:
        for page in pages:
            rows = [_row(stored) for stored in page]
            columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in schema]
            writer.write_table(pa.table(columns, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _row(stored: Stored) -> list[Any]:
    _, *rest = row_of(stored)
    return [_BEGIN + timedelta(microseconds=stored.id), *rest, stored.record.payload.decode()]


class _Sink(io.RawIOBase):
    """A file that is read off while it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Take bytes."""
        self._waiting += data
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        """Say how much was written."""
        return self._written

    def taken(self) -> bytes:
        """Give what was written since."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data
