"""A timeline tells when what began and ended, and where the time went."""

import random
from typing import Any

import pytest

from tests.unit.builders import START_S, connection, state
from tests.unit.history.recorded import START_US, record
from vda5050.history import Stored, Timeline, iso_time
from vda5050.history.stretch import MICROSECONDS


def stored(at_s: float, document: Any, *, topic: str = "state") -> Stored:
    """Give a message as it is kept."""
    return Stored(START_US + int(at_s * MICROSECONDS), record(1, document, topic=topic, at_s=at_s))


def summed_up(*messages: Stored, before: tuple[Stored, ...] = (), seconds: float = 100) -> dict[str, Any]:
    """Sum up the time from START_S on."""
    timeline = Timeline(START_US, START_US + int(seconds * MICROSECONDS))
    timeline.begin(before)
    timeline.add(messages)
    return timeline.result()


def at(seconds: float) -> str:
    """Write a time."""
    return iso_time(int((START_S + seconds) * MICROSECONDS))


NODE = {"nodeId": "n2", "sequenceId": 2, "released": True}


def test_time_is_spent_once() -> None:
    """Each moment counts as what the last state said, for no longer than a robot may be silent."""
    fatal = [{"errorType": "e", "errorLevel": "FATAL"}]
    charging = {"batteryCharge": 50, "charging": True}
    result = summed_up(
        stored(0, state(driving=True)),
        stored(10, state(driving=False)),
        stored(15, state(batteryState=charging)),
        stored(30, state(errors=fatal, batteryState=charging, driving=True)),
        stored(31, state()),
    )

    assert result["seconds"] == {"driving": 10.0, "idle": 50.0, "charging": 15.0, "error": 1.0, "silent": 24.0}
    assert sum(result["share"].values()) == pytest.approx(1)
    assert result["messages"] == 5


def test_before_the_first_state_nothing_is_known() -> None:
    """Without a state before, the time until the first one is silence; with one, it is what that said."""
    first = stored(20, state())
    known = summed_up(first, before=(stored(-10, state(driving=True)),), seconds=40)

    assert summed_up(first, seconds=40)["seconds"] == pytest.approx(
        {"driving": 0, "idle": 20, "charging": 0, "error": 0, "silent": 20}
    )
    assert known["seconds"] == pytest.approx({"driving": 20, "idle": 20, "charging": 0, "error": 0, "silent": 0})


def test_orders() -> None:
    """An order lasts from the first state that names it to the one that has nothing left to do, or another order."""
    waiting = [{"actionId": "a", "actionType": "drop", "actionStatus": "RUNNING"}]
    done = [{"actionId": "a", "actionType": "drop", "actionStatus": "FINISHED"}]
    result = summed_up(
        stored(1, state(orderId="old")),
        stored(2, state(orderId="o1", nodeStates=[NODE])),
        stored(3, state(orderId="o1", orderUpdateId=1, nodeStates=[], actionStates=waiting)),
        stored(4, state(orderId="o1", orderUpdateId=1, actionStates=done, lastNodeId="n2")),
        stored(5, state(orderId="o1", orderUpdateId=1, actionStates=done)),
        stored(6, state(orderId="o2", nodeStates=[NODE])),
        stored(7, state(orderId="o3", nodeStates=[NODE])),
    )

    orders = [(order["order_id"], order["started_at"], order["ended_at"]) for order in result["orders"]]
    assert orders == [("o1", at(2), at(4)), ("o2", at(6), at(7)), ("o3", at(7), None)]
    assert result["orders"][0]["order_update_id"] == 1
    assert result["orders"][0]["last_node_id"] == "n2"


@pytest.mark.parametrize(
    ("action", "ended_at"), [("drop", 9), ("liftFork", 9), ("startCharging", 9), (None, 9), ("stateRequest", 2)]
)
def test_an_order_ends_with_its_last_action(action: str | None, ended_at: float) -> None:
    """An action of any type on the last node belongs to the order, unless only instant actions are of that type."""

    def doing(status: str, **said: Any) -> dict[str, Any]:
        return state(
            orderId="o1", actionStates=[{"actionId": "a", "actionType": action, "actionStatus": status}], **said
        )

    result = summed_up(
        stored(1, doing("WAITING", nodeStates=[NODE])),
        stored(2, doing("RUNNING")),
        stored(8, doing("RUNNING")),
        stored(9, doing("FINISHED")),
    )

    assert [order["ended_at"] for order in result["orders"]] == [at(ended_at)]


