"""Is a message what the standard asks for? The marshmallow schemas, put to work.

Takes a parsed message and its version (`schemas.detection` says which), gives its problems (`validate`); and gives each
topic's JSON Schema for publication (`json_schema`). Needs no network and keeps no state but compiled validators.

    json_schema   marshmallow -> JSON Schema
    overlay, overlays   where the official schemas and the text disagree
    verdict -> problems   valid at once, or what is wrong and what it contradicts
    decoder   some members of a message, decoded only where they are valid: for those who read many
"""

from vda5050.schemas import Version
from vda5050.schemas.detection import detect_version
from vda5050.validation.decoder import DECODED_TOPICS, REFUSALS, Decode, strict_decoder
from vda5050.validation.json_schema import json_schema
from vda5050.validation.overlay import Overlay
from vda5050.validation.overlays import OVERLAYS
from vda5050.validation.problems import Contradicts, Problem, Severity
from vda5050.validation.verdict import is_starting_up, overlays_of, validate

__all__ = [
    "DECODED_TOPICS",
    "OVERLAYS",
    "REFUSALS",
    "Contradicts",
    "Decode",
    "Overlay",
    "Problem",
    "Severity",
    "Version",
    "detect_version",
    "is_starting_up",
    "json_schema",
    "overlays_of",
    "strict_decoder",
    "validate",
]
