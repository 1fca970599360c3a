"""Layouts and floor plans that an admin uploaded, in the database, so that all instances show the same.

What takes long (checking a layout, moving megabytes) happens in a native thread of the lane, never on the hub. Every
method may raise DatabaseUnavailable. Bounded: MAX_FILES in all, each as large as `lif` and `images` allow.
"""

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import Connection

from vda5050.database import METADATA, Database
from vda5050.site_maps.errors import SiteMapError
from vda5050.site_maps.floor_plan import FloorPlan, Placement
from vda5050.site_maps.images import Image
from vda5050.site_maps.lif import JsonObject, Layout, read_layout

LAYOUT, FLOOR_PLAN = "layout", "floor_plan"
MAX_FILES = 500
_MAX_MAP_ID_CHARS = 200

SITE_FILES = sa.Table(
    "site_files",
    METADATA,
    sa.Column("map_id", sa.String(_MAX_MAP_ID_CHARS), primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)


class Uploads:
    """The files of all maps."""

    def __init__(self, database: Database) -> None:
        self._lane = database.lane(threads=1)

    def facts(self) -> dict[str, JsonObject]:
        """Say what there is for each map: {map id: {kind: facts}}."""
        columns = SITE_FILES.c.map_id, SITE_FILES.c.kind, SITE_FILES.c.facts
        rows = self._lane.read(lambda connection: connection.execute(sa.select(*columns)).all())
        found: dict[str, JsonObject] = {}
        for map_id, kind, facts in rows:
            found.setdefault(map_id, {})[kind] = orjson.loads(facts)
        return found

    def layout(self, map_id: str) -> Layout | None:
        """Give a map's layout."""
        row = self._row(map_id, LAYOUT)
        return None if row is None else Layout(row.body, orjson.loads(row.facts))

    def floor_plan(self, map_id: str) -> FloorPlan | None:
        """Give a map's floor plan."""
        row = self._row(map_id, FLOOR_PLAN)
        if row is None:
            return None
        facts = orjson.loads(row.facts)
        image = Image(facts["media_type"], facts["width_px"], facts["height_px"])
        names = ("metres_per_pixel", "origin_x", "origin_y", "rotation")
        return FloorPlan(row.body, image, Placement(**{name: facts[name] for name in names}))

    def put_layout(self, map_id: str, body: bytes) -> JsonObject:
        """Check and keep a layout; give its facts. Raises SiteMapError."""
        layout = self._lane.read(lambda _connection: read_layout(body, map_id))  # for its thread: it may take seconds
        return self._put(map_id, LAYOUT, layout)

    def put_floor_plan(self, map_id: str, body: bytes, placement: Placement) -> JsonObject:
        """Check and keep a floor plan; give its facts. Raises SiteMapError."""
        return self._put(map_id, FLOOR_PLAN, FloorPlan.read(body, placement))

    def place_floor_plan(self, map_id: str, placement: Placement) -> JsonObject | None:
        """Move a floor plan that is there; give its facts, None where there is none."""
        known = self.floor_plan(map_id)
        return None if known is None else self.put_floor_plan(map_id, known.body, placement)

    def delete(self, map_id: str, kind: str) -> bool:
        """Forget a file; False where there is none."""
        if not _is_map_id(map_id):
            return False
        deletion = sa.delete(SITE_FILES).where(SITE_FILES.c.map_id == map_id, SITE_FILES.c.kind == kind)
        return self._lane.write(lambda connection: connection.execute(deletion).rowcount == 1)

    def close(self) -> None:
        """Let the connections go. May be called twice."""
        self._lane.close()

    def _row(self, map_id: str, kind: str) -> Any:
        if not _is_map_id(map_id):
            return None
        same = SITE_FILES.c.map_id == map_id, SITE_FILES.c.kind == kind
        query = sa.select(SITE_FILES.c.facts, SITE_FILES.c.body).where(*same)
        return self._lane.read(lambda connection: connection.execute(query).one_or_none())

    def _put(self, map_id: str, kind: str, file: Layout | FloorPlan) -> JsonObject:
        if not _is_map_id(map_id):
            raise SiteMapError("bad_map_id", f"A map's id has 1 to {_MAX_MAP_ID_CHARS} printable characters.")
        facts = file.facts
        row = {"map_id": map_id, "kind": kind, "facts": orjson.dumps(facts).decode(), "body": file.body}
        self._lane.write(lambda connection: _replace(connection, row))
        return facts


def _is_map_id(text: str) -> bool:
    """Tell whether a map may have this id. A NUL in one is an error to PostgreSQL, also where it is looked up."""
    return 0 < len(text) <= _MAX_MAP_ID_CHARS and text.isprintable()


def _replace(connection: Connection, row: dict[str, Any]) -> None:
    same = sa.and_(SITE_FILES.c.map_id == row["map_id"], SITE_FILES.c.kind == row["kind"])
    connection.execute(sa.delete(SITE_FILES).where(same))
    if connection.execute(sa.select(sa.func.count()).select_from(SITE_FILES)).scalar_one() >= MAX_FILES:
        raise SiteMapError("too_many_files", f"There are {MAX_FILES} layouts and floor plans already.")
    connection.execute(sa.insert(SITE_FILES).values(**row))
