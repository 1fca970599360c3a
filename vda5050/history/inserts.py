"""Rows -> the table of messages, in as few calls as can be.

Takes slices of rows as they become ready, in a write transaction. A slice is one INSERT for SQLite, which is one step
of it, so that the interpreter's lock is let go once and not once a row; PostgreSQL gets all slices in one COPY, each in
one piece (binary: its manual, SQL COPY, "Binary Format").
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from vda5050.database import SQLITE
from vda5050.history.tables import MESSAGES

Row = tuple[int, int, int, int, int, int, bool, bytes]
"""The columns of `messages`, in their order."""

_COLUMNS = ", ".join(column.name for column in MESSAGES.columns)
_COPY = f"COPY {MESSAGES.name} ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_ROW = struct.Struct("!hiqiqiiiiiiihi?i")
_COPY_TAIL = b"\xff\xff"


def insert(connection: Connection, slices: Iterable[Sequence[Row]]) -> None:
    """Add rows. While PostgreSQL's are taken from `slices` the connection can do nothing else.

    Raises errors of SQLAlchemy's, from the driver's own cursor too: they tell a database that is full from a row that
    it does not take.
    """
    if connection.dialect.name == SQLITE:
        for rows in slices:
            values = ",".join(["(?,?,?,?,?,?,?,?)"] * len(rows))
            statement = f"INSERT INTO {MESSAGES.name} ({_COLUMNS}) VALUES {values}"  # noqa: S608 - names of ours
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows)))
        return
    driver: Any = connection.dialect.loaded_dbapi
    try:
        _copy(connection.connection.driver_connection, slices)
    except driver.Error as error:
        raise DBAPIError.instance(_COPY, None, error, driver.Error, hide_parameters=True) from error


def _copy(driver_connection: Any, slices: Iterable[Sequence[Row]]) -> None:
    with driver_connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_COPY_HEAD)
        for rows in slices:
            copy.write(b"".join(_copied(rows)))
        copy.write(_COPY_TAIL)


def _copied(rows: Iterable[Row]) -> Iterator[bytes]:
    pack = _COPY_ROW.pack
    for id_, offset, robot, epoch, dictionary, topic, is_retained, payload in rows:
        yield pack(8, 8, id_, 8, offset, 4, robot, 4, epoch, 4, dictionary, 2, topic, 1, is_retained, len(payload))
        yield payload
