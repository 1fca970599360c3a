"""Finds what the fleet's table shows of one robot, and opens a robot's page."""

from urllib.parse import quote

from playwright.sync_api import Locator, Page

_UNQUOTED = "!'()*"  # what JavaScript's encodeURIComponent leaves beside letters, digits and -_.~


def row(page: Page, robot: str) -> Locator:
    """Find a robot's row by `manufacturer/serial_number`; it is there while it is on the screen."""
    return page.locator(f'#fleet .row[data-robot="{_css(robot)}"]')


def cell(page: Page, robot: str, column: str) -> Locator:
    """Find one cell of a robot's row by its column's id."""
    return row(page, robot).locator(f".c-{column}")


def robot_address(robot: str) -> str:
    """Give the part of the address after # that shows a robot's page."""
    manufacturer, _, serial_number = robot.partition("/")
    return f"#/robot/{quote(manufacturer, safe=_UNQUOTED)}/{quote(serial_number, safe=_UNQUOTED)}"


def _css(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
