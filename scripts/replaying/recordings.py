"""Recorded messages from lines, of a file or of a gateway: standard library only.

Understood are, each on a line of its own,

    {"received_at": ..., "mqtt_topic": ..., "payload": ...}   the NDJSON of a gateway's /history/export
    {"topic": ..., "payload": ..., "received" or "tst": ...}  process_vda5050_messages.py --json, mosquitto_sub -F %j
    topic payload                                             mosquitto_sub -v

A line without a time of receipt has that of the payload's `timestamp`, or none. What is no message is skipped and
counted. The payloads of exports and of `mosquitto_sub -v` are the very bytes; those of other JSON lines are written
anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_PAYLOAD = b',"payload":'
TOPIC_NAMES = frozenset(
    {"order", "instantActions", "state", "visualization", "connection", "factsheet", "zoneSet", "responses"}
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message; `at` is epoch seconds, None where nothing says when it was."""

    topic: str
    payload: bytes
    at: float | None


class Recording:
    """The messages of lines; iterate once, then `skipped` counts the lines that were none."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.skipped = 0

    def __iter__(self) -> Iterator[Recorded]:
        for raw in self._lines:
            line = raw.strip()
            found = _read_json(line) if line.startswith(b"{") else _read_plain(line)
            if found is not None:
                yield found
            elif line:
                self.skipped += 1


def _read_json(line: bytes) -> Recorded | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    topic = entry.get("mqtt_topic", entry.get("topic"))
    if not _is_topic(topic) or "payload" not in entry:
        return None
    payload = entry["payload"]
    if "mqtt_topic" in entry:
        # Inside a string its quotes would be escaped, so this is where the last member begins.
        data = line.partition(_PAYLOAD)[2][:-1]
    else:
        data = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
    stamps = (entry.get("received_at"), entry.get("received"), entry.get("tst"), _stamp(payload))
    return Recorded(topic, data, next((at for stamp in stamps if (at := seconds_of(stamp)) is not None), None))


def _read_plain(line: bytes) -> Recorded | None:
    topic, _, payload = line.partition(b" ")
    try:
        text = topic.decode()
        document = json.loads(payload)
    except ValueError:
        return None
    return Recorded(text, payload, seconds_of(_stamp(document))) if _is_topic(text) else None


def _stamp(document: Any) -> object:
    return document.get("timestamp") if isinstance(document, dict) else None


def _is_topic(topic: object) -> bool:
    """Tell whether a robot's message may have been published there."""
    return isinstance(topic, str) and topic.count("/") >= 3 and topic.rpartition("/")[2] in TOPIC_NAMES


def seconds_of(stamp: object) -> float | None:
    """Read ISO 8601 as epoch seconds, without a zone as UTC; None for anything else."""
    if not isinstance(stamp, str):
        return None
    text = stamp.replace("Z+", "+").replace("Z-", "-")  # mosquitto_sub 2.0 writes 2026-11-23T16:28:40.559721Z+0000
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
