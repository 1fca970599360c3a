"""What is drawn under the robots: for each map (VDA 5050's `mapId`) a layout and a floor plan.

    lif          a layout: VDMA's Layout Interchange Format, checked by a marshmallow schema
    images       a floor plan's image: what it is by its first bytes, and how large
    floor_plan   an image with scale, origin and rotation
    given        what the settings name, read once at the start
    uploads      what an admin uploaded, in the database
    maps         both, as one

Takes files' bytes, gives `Layout`s and `FloorPlan`s, ready to be sent. What cannot be used raises SiteMapError, which
says why to a person. Metres, y up, in the project's one frame of coordinates (VDA 5050 2.1.0, section 6.1).
"""

from vda5050.site_maps.errors import SiteMapError
from vda5050.site_maps.floor_plan import FloorPlan, Placement
from vda5050.site_maps.given import GivenMaps
from vda5050.site_maps.lif import MAX_LAYOUT_BYTES, Layout, LifSchema, read_layout
from vda5050.site_maps.maps import SiteMaps
from vda5050.site_maps.uploads import FLOOR_PLAN, LAYOUT

__all__ = [
    "FLOOR_PLAN",
    "LAYOUT",
    "MAX_LAYOUT_BYTES",
    "FloorPlan",
    "GivenMaps",
    "Layout",
    "LifSchema",
    "Placement",
    "SiteMapError",
    "SiteMaps",
    "read_layout",
]
