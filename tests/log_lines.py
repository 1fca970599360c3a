"""The gateway's log as a machine reads it: where it is no terminal, every line is a JSON object."""

import json
from typing import Any

from tests.services import Service


def log_lines(service: Service) -> list[dict[str, Any]]:
    """Parse what a gateway printed so far. Raises ValueError for a line that is no JSON object with an event."""
    *whole, _ = service.output().split("\n")  # the last one may be half written
    lines = [json.loads(line) for line in whole]
    if not all(isinstance(line, dict) and "event" in line for line in lines):
        raise ValueError(whole)
    return lines
