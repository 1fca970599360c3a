"""The header: numbering, identity, clock."""

import pytest

from tests.unit.doctor.streams import POSITION, Patient, breaks, keeps, stamp
from vda5050.doctor import Severity


@breaks("header_id_gap")
def test_a_skipped_number_is_a_lost_message() -> None:
    """A headerId that rises by two is a gap, and the finding says how many are missing."""
    patient = Patient()
    patient.state(headerId=7)
    patient.state(headerId=9)

    assert patient.rules == {"header_id_gap"}
    assert "1 message did not arrive" in patient.finding("header_id_gap").message


@keeps("header_id_gap")
def test_numbers_in_a_row_are_no_gap_even_where_they_wrap() -> None:
    """Numbers that rise by one are right, also from the last uint32 to 0, and each topic counts for itself."""
    patient = Patient()
    for number in (2**32 - 2, 2**32 - 1, 0, 1):
        patient.state(headerId=number)
    patient.visualization(headerId=500)

    assert patient.rules == set()


@pytest.mark.parametrize("topic", ["order", "instantActions"])
def test_gaps_of_a_master_are_remarks(topic: str) -> None:
    """A master may count over all its robots (vda-5050-lib does), so its gaps are told as "info" only."""
    patient = Patient()
    for number in (1, 4):
        if topic == "order":
            patient.order(headerId=number)
        else:
            patient.send(topic, {"headerId": number})

    assert patient.finding("header_id_gap").severity is Severity.INFO


@breaks("header_id_duplicate")
def test_a_number_twice_is_a_duplicate() -> None:
    """The same headerId twice in a row is found."""
    patient = Patient()
    patient.state(headerId=7)
    patient.state(headerId=7)

    assert patient.rules == {"header_id_duplicate"}
    assert patient.finding("header_id_duplicate").severity is Severity.WARNING


@keeps("header_id_duplicate")
def test_a_number_once_on_each_topic_is_no_duplicate() -> None:
    """The same headerId on two topics is right: it is defined per topic."""
    patient = Patient()
    patient.state(headerId=7)
    patient.visualization(headerId=7)

    assert patient.rules == set()


@breaks("header_id_reset")
def test_a_number_that_falls_is_a_reset() -> None:
    """A headerId that falls without a new ONLINE is told as a remark."""
    patient = Patient()
    patient.state(headerId=700)
    patient.state(headerId=0)

    assert patient.rules == {"header_id_reset"}
    assert patient.finding("header_id_reset").severity is Severity.INFO


@keeps("header_id_reset")
@pytest.mark.parametrize("before", ["OFFLINE", "CONNECTIONBROKEN", "ONLINE"])
def test_a_robot_that_comes_online_may_number_anew(before: str) -> None:
    """After an ONLINE the numbering may begin anew, whether its end had been told or not."""
    patient = Patient()
    patient.connection(before)
    patient.state(headerId=700)
    if before != "ONLINE":
        patient.connection(before)
    patient.connection("ONLINE")
    patient.state(headerId=0)
    patient.state(headerId=1)

    assert patient.rules == set()


def test_what_lies_between_two_onlines_is_not_counted_as_lost() -> None:
    """A robot that goes on counting where its connection broke has lost nothing that it could have sent."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.state(headerId=700)
    patient.connection("CONNECTIONBROKEN")
    patient.connection("ONLINE")
    patient.state(headerId=720)

    assert patient.rules == set()


@pytest.mark.parametrize("end", ["OFFLINE", "CONNECTIONBROKEN"])
@pytest.mark.parametrize("number", [700, 0, 720])
def test_what_comes_just_before_an_online_is_not_compared(end: str, number: int) -> None:
    """A robot that is back may send a message before it says so; what it sent meanwhile, or began anew, is no fault."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.state(headerId=700)
    patient.connection(end)
    patient.sleep(20)
    patient.state(headerId=number)
    patient.connection("ONLINE")
    patient.state(headerId=number + 1)

    assert patient.rules == set()


@pytest.mark.parametrize("number", [None, "7", True, 7.5, -1, 2**32, {"a": 1}])
def test_a_number_that_cannot_be_read_is_not_counted(number: object) -> None:
    """An unusable headerId is the schema's matter; the numbering goes on after it."""
    patient = Patient()
    patient.state(headerId=7)
    patient.state(headerId=number)
    patient.state(headerId=8)

    assert patient.rules == {"schema"}


@breaks("header_topic_mismatch")
def test_a_header_with_another_name_is_found() -> None:
    """A header that names another robot than the topic is found on every topic."""
    patient = Patient()
    patient.connection("ONLINE", serialNumber="dex")

    assert patient.rules == {"header_topic_mismatch"}


@keeps("header_topic_mismatch")
def test_a_header_without_a_name_does_not_contradict_the_topic() -> None:
    """A visualization need not carry its header (2.1.0), so what is missing is no mismatch."""
    patient = Patient()
    patient.send("visualization", {"serialNumber": "KR_1001"})
    patient.visualization()

    assert patient.rules == set()


@breaks("clock_skew")
def test_a_clock_that_stays_wrong_is_found() -> None:
    """A clock six seconds behind is found when it has been so for more than five seconds."""
    patient = Patient()
    for _ in range(7):
        patient.sleep(1)
        patient.state(timestamp=stamp(patient.wall - 6))

    assert patient.rules == {"clock_skew"}
    assert patient.finding("clock_skew").message == "the robot's clock is 6 s behind the gateway's"


def test_a_message_without_a_time_hides_no_wrong_clock() -> None:
    """Between the states a visualization may come without its header (up to 2.1); it does not set the clock right."""
    patient = Patient()
    for second in range(70):
        patient.sleep(0.1)
        if second % 10 == 0:
            patient.state(timestamp=stamp(patient.wall - 86_400))
        else:
            patient.send("visualization", {"agvPosition": POSITION})

    assert patient.rules == {"clock_skew"}
    assert patient.finding("clock_skew").topic == "state"


@keeps("clock_skew")
def test_a_clock_five_seconds_off_is_right_enough() -> None:
    """Five seconds are within what networks and people cause."""
    patient = Patient()
    for skew in (5, -5, 5, -5):
        patient.sleep(10)
        patient.state(timestamp=stamp(patient.wall + skew))

    assert patient.rules == set()


def test_messages_that_were_held_up_are_no_wrong_clock() -> None:
    """A burst of old messages (a gateway or a network that stood still) does not accuse the robot's clock."""
    patient = Patient()
    for age in range(60, 0, -1):
        patient.sleep(0.05)
        patient.state(timestamp=stamp(patient.wall - age))
    patient.sleep(5)
    patient.state()

    assert patient.rules == set()


@pytest.mark.parametrize("timestamp", ["2023-11-14", "yesterday", "", 0, None, "9999-99-99T00:00:00Z"])
def test_a_time_that_cannot_be_read_is_no_skew(timestamp: object) -> None:
    """Only a date and time is compared with the clock; all else is the schema's matter."""
    patient = Patient()
    for _ in range(4):
        patient.sleep(5)
        patient.state(timestamp=timestamp)

    assert patient.rules <= {"schema"}


def test_a_will_is_never_judged_by_its_header() -> None:
    """A last will's headerId and timestamp are always outdated (2.1.0, 6.14): no gap, duplicate, reset or skew."""
    patient = Patient()
    patient.connection("ONLINE", headerId=5)
    for _ in range(5):
        patient.sleep(10)
        patient.connection("CONNECTIONBROKEN", headerId=4, timestamp="2020-01-01T00:00:00.00Z")
        patient.connection("ONLINE", headerId=40)

    assert patient.rules == set()
