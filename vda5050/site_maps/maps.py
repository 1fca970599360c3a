"""All layouts and floor plans: those uploaded, and those that the settings name. What was uploaded wins."""

from vda5050.database import Database
from vda5050.settings import Settings
from vda5050.site_maps.errors import SiteMapError
from vda5050.site_maps.floor_plan import FloorPlan
from vda5050.site_maps.given import GivenMaps
from vda5050.site_maps.lif import JsonObject, Layout
from vda5050.site_maps.uploads import FLOOR_PLAN, LAYOUT, Uploads


class SiteMaps:
    """What is drawn under the robots of each map. Without a database nothing can be uploaded.

    Raises SettingsError where a file that the settings name cannot be used. Every method may raise DatabaseUnavailable.
    """

    def __init__(self, settings: Settings, database: Database | None) -> None:
        self._given = GivenMaps.from_settings(settings)
        self._uploads = None if database is None else Uploads(database)

    @property
    def takes_uploads(self) -> bool:
        """Whether there is a database to keep them in."""
        return self._uploads is not None

    @property
    def uploads(self) -> Uploads:
        """Where uploads go. Raises SiteMapError without a database."""
        if self._uploads is None:
            raise SiteMapError("no_database", "Uploads need a database: VDA5050_DATABASE_URL is none.")
        return self._uploads

    def facts(self) -> dict[str, JsonObject]:
        """Say what there is for each map: {map id: {"layout", "floor_plan"}}, each with its `source`, or None."""
        uploaded = {} if self._uploads is None else self._uploads.facts()
        given = self._given.facts()
        return {
            map_id: {
                kind: _from(uploaded.get(map_id, {}).get(kind), "upload")
                or _from(given.get(map_id, {}).get(kind), "settings")
                for kind in (LAYOUT, FLOOR_PLAN)
            }
            for map_id in sorted({*given, *uploaded})
        }

    def layout(self, map_id: str) -> Layout | None:
        """Give a map's layout."""
        uploaded = None if self._uploads is None else self._uploads.layout(map_id)
        return uploaded or self._given.layouts.get(map_id)

    def floor_plan(self, map_id: str) -> FloorPlan | None:
        """Give a map's floor plan."""
        uploaded = None if self._uploads is None else self._uploads.floor_plan(map_id)
        return uploaded or self._given.floor_plans.get(map_id)

    def close(self) -> None:
        """Let the database go. May be called twice."""
        if self._uploads is not None:
            self._uploads.close()


def _from(facts: JsonObject | None, source: str) -> JsonObject | None:
    return None if facts is None else {**facts, "source": source}
