"""A floor plan: an image and where it lies on the map."""

import math
from dataclasses import asdict, dataclass

from vda5050.site_maps.errors import SiteMapError
from vda5050.site_maps.images import Image, read_image
from vda5050.site_maps.lif import JsonObject, digest_of

_MAX_METRES_PER_PIXEL = 100.0
_FARTHEST_M = 1e7


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an image lies: the place of its lower left corner in metres, and its turn about it in radians.

    Raises SiteMapError for what no image can have.
    """

    metres_per_pixel: float
    origin_x: float = 0.0
    origin_y: float = 0.0
    rotation: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 < self.metres_per_pixel <= _MAX_METRES_PER_PIXEL):
            raise SiteMapError(
                "bad_placement", f"metres_per_pixel must be above 0 and at most {_MAX_METRES_PER_PIXEL:g}."
            )
        for name in ("origin_x", "origin_y"):
            if not abs(getattr(self, name)) <= _FARTHEST_M:  # nan is not
                raise SiteMapError("bad_placement", f"{name} must be between -{_FARTHEST_M:g} and {_FARTHEST_M:g}.")
        if not abs(self.rotation) <= 2 * math.pi:
            raise SiteMapError("bad_placement", "rotation is in radians, from -2 pi to 2 pi.")


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """An image on a map; `body` is the file as it came."""

    body: bytes
    image: Image
    placement: Placement

    @classmethod
    def read(cls, body: bytes, placement: Placement) -> "FloorPlan":
        """Check an image. Raises SiteMapError."""
        return cls(body, read_image(body), placement)

    @property
    def facts(self) -> JsonObject:
        """What a list says of it."""
        return {**asdict(self.image), **asdict(self.placement), "digest": digest_of(self.body)}
