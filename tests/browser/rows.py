"""Finds what the list shows of one robot."""

from playwright.sync_api import Locator, Page


def row(page: Page, robot: str) -> Locator:
    """Find a robot's row by `manufacturer/serial_number`."""
    return page.locator(".robot", has=page.get_by_role("button", name=f"{robot}: show its messages", exact=True))


def field(page: Page, robot: str, name: str) -> Locator:
    """Find one text of a robot's row by its data-field."""
    return row(page, robot).locator(f"[data-field={name}]")
