"""Why a layout or a floor plan cannot be used."""

from vda5050.errors import Vda5050Error


class SiteMapError(Vda5050Error):
    """A file for a map cannot be used. `code` is for programs; `problems` are {path, message}, maybe none."""

    def __init__(self, code: str, detail: str, problems: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.problems = problems or []