def test_what_began_before() -> None:
    """What was so already at the start has no beginning in the time asked for."""
    busy = state(orderId="o1", nodeStates=[NODE], errors=[{"errorType": "e", "errorLevel": "WARNING"}])
    result = summed_up(
        stored(5, state()),
        before=(stored(-90, connection(), topic="connection"), stored(-1, busy)),
    )

    assert (result["orders"][0]["started_at"], result["orders"][0]["ended_at"]) == (None, at(5))
    assert (result["errors"][0]["started_at"], result["errors"][0]["ended_at"]) == (None, at(5))
    assert result["connection"] == [{"at": None, "state": "ONLINE"}]


def test_errors() -> None:
    """An error is one episode as long as every state has it; coming back, it is another one."""
    error = [{"errorType": "blocked", "errorLevel": "WARNING", "errorDescription": "a person"}]
    result = summed_up(
        stored(1, state(errors=error)),
        stored(2, state(errors=[*error, {"errorType": "x", "errorLevel": "FATAL"}])),
        stored(3, state()),
        stored(4, state(errors=error)),
    )

    found = [(error["type"], error["started_at"], error["ended_at"]) for error in result["errors"]]
    assert found == [("blocked", at(1), at(3)), ("x", at(2), at(3)), ("blocked", at(4), None)]
    assert result["errors"][0]["description"] == "a person"


def test_charging_and_connection() -> None:
    """A charge has the level before and after; the connection is told when it changes."""
    result = summed_up(
        stored(1, state(batteryState={"batteryCharge": 20, "charging": True})),
        stored(2, state(batteryState={"batteryCharge": 60, "charging": True})),
        stored(3, state(batteryState={"batteryCharge": 61, "charging": False})),
        stored(4, connection(connectionState="OFFLINE"), topic="connection"),
        stored(5, connection(), topic="connection"),
        stored(6, connection(), topic="connection"),
    )

    (charge,) = result["charging"]
    assert charge == {"started_at": at(1), "ended_at": at(3), "charge_before": 20, "charge_after": 61}
    assert result["connection"] == [{"at": at(4), "state": "OFFLINE"}, {"at": at(5), "state": "ONLINE"}]


def there(x: float, y: float = 0.0, map_id: str = "hall") -> dict[str, Any]:
    """Give the state of a robot at a place."""
    return state(agvPosition={"x": x, "y": y, "theta": 0, "mapId": map_id, "positionInitialized": True})


def test_distance() -> None:
    """The way between positions counts; a jump, and a change of the map, is no way."""
    result = summed_up(
        *(stored(number, there(x)) for number, x in enumerate((0, 3, 1.5, 500, 501))),
        stored(9, there(502, map_id="other")),
    )

    assert result["distance_m"] == 5.5


@pytest.mark.parametrize("every_s", [0.1, 1, 30])
def test_distance_however_often_a_robot_reports(every_s: float) -> None:
    """The same drive is the same way, with a state every 30 s (as the standard allows) or ten a second."""
    count = int(600 / every_s)
    result = summed_up(*(stored(number * every_s, there(1.5 * number * every_s)) for number in range(count + 1)))

    assert result["distance_m"] == pytest.approx(900, abs=0.1)


def test_distance_of_states_that_were_held_up() -> None:
    """States that all come at once, after the network was away, count as if each had come in its time."""
    held_up = [stored(60 + number / 1_000, there(2 * number)) for number in range(1, 11)]

    assert summed_up(stored(50, there(0)), *held_up)["distance_m"] == 20


def test_standing_still_is_no_way() -> None:
    """A robot that stands for hours drives nothing, though no position is quite the one before."""
    dice = random.Random(1)
    still = [stored(number, there(dice.gauss(0, 0.005), dice.gauss(0, 0.005))) for number in range(3_600)]

    assert summed_up(*still, stored(3_600, there(400)))["distance_m"] == 0


def test_lists_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A robot that changes all the time gets a list of bounded length that says so; the sums are right."""
    monkeypatch.setattr("vda5050.history.timeline.MAX_EPISODES", 3)
    result = summed_up(*(stored(number, state(orderId=f"o{number}", nodeStates=[NODE])) for number in range(20)))

    assert (len(result["orders"]), result["is_cut"]) == (3, True)
