"""Finds what the map shows: where a place in metres is on the screen, and which colours are painted there."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.services import wait_until

_ELEMENT = "document.querySelector('#map fleet-map')"
_COLOUR_AT = """([x, y, reach]) => {
  const map = document.querySelector('#map fleet-map');
  const canvas = map.querySelector('canvas');
  const box = canvas.getBoundingClientRect();
  const place = map.worldToScreen(x, y);
  const ratio = canvas.width / box.width;
  const size = 2 * reach + 1;
  const left = Math.round((place.x - box.left) * ratio) - reach;
  const top = Math.round((place.y - box.top) * ratio) - reach;
  const copy = new OffscreenCanvas(size, size).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, -left, -top);
  const data = copy.getImageData(0, 0, size, size).data;
  return Array.from({ length: size * size }, (_, i) => Array.from(data.slice(4 * i, 4 * i + 3)));
}"""

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the screen, in CSS pixels."""

    x: float
    y: float

    def is_near(self, x: float, y: float, *, within: float = 0.7) -> bool:
        """Tell whether it is at (x, y)."""
        return abs(self.x - x) <= within and abs(self.y - y) <= within


class MapPage:
    """The page at its map."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.get_by_role("link", name="Map", exact=True).click()
        self.canvas = page.locator("#map [role=application]")
        expect(self.canvas).to_be_visible()

    def get(self, name: str) -> Any:
        """Read a member of the map's element."""
        return self.page.evaluate(f"{_ELEMENT}.{name}")

    def place(self, x: float, y: float) -> Place:
        """Tell where a place in metres is on the screen."""
        return Place(**self.page.evaluate(f"([x, y]) => {_ELEMENT}.worldToScreen(x, y)", [x, y]))

    def click(self, x: float, y: float) -> None:
        """Click on a place in metres."""
        place = self.place(x, y)
        self.page.mouse.click(place.x, place.y)

    def has_colour(self, name: str, x: float, y: float, *, reach: int = 4, within: int = 8) -> bool:
        """Tell whether a pixel at most `reach` from a place in metres has the style sheet's colour `--name`.

        `within`: how far each of red, green and blue may be off, of 255.
        """
        wanted = self.colour(name)
        found = self.pixels(x, y, reach=reach)
        return any(max(abs(a - b) for a, b in zip(wanted, pixel, strict=True)) <= within for pixel in found)

    def pixels(self, x: float, y: float, *, reach: int) -> list[list[int]]:
        """Read the colours around a place in metres."""
        found: list[list[int]] = self.page.evaluate(_COLOUR_AT, [x, y, reach])
        return found

    def is_grey(self, x: float, y: float) -> bool:
        """Tell whether a place in metres has the middle grey of a floor plan, and no tint."""
        return all(max(pixel) - min(pixel) <= 4 and 110 <= pixel[0] <= 160 for pixel in self.pixels(x, y, reach=1))

    def expect_grey(self, x: float, y: float) -> None:
        """Wait until the floor plan is there."""
        wait_until(lambda: self.is_grey(x, y), what=f"the floor plan is painted at {x}, {y}")

    def expect_colour(self, name: str, x: float, y: float, *, reach: int = 4, within: int = 8) -> None:
        """Wait until the colour is there."""
        what = f"{name} is painted at {x}, {y}"
        wait_until(lambda: self.has_colour(name, x, y, reach=reach, within=within), what=what)

    def expect_no_colour(self, name: str, x: float, y: float) -> None:
        """Wait until the colour is there no more."""
        wait_until(lambda: not self.has_colour(name, x, y), what=f"{name} is painted no more at {x}, {y}")

    def colour(self, name: str) -> Colour:
        """Read a colour of the style sheet."""
        text = self.page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')").strip()
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)

    def wait_for_robot(self, key: str) -> None:
        """Wait until the map holds a robot."""
        wait_until(
            lambda: self.page.evaluate(f"key => {_ELEMENT}.shows(key)", key), what=f"{key} is on the map", deadline_s=15
        )
