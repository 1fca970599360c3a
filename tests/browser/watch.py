"""Judges a page: Chromium tells what it did, a test fails for what no page of the gateway may do."""

from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page


class Watch:
    """What a page did that no page may do: errors, and requests to anybody but the gateway."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self._expected: tuple[str, ...] = ()

    def expect_errors(self, *parts: str) -> None:
        """Let messages that contain one of `parts` pass: the browser's own words about a gateway that is away."""
        self._expected = parts

    def attach(self, page: Page) -> None:
        """Watch a page from before its first request."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self._requested(request.url))

    def unexpected_errors(self) -> list[str]:
        return [error for error in self.errors if not any(part in error for part in self._expected)]

    def _dialog(self, dialog: Dialog) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _requested(self, url: str) -> None:
        parts = urlsplit(url.removeprefix("blob:"))  # what the page itself holds
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.strangers.append(url)


OpenPage = Callable[..., Page]
"""What the fixture `open_page` gives: viewport and clock -> a page whose stream is live."""
