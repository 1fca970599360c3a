"""What an image is and how large, told by its first bytes: PNG and JPEG, nothing else.

Not by its name or what a client says of it. No pixel is decoded here: the browser does that, which is why an image's
size is bounded. SVG is a program to a browser, so it is refused with a word of its own.
"""

from dataclasses import dataclass

from vda5050.site_maps.errors import SiteMapError

MAX_IMAGE_BYTES = 8 * 1024 * 1024
MAX_SIDE_PX = 10_000
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_MARKERS_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_FRAME_HEADERS = {0xC0, 0xC1, 0xC2}
"""Baseline, extended and progressive JPEG: what browsers show."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image's kind and size in pixels."""

    media_type: str
    width_px: int
    height_px: int


def read_image(body: bytes) -> Image:
    """Tell what an image is. Raises SiteMapError for what is none that a floor plan can be."""
    if len(body) > MAX_IMAGE_BYTES:
        raise SiteMapError("too_large", f"A floor plan may have {MAX_IMAGE_BYTES} bytes.")
    if body.startswith(_PNG):
        image = Image("image/png", *_png_size(body))
    elif body.startswith(_JPEG):
        image = Image("image/jpeg", *_jpeg_size(body))
    elif b"<svg" in body[:1000].lower():
        raise SiteMapError("unsupported_image", "An SVG can hold scripts: export the floor plan as PNG.")
    else:
        raise SiteMapError("unsupported_image", "A floor plan is a PNG or a JPEG image.")
    if not (0 < image.width_px <= MAX_SIDE_PX and 0 < image.height_px <= MAX_SIDE_PX):
        raise SiteMapError("unsupported_image", f"A floor plan has 1 to {MAX_SIDE_PX} pixels on each side.")
    return image


def _png_size(body: bytes) -> tuple[int, int]:
    if len(body) < 33 or body[12:16] != b"IHDR":
        raise _broken()
    return int.from_bytes(body[16:20]), int.from_bytes(body[20:24])


def _jpeg_size(body: bytes) -> tuple[int, int]:
    """Walk over the segments to the frame header (ITU T.81, B.2.2)."""
    at = 2
    while at + 9 <= len(body) and body[at] == 0xFF:
        marker = body[at + 1]
        if marker == 0xFF:  # fill
            at += 1
        elif marker in _MARKERS_WITHOUT_LENGTH:
            at += 2
        elif marker in _FRAME_HEADERS:
            return int.from_bytes(body[at + 7 : at + 9]), int.from_bytes(body[at + 5 : at + 7])
        else:
            at += 2 + max(2, int.from_bytes(body[at + 2 : at + 4]))
    raise _broken()


def _broken() -> SiteMapError:
    return SiteMapError("unsupported_image", "The image is broken: its size cannot be read.")
