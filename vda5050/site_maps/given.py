"""The layouts and floor plans that the settings name, read once when the gateway starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from vda5050.errors import SettingsError
from vda5050.settings import PREFIX, Settings
from vda5050.site_maps.errors import SiteMapError
from vda5050.site_maps.floor_plan import FloorPlan, Placement
from vda5050.site_maps.lif import JsonObject, Layout, layout_of, maps_in, parse_lif


@dataclass(frozen=True, slots=True)
class GivenMaps:
    """Layouts and floor plans by map id."""

    layouts: Mapping[str, Layout]
    floor_plans: Mapping[str, FloorPlan]

    @classmethod
    def from_settings(cls, settings: Settings) -> "GivenMaps":
        """Read the files. Raises SettingsError, which names the setting and what is wrong with its file."""
        return cls(
            layouts=_layouts(settings.layout_file) if settings.layout_file else {},
            floor_plans=_floor_plans(settings.floor_plans_file) if settings.floor_plans_file else {},
        )

    def facts(self) -> dict[str, JsonObject]:
        """Say what there is for each map."""
        return {
            map_id: {
                "layout": self.layouts[map_id].facts if map_id in self.layouts else None,
                "floor_plan": self.floor_plans[map_id].facts if map_id in self.floor_plans else None,
            }
            for map_id in sorted({*self.layouts, *self.floor_plans})
        }


def _layouts(name: str) -> dict[str, Layout]:
    try:
        document = parse_lif(Path(name).read_bytes())
    except OSError as error:
        raise _unusable("LAYOUT_FILE", f"{name}: {error.strerror}") from error
    except SiteMapError as error:
        raise _unusable("LAYOUT_FILE", f"{name}: {error.detail}") from error
    return {map_id: layout_of(document, map_id) for map_id in maps_in(document)}


def _floor_plans(name: str) -> dict[str, FloorPlan]:
    """Read `{map id: {"image": file, "metres_per_pixel", "origin_x", "origin_y", "rotation"}}`."""
    folder = Path(name).parent
    try:
        plans = orjson.loads(Path(name).read_bytes())
        return {map_id: _floor_plan(dict(entry), folder) for map_id, entry in plans.items()}
    except OSError as error:
        raise _unusable("FLOOR_PLANS_FILE", f"{error.filename or name}: {error.strerror}") from error
    except SiteMapError as error:
        raise _unusable("FLOOR_PLANS_FILE", f"{name}: {error.detail}") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        expected = (
            'expected {"<map id>": {"image": "hall.png", "metres_per_pixel": 0.05, "origin_x": 0, "origin_y": 0}}'
        )
        raise _unusable("FLOOR_PLANS_FILE", f"{name}: {expected}") from error


def _floor_plan(entry: JsonObject, folder: Path) -> FloorPlan:
    image = folder / str(entry.pop("image"))
    placement = Placement(**{key: float(value) for key, value in entry.items()})
    return FloorPlan.read(image.read_bytes(), placement)


def _unusable(setting: str, problem: str) -> SettingsError:
    return SettingsError([f"{PREFIX}{setting}: {problem}"])
