"""When messages come: late, missing, or while they should not."""

import pytest

from tests.unit.doctor.streams import Patient, breaks, keeps


@breaks("state_late")
def test_a_state_is_late_after_its_thirty_seconds_and_a_grace() -> None:
    """No state for more than 33 s is found."""
    patient = Patient()
    patient.state()
    patient.wait(33, rest=0.1)

    assert patient.rules == {"state_late"}


@keeps("state_late")
def test_a_state_every_thirty_seconds_is_in_time() -> None:
    """A state after 33 s, grace included, is in time."""
    patient = Patient()
    patient.state()
    patient.wait(33)
    patient.state()
    patient.wait(33)

    assert patient.rules == set()


@pytest.mark.parametrize("connection", ["OFFLINE", "CONNECTIONBROKEN", "CONNECTION_BROKEN", "HIBERNATING", "offline"])
def test_no_state_is_due_from_a_robot_that_is_not_there(connection: str) -> None:
    """A robot that is offline, cut off or hibernating is not late."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.state()
    patient.connection(connection)
    patient.wait(300)

    assert patient.rules <= {"schema"}


def test_a_factsheet_may_promise_more_states() -> None:
    """With defaultStateInterval 5 a state is late after 8 s, also where the factsheet is retained."""
    patient = Patient()
    patient.factsheet(5, is_retained=True)
    patient.state()
    patient.wait(8)
    in_time = "state_late" not in patient.rules
    patient.wait(1)

    assert in_time
    assert "one is due every 5 s" in patient.finding("state_late").message


@pytest.mark.parametrize("interval", [0, -1, 60, 1e9, True, "5", None])
def test_a_factsheet_cannot_promise_fewer_states(interval: float | None) -> None:
    """The standard's 30 s hold where the factsheet says more, nothing, or nonsense; also after it said less."""
    patient = Patient()
    patient.factsheet(5)
    patient.factsheet(interval)
    patient.state()
    patient.wait(33)
    in_time = "state_late" not in patient.rules
    patient.wait(1)

    assert in_time
    assert "state_late" in patient.rules


@breaks("online_but_silent")
def test_a_robot_that_comes_online_owes_a_state() -> None:
    """ONLINE, and no state within 33 s, is found."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.wait(33, rest=0.1)

    assert patient.rules == {"online_but_silent"}


@keeps("online_but_silent")
def test_a_robot_that_comes_online_has_thirty_seconds() -> None:
    """A state 33 s after ONLINE is in time."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.wait(33)
    patient.state()
    patient.wait(33)

    assert patient.rules == set()


def test_a_robot_that_says_online_again_and_again_is_silent_all_the_same() -> None:
    """A repeated ONLINE does not put off when a state is due."""
    patient = Patient()
    for _ in range(10):
        patient.connection("ONLINE")
        patient.wait(5)

    assert patient.rules == {"online_but_silent"}


def test_a_robot_that_only_visualizes_is_silent() -> None:
    """With a retained ONLINE a robot is waited for from its first sign of life on."""
    patient = Patient()
    patient.connection("ONLINE", is_retained=True)
    patient.wait(40)
    for _ in range(35):
        patient.visualization()
        patient.wait(1)

    assert patient.rules == {"online_but_silent"}


@breaks("stale_retained_ghost")
def test_a_retained_online_alone_is_a_ghost() -> None:
    """A retained ONLINE, and nothing of the robot for more than a minute, is found; a master's orders do not count."""
    patient = Patient()
    patient.connection("ONLINE", is_retained=True)
    patient.order()
    patient.wait(60, rest=0.1)

    assert patient.rules == {"stale_retained_ghost"}


@keeps("stale_retained_ghost")
def test_a_retained_online_with_a_sign_of_life_is_no_ghost() -> None:
    """One message of the robot within a minute is enough; so is a connection message that is not ONLINE."""
    patient = Patient()
    patient.connection("ONLINE", is_retained=True)
    patient.wait(60)
    patient.visualization()
    patient.wait(10)
    gone = Patient()
    gone.connection("OFFLINE", is_retained=True)
    gone.wait(300)

    assert patient.rules == gone.rules == set()


@breaks("offline_but_talking")
@pytest.mark.parametrize("connection", ["OFFLINE", "CONNECTIONBROKEN"])
def test_a_robot_that_goes_on_talking_is_not_offline(connection: str) -> None:
    """A robot that sends for more than two seconds while its connection says that it is gone is found."""
    patient = Patient()
    patient.connection(connection)
    patient.state()
    patient.sleep(2.1)
    patient.visualization()

    assert patient.rules == {"offline_but_talking"}


@keeps("offline_but_talking")
def test_messages_may_overtake_the_word_that_they_belong_to() -> None:
    """What comes within two seconds of an OFFLINE, or before an ONLINE, was under way."""
    patient = Patient()
    patient.connection("OFFLINE")
    patient.sleep(1)
    patient.state()
    patient.sleep(600)
    patient.connection("OFFLINE", is_retained=True)
    patient.sleep(600)
    patient.state()
    patient.sleep(2)
    patient.state()
    patient.connection("ONLINE")
    patient.sleep(2)
    patient.state()

    assert patient.rules == set()


def test_a_hibernating_robot_may_send_states() -> None:
    """A robot that hibernates need not send states (3.0.0, 6.2.3.1); nothing forbids it."""
    patient = Patient()
    patient.connection("HIBERNATING")
    for _ in range(5):
        patient.sleep(10)
        patient.state()

    assert "offline_but_talking" not in patient.rules
