"""What happened: every message in SQL, and the questions that can be asked of it (docs/adr/0009-history.md).

    replica ─> courier (a sink) ═══> writer ─> store ─> codec ─> messages       ═══ to a process of its own
                                       │ lease, retention            │
    api <── replay, export, timeline <── reader <────────────────────┘          in native threads

courier    hands records to the process that writes, bounds what waits, starts another one where it dies
talk       what the two processes say to each other; process is the other one's entry
writer     stores records in batches, survives any outage of the database; backlog is what waits for it
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
