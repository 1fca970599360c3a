"""One robot's time, summed up: orders, errors, connection, charging, distance, and what it did how long.

Takes its messages in order, gives a dictionary (shape: `api.answers.TimelineSchema`). Pure; holds what it found, not
the messages. Times are those of receipt; None stands for a beginning before the time asked for, and for an end after
it. What a state says holds until the next one, but no longer than MAX_SILENCE_S: a robot that was silent is counted as
silent, not as what it did last. (The standard asks for a state every 30 s.)

Each moment counts once: as in error (an error of the highest level), else charging, else driving, else idle.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from vda5050.history.reader import Stored
from vda5050.history.rows import view_of
from vda5050.history.stretch import MICROSECONDS, iso_time

MAX_SILENCE_S = 45.0
MAX_SPEED_M_S, SLACK_M = 10.0, 1.0
"""Two positions further apart than this allows are no drive but a new localisation, or another place in a map."""
MIN_STEP_M = 0.05
"""A robot nearer than this to where it was counted last may stand still: its localisation is never quite steady."""
TOGETHER_US = 50_000
"""States that come within so much of each other were held up on their way."""
MAX_EPISODES = 1_000
"""Of each kind; a robot that changes more often in the time asked for is not helped by a longer list."""
BLOCKING_LEVELS = frozenset({"FATAL", "CRITICAL"})
_ACTIVITIES = ("driving", "idle", "charging", "error", "silent")


class Timeline:
    """Gathers one robot's messages with start_us <= id < end_us; those before (`begin`) only say how it was then."""

    def __init__(self, start_us: int, end_us: int) -> None:
        self._start_us = start_us
        self._end_us = end_us
        self._orders: list[dict[str, Any]] = []
        self._errors: list[dict[str, Any]] = []
        self._open_errors: dict[tuple[Any, Any], dict[str, Any]] = {}
        self._connection: list[dict[str, Any]] = []
        self._charging: list[dict[str, Any]] = []
        self._spent_us: Counter[str] = Counter()
        self._activity = "silent"
        self._activity_since_us = start_us
        self._known_until_us = start_us
        self._place: tuple[Any, float, float] | None = None
        self._place_seen_us = self._place_since_us = 0
        self._distance_m = 0.0
        self._messages = 0
        self._is_cut = False
        self._is_before = False

    def begin(self, messages: Iterable[Stored]) -> None:
        """Learn how the robot was at the start, from the last message of each topic before it."""
        self._is_before = True
        for stored in messages:
            self._take(stored, max(stored.id, self._start_us), stored.id)
        self._is_before = False

    def add(self, messages: Iterable[Stored]) -> None:
        """Take the next messages, in order."""
        for stored in messages:
            self._messages += 1
            self._take(stored, stored.id, stored.id)

    def result(self) -> dict[str, Any]:
        """Sum up."""
        self._spend(self._end_us)
        total = max(1, self._end_us - self._start_us)
        return {
            "from": iso_time(self._start_us),
            "to": iso_time(self._end_us),
            "messages": self._messages,
            "orders": self._orders,
            "errors": self._errors,
            "connection": self._connection,
            "charging": self._charging,
            "distance_m": round(self._distance_m, 3),
            "seconds": {name: round(self._spent_us[name] / MICROSECONDS, 3) for name in _ACTIVITIES},
            "share": {name: round(self._spent_us[name] / total, 6) for name in _ACTIVITIES},
            "is_cut": self._is_cut,
        }

    def _take(self, stored: Stored, at_us: int, seen_us: int) -> None:
        topic = stored.record.address.topic
        if topic == "connection":
            self._connect(view_of(stored)["connection_state"], at_us)
        elif topic == "state":
            view = view_of(stored)
            self._order(view, at_us)
            self._note_errors(view["errors"] or [], at_us)
            self._charge(view["battery"] or {}, at_us)
            self._drive(view["position"] or {}, seen_us)
            self._do(_activity(view), at_us, seen_us)

    def _connect(self, state: str | None, at_us: int) -> None:
        if not self._connection or self._connection[-1]["state"] != state:
            self._append(self._connection, {"at": self._beginning(at_us), "state": state})

    def _order(self, view: dict[str, Any], at_us: int) -> None:
        order = view["order"] or {}
        order_id = order.get("order_id")
        present = self._orders[-1] if self._orders and self._orders[-1]["ended_at"] is None else None
        is_done = not order.get("nodes") and not order.get("edges")
        if present is not None and present["order_id"] != order_id:
            present["ended_at"] = iso_time(at_us)
            present = None
        if order_id and present is None and not self._is_old(order_id, is_done=is_done):
            present = {"order_id": order_id, "started_at": self._beginning(at_us), "ended_at": None}
            present |= {"order_update_id": None, "last_node_id": None}
            self._append(self._orders, present)
        if present is not None:
            present["order_update_id"] = order.get("order_update_id")
            present["last_node_id"] = order.get("last_node_id")
            if is_done and not any(_is_at_work(action) for action in view["actions"] or ()):
                present["ended_at"] = iso_time(at_us)

    def _is_old(self, order_id: str, *, is_done: bool) -> bool:
        """Tell whether a robot without anything to do still names the order that it has done."""
        return is_done and (not self._orders or self._orders[-1]["order_id"] == order_id)

    def _note_errors(self, errors: list[dict[str, Any]], at_us: int) -> None:
        present = {(error["type"], error["level"]): error for error in errors}
        for key in [key for key in self._open_errors if key not in present]:
            self._open_errors.pop(key)["ended_at"] = iso_time(at_us)
        for key, error in present.items():
            if key not in self._open_errors:
                episode = {"type": key[0], "level": key[1], "description": error["description"]}
                episode |= {"started_at": self._beginning(at_us), "ended_at": None}
                self._open_errors[key] = episode
                self._append(self._errors, episode)

    def _charge(self, battery: dict[str, Any], at_us: int) -> None:
        present = self._charging[-1] if self._charging and self._charging[-1]["ended_at"] is None else None
        charge = battery.get("charge")
        if present is None and battery.get("is_charging"):
            present = {"started_at": self._beginning(at_us), "ended_at": None}
            present |= {"charge_before": charge, "charge_after": charge}
            self._append(self._charging, present)
        elif present is not None:
            present["charge_after"] = charge
            if not battery.get("is_charging"):
                present["ended_at"] = iso_time(at_us)

    def _drive(self, position: dict[str, Any], seen_us: int) -> None:
        """Count the way from the last place that was counted, where it is long enough to be one."""
        x, y = position.get("x"), position.get("y")
        if x is None or y is None:
            return
        place, known = (position.get("map_id"), x, y), self._place
        if seen_us - self._place_seen_us > TOGETHER_US:  # else they share the time since the one before them
            self._place_since_us = self._place_seen_us
        self._place_seen_us = seen_us
        if known is None or known[0] != place[0]:
            self._place = place
            return
        step = math.dist(known[1:], place[1:])
        if step < MIN_STEP_M:
            return
        time_s = min((seen_us - self._place_since_us) / MICROSECONDS, MAX_SILENCE_S)
        if step <= MAX_SPEED_M_S * time_s + SLACK_M:
            self._distance_m += step
        self._place = place

    def _do(self, activity: str, at_us: int, seen_us: int) -> None:
        self._spend(at_us)
        self._activity = activity
        self._activity_since_us = at_us
        self._known_until_us = seen_us + int(MAX_SILENCE_S * MICROSECONDS)

    def _spend(self, until_us: int) -> None:
        """Count the time since the last state."""
        since = self._activity_since_us
        known = min(until_us, max(since, self._known_until_us if self._activity != "silent" else since))
        self._spent_us[self._activity] += known - since
        self._spent_us["silent"] += until_us - known

    def _beginning(self, at_us: int) -> str | None:
        return None if self._is_before else iso_time(at_us)

    def _append(self, episodes: list[dict[str, Any]], episode: dict[str, Any]) -> None:
        if len(episodes) < MAX_EPISODES:
            episodes.append(episode)
        else:
            self._is_cut = True


def _activity(view: dict[str, Any]) -> str:
    if any(error["level"] in BLOCKING_LEVELS for error in view["errors"] or ()):
        return "error"
    if (view["battery"] or {}).get("is_charging"):
        return "charging"
    return "driving" if view["driving"] else "idle"


def _is_at_work(action: dict[str, Any]) -> bool:
    """Tell whether an action keeps an order going; one of unknown kind does: before 3.0 only five types are told."""
    return action["kind"] not in ("instant", "zone") and action["status"] not in ("FINISHED", "FAILED", None)
