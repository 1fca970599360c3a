"""What happened: every message in SQL, and the questions that can be asked of it (docs/adr/0009-history.md).

    replica ─> writer (a sink) ─> store ─> codec ─> messages           the hub's side: a bounded buffer
                  │ lease, retention                  │                 all else in native threads
    api <── replay, export, timeline <── reader <─────┘

writer     buffers records, stores them in batches, survives any outage of the database
rests      keeps the writer's thread from holding the interpreter for long
store      a batch -> rows; codec compresses payloads with dictionaries made of the fleet's own messages
inserts    rows -> the table
lease      of several processes with one database, one writes
retention  lets go what is too old or too much
reader     pages in the order of time, the fleet at any time; stretch says of what
fleet      the fleet as it was, as a `RobotState`
rows       messages as rows of a table: CSV; parquet the same as a Parquet file
timeline   what one robot did, summed up
replay     a stretch as an event stream in the live one's format, at its pace or faster
history    all of it in one object

The order of history is that of `received_at`, by the gateway's clock; the robots' own timestamps are kept, not trusted.
"""

from vda5050.history.fleet import fleet_at
from vda5050.history.history import History
from vda5050.history.parquet import NoPyarrow, parquet_pieces
from vda5050.history.reader import Page, Reader, Stored
from vda5050.history.replay import END_ID, Player, read_event_id
from vda5050.history.rows import csv_head, csv_lines
from vda5050.history.stretch import Stretch, iso_time, parse_time
from vda5050.history.timeline import Timeline

__all__ = [
    "END_ID",
    "History",
    "NoPyarrow",
    "Page",
    "Player",
    "Reader",
    "Stored",
    "Stretch",
    "Timeline",
    "csv_head",
    "csv_lines",
    "fleet_at",
    "iso_time",
    "parquet_pieces",
    "parse_time",
    "read_event_id",
]
