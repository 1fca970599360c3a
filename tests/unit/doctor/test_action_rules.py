"""Actions: their life cycle, actions that never end, cancelling."""

from typing import Any

import pytest

from tests.unit.doctor.streams import ORDER, Patient, action, breaks, keeps, route
from vda5050.doctor import Severity
from vda5050.doctor.action_rules import CANCEL_AT_LATEST_S, CANCEL_WITHIN_S, STUCK_AFTER_S


def _report(patient: Patient, seconds: float, **members: Any) -> None:
    """Have the robot send the same state every ten seconds, with all that belongs to it."""
    for _ in range(int(seconds) // 10):
        patient.state(**members)
        patient.wait(10)


@breaks("action_transition")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FINISHED", "RUNNING"),
        ("FAILED", "FINISHED"),
        ("FINISHED", "WAITING"),
        ("RUNNING", "WAITING"),
        ("paused", "waiting"),
    ],
)
def test_an_action_does_not_come_back(old: str, new: str) -> None:
    """Nothing leads out of FINISHED or FAILED, or back to WAITING; words are read in any case."""
    patient = Patient()
    patient.state(actionStates=[action(old)])
    patient.state(actionStates=[action(new)])

    assert "action_transition" in patient.rules
    assert patient.finding("action_transition").message.startswith("action a1 went from")


@keeps("action_transition")
@pytest.mark.parametrize(
    "life",
    [
        ("WAITING", "INITIALIZING", "RUNNING", "PAUSED", "RUNNING", "FINISHED", "FINISHED"),
        ("INITIALIZING", "PAUSED", "INITIALIZING", "FAILED"),
        ("WAITING", "FINISHED"),
        ("WAITING", "FAILED"),
        ("RUNNING", "INITIALIZING", "RUNNING"),
    ],
)
def test_an_action_may_live_as_the_figure_says(life: tuple[str, ...]) -> None:
    """Every step of figure 16 is allowed, and steps that were not seen may lie between two states."""
    patient = Patient()
    for status in life:
        patient.state(actionStates=[action(status)])

    assert "action_transition" not in patient.rules


def test_a_retriable_action_may_be_retried() -> None:
    """3.0's RETRIABLE is not final."""
    patient = Patient()
    for status in ("RUNNING", "RETRIABLE", "INITIALIZING", "RUNNING", "RETRIABLE", "FAILED"):
        patient.state(instantActionStates=[action(status)])

    assert "action_transition" not in patient.rules


def test_ids_may_come_again_in_another_order_and_after_a_restart() -> None:
    """An action's id is compared within one order, between two ONLINEs."""
    patient = Patient()
    patient.state(**ORDER, actionStates=[action("FINISHED")])
    patient.state(orderId="o2", actionStates=[action("WAITING")])
    patient.state(orderId="o2", actionStates=[action("FINISHED")])
    patient.connection("ONLINE")
    patient.state(orderId="o2", actionStates=[action("WAITING")])

    assert patient.rules == set()


def test_an_id_that_stands_twice_in_one_state_says_nothing() -> None:
    """Two actions with one id cannot be told apart, so no transition is read into them."""
    patient = Patient()
    for other in ("WAITING", "RUNNING", "FINISHED"):
        patient.state(actionStates=[action("WAITING"), action("FINISHED"), action(other, "a2")])

    assert patient.rules == set()


@breaks("action_stuck")
def test_an_action_that_runs_for_ever_is_found() -> None:
    """A pick that has been RUNNING for more than ten minutes is found."""
    patient = Patient()
    _report(patient, STUCK_AFTER_S + 10, actionStates=[action("RUNNING")])

    assert patient.finding("action_stuck").severity is Severity.WARNING


@keeps("action_stuck")
def test_ten_minutes_may_pass_in_each_status() -> None:
    """Each status has its own ten minutes, and WAITING and PAUSED as long as they like."""
    patient = Patient()
    for status in ("WAITING", "INITIALIZING", "PAUSED", "RUNNING", "FINISHED"):
        _report(patient, STUCK_AFTER_S, actionStates=[action(status)])

    assert "action_stuck" not in patient.rules


def test_how_long_a_vendors_action_takes_is_the_vendors_affair() -> None:
    """An action that the standard does not define is told as a remark; one that waits by nature not at all."""
    patient = Patient()
    patient.wait(1)
    _report(
        patient,
        STUCK_AFTER_S + 10,
        actionStates=[action("RUNNING", "a1", "mopTheFloor"), action("RUNNING", "a2", "waitForTrigger")],
    )

    assert patient.finding("action_stuck").severity is Severity.INFO
    assert "mopTheFloor" in patient.finding("action_stuck").message


def test_what_a_robot_that_is_gone_said_last_is_not_held_against_it() -> None:
    """An action of a robot that sends no states any more is not stuck, as far as is known."""
    patient = Patient()
    patient.state(actionStates=[action("RUNNING")])
    patient.connection("OFFLINE")
    patient.wait(STUCK_AFTER_S + 10)

    assert patient.rules == set()


@breaks("cancel_unfinished")
@pytest.mark.parametrize(
    ("within", "members"),
    [
        (CANCEL_WITHIN_S, {"nodeStates": route("n1")}),
        (CANCEL_WITHIN_S, {"nodeStates": [], "actionStates": [action("RUNNING", "i1", "cancelOrder")]}),
        (CANCEL_AT_LATEST_S, {"nodeStates": route("n1"), "driving": True}),
        (CANCEL_AT_LATEST_S, {"actionStates": [action("RUNNING"), action("RUNNING", "i1", "cancelOrder")]}),
        (CANCEL_AT_LATEST_S, {"actionStates": [action("RUNNING")]}),
        (CANCEL_WITHIN_S, {"actionStates": [action("WAITING", "a1", "waitForTrigger")]}),
        (
            CANCEL_AT_LATEST_S,
            {"nodeStates": route("n1"), "paused": True, "actionStates": [action("RUNNING", "i1", "cancelOrder")]},
        ),
    ],
)
def test_a_cancelling_that_does_not_end_is_found(within: float, members: dict[str, Any]) -> None:
    """A minute for a robot at rest, five for one that drives on, finishes an action, or is paused on its way.

    Whether it lists the cancelOrder or not, and also where only an action is left of the order.
    """
    patient = Patient()
    patient.state(**ORDER, **members)
    patient.instant_action("cancelOrder")
    _report(patient, within, **ORDER, **members)
    in_time = patient.rules == set()
    _report(patient, 10, **ORDER, **members)

    assert in_time
    assert patient.rules == {"cancel_unfinished"}


@keeps("cancel_unfinished")
@pytest.mark.parametrize(
    "members",
    [
        {"nodeStates": [], "actionStates": [action("FINISHED", "i1", "cancelOrder")]},
        {"nodeStates": route("n1"), "actionStates": [action("FAILED", "i1", "cancelOrder")]},
        {"nodeStates": [], "edgeStates": []},
        {"actionStates": [action("RUNNING", "i0", "startCharging"), action("FAILED")]},
        {"orderId": "o2", "nodeStates": route("n1")},
    ],
)
def test_a_cancelling_has_a_minute(members: dict[str, Any]) -> None:
    """Ended in time: reported as such, with nothing left to cancel, or with another order accepted."""
    patient = Patient()
    patient.state(**ORDER, nodeStates=route("n1"))
    patient.instant_action("cancelOrder")
    _report(patient, CANCEL_WITHIN_S, **ORDER, nodeStates=route("n1"))
    _report(patient, 2 * CANCEL_AT_LATEST_S, **(ORDER | members))

    assert patient.rules == set()
