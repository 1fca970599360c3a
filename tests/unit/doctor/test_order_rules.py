"""Orders: how master control builds and updates them, and how the robot takes them up."""

from typing import Any

import pytest

from tests.unit.doctor.streams import ORDER, Patient, breaks, keeps, path, route
from vda5050.doctor import Severity


def _error(error_type: str, **reference: object) -> dict[str, Any]:
    references = [{"referenceKey": key, "referenceValue": value} for key, value in reference.items()]
    return {"errorType": error_type, "errorLevel": "WARNING", "errorReferences": references}


def _with_sequence_ids(*numbers: int) -> dict[str, Any]:
    parts = path("n0 n1 n2")
    for place, number in enumerate(numbers):
        parts["nodes" if place % 2 == 0 else "edges"][place // 2]["sequenceId"] = number
    return parts


def _with_released(*released: bool) -> dict[str, Any]:
    parts = path("n0 n1 n2")
    for place, is_released in enumerate(released):
        parts["nodes" if place % 2 == 0 else "edges"][place // 2]["released"] = is_released
    return parts


@breaks("order_graph")
@pytest.mark.parametrize(
    ("parts", "place"),
    [
        (_with_sequence_ids(0, 1, 2, 3, 5), "/sequenceId"),
        (_with_sequence_ids(0, 3, 1, 4, 2), "/sequenceId"),
        (_with_sequence_ids(2, 3, 4, 5, 6), "/nodes/0/sequenceId"),
        ({"edges": []}, "/nodes"),
        ({"nodes": [], "edges": []}, "/nodes"),
    ],
)
def test_an_order_that_is_no_path_is_found(parts: dict[str, Any], place: str) -> None:
    """A gap in the sequenceIds, nodes numbered for themselves, a new order that begins at 2, a node too few."""
    patient = Patient()
    patient.order("n0 n1 n2", **parts)

    assert patient.finding("order_graph").place == place


@keeps("order_graph")
def test_an_update_goes_on_counting() -> None:
    """Numbers that rise by one over nodes and edges are right; in an update from the stitching node's on."""
    patient = Patient()
    patient.order("n0 n1 n2")
    patient.state(**ORDER, nodeStates=route("n1", "n2"))
    patient.order("n2 n3 n4", first=4, orderUpdateId=1)
    patient.order("n0", orderId="o2")

    assert patient.rules == set()


@breaks("order_base")
@pytest.mark.parametrize(
    "released",
    [
        (True, False, False, True, True),
        (True, True, True, False, True),
        (True, True, False, False, False),
        (False, True, True, True, True),
    ],
)
def test_what_is_released_after_the_horizon_began_is_found(released: tuple[bool, ...]) -> None:
    """Base after horizon, and an edge that is released without the node it leads to, are found."""
    patient = Patient()
    patient.order("n0 n1 n2", **_with_released(*released))

    assert patient.rules == {"order_base"}
    assert patient.finding("order_base").severity is Severity.ERROR


@keeps("order_base")
@pytest.mark.parametrize("base", [1, 2, 3])
def test_a_horizon_follows_its_base(base: int) -> None:
    """A base with a horizon, and a base alone, are right."""
    patient = Patient()
    patient.order("n0 n1 n2", base=base)

    assert patient.rules == set()


@breaks("order_stitching")
@pytest.mark.parametrize(("node", "first"), [("n2", 4), ("n1", 4), ("n0", 0)])
def test_an_update_that_begins_elsewhere_is_found(node: str, first: int) -> None:
    """An update must begin at the base's last node: n1 with sequenceId 2 here, in name and number."""
    patient = Patient()
    patient.order("n0 n1 n2", base=2)
    patient.state(**ORDER, nodeStates=route("n1", "n2"))
    patient.order(f"{node} n9", first=first, orderUpdateId=1)

    assert patient.rules == {"order_stitching"}


@keeps("order_stitching")
def test_an_update_that_begins_at_the_last_base_node_is_right() -> None:
    """An update continues the base; the horizon may become another."""
    patient = Patient()
    patient.order("n0 n1 n2", base=2)
    patient.state(**ORDER, nodeStates=route("n1", "n2"))
    patient.order("n1 n7 n8", first=2, base=2, orderUpdateId=1)
    patient.order("n7 n9", first=4, orderUpdateId=2)

    assert patient.rules == set()


def test_after_a_rejected_update_the_next_may_begin_where_that_one_did() -> None:
    """The base is what the robot took, not what was sent: a rejected update leaves it as it was."""
    patient = Patient()
    patient.order("n0 n1", base=2)
    patient.state(**ORDER, nodeStates=route("n1"))
    patient.order("n1 n5", first=2, orderUpdateId=1)
    patient.sleep(2)
    patient.state(**ORDER, nodeStates=route("n1"), errors=[_error("noRouteError")])
    patient.order("n1 n6", first=2, orderUpdateId=2)

    assert patient.rules == set()


def test_an_update_that_was_taken_moves_the_base() -> None:
    """Once the robot reports an update, the next one must begin at that one's end, not at an older one."""
    patient = Patient()
    patient.order("n0 n1")
    patient.order("n1 n2", first=2, orderUpdateId=1)
    patient.state(**ORDER | {"orderUpdateId": 1}, nodeStates=route("n1", "n2"))
    patient.order("n1 n3", first=2, orderUpdateId=2)

    assert patient.rules == {"order_stitching"}


def test_an_order_that_ended_early_goes_on_where_the_robot_stands() -> None:
    """A robot with nothing left to do is continued from its last node, wherever the base would have ended."""
    patient = Patient()
    patient.order("n0 n1 n2")
    patient.state(**ORDER, lastNodeId="n1", lastNodeSequenceId=2)
    patient.order("n1 n3", first=2, orderUpdateId=1)

    assert patient.rules == set()


def test_updates_that_were_not_seen_are_not_stitched() -> None:
    """Where an update in between may have been missed, and of an order whose beginning was, nothing is said."""
    patient = Patient()
    patient.order("n5 n6", first=10, orderUpdateId=4)
    patient.order("n8 n9", first=16, orderUpdateId=6)

    assert patient.rules == set()


@breaks("order_update_backwards")
def test_an_update_below_that_of_the_robot_is_found() -> None:
    """The robot has update 3; an order with update 2 must be rejected."""
    patient = Patient()
    patient.state(orderId="o1", orderUpdateId=3)
    patient.order(orderUpdateId=2)

    assert patient.rules == {"order_update_backwards"}


@keeps("order_update_backwards")
def test_a_low_update_of_what_the_robot_does_not_have_is_right() -> None:
    """Another order, an update that the robot rejected, and an order that it forgot in a restart begin lower."""
    patient = Patient()
    patient.state(orderId="o1", orderUpdateId=3)
    patient.order(orderId="o2", orderUpdateId=0)
    patient.sleep(2)
    patient.state(orderId="o2", orderUpdateId=0)
    patient.order(orderId="o2", orderUpdateId=5, **path("n1 n2", first=2))
    patient.sleep(2)
    patient.state(orderId="o2", orderUpdateId=0, errors=[_error("orderUpdateError")])
    patient.order(orderId="o2", orderUpdateId=1, **path("n1 n2", first=2))
    patient.sleep(2)
    patient.state(orderId="o2", orderUpdateId=1)
    patient.connection("ONLINE")
    patient.state()
    patient.order(orderId="o2", orderUpdateId=0)

    assert patient.rules == set()


@breaks("order_same_update")
def test_an_update_that_changes_under_its_number_is_found() -> None:
    """The same orderUpdateId with other nodes must be ignored by the robot, which the master does not want."""
    patient = Patient()
    patient.order("n0 n1")
    patient.state(**ORDER)
    patient.order("n0 n2")

    assert patient.rules == {"order_same_update"}


@keeps("order_same_update")
def test_an_update_may_be_sent_again() -> None:
    """Sent again with another header it is ignored, which is meant; after a rejection its content may change."""
    patient = Patient()
    patient.order("n0 n1")
    patient.sleep(2)
    patient.order("n0 n1")
    patient.state(errors=[_error("validationError")])
    patient.order("n0 n2")

    assert patient.rules == set()


@breaks("state_update_backwards")
def test_a_robot_does_not_go_back_to_an_older_update() -> None:
    """A lower orderUpdateId of the same order in the next state is found."""
    patient = Patient()
    patient.state(orderId="o1", orderUpdateId=2)
    patient.state(orderId="o1", orderUpdateId=1)

    assert patient.rules == {"state_update_backwards"}


@keeps("state_update_backwards")
def test_another_order_begins_at_its_own_update() -> None:
    """A new order, no order, and the first state after a restart may carry any orderUpdateId."""
    patient = Patient()
    patient.connection("ONLINE")
    for order_id, update_id in (("o1", 2), ("o2", 0), ("", 0), ("o1", 1), ("o1", 1)):
        patient.state(orderId=order_id, orderUpdateId=update_id)
    patient.connection("CONNECTIONBROKEN")
    patient.connection("ONLINE")
    patient.state(orderId="o1", orderUpdateId=0)

    assert patient.rules == set()


@breaks("order_not_accepted")
def test_an_order_must_be_answered() -> None:
    """States that neither report an order nor reject it for more than ten seconds are found."""
    patient = Patient()
    patient.state()
    patient.order()
    patient.wait(2)
    patient.state()
    patient.wait(8, rest=0.1)

    assert patient.rules == {"order_not_accepted"}


@keeps("order_not_accepted")
@pytest.mark.parametrize(
    "answer",
    [
        {"orderId": "o1", "orderUpdateId": 0},
        {"orderId": "o1", "orderUpdateId": 1},
        {"errors": [_error("orderError")]},
        {"errors": [_error("OTHER_ORDER_ACTIVE")]},
        {"errors": [_error("batteryTooLow", orderId="o1")]},
    ],
)
def test_an_order_is_answered_by_taking_or_refusing_it(answer: dict[str, Any]) -> None:
    """Reporting it, an error the standard names, and a vendor's error that refers to it are answers."""
    patient = Patient()
    patient.state()
    patient.order()
    patient.wait(2)
    patient.state()
    patient.wait(8)
    patient.state(**answer)
    patient.wait(20)

    assert patient.rules == set()


@pytest.mark.parametrize(
    "error",
    [
        _error("INVALID_ORDER"),
        _error("batteryTooLow", topic="order", headerId="1"),
        _error("batteryTooLow", headerId=1),
    ],
)
def test_a_rejection_by_other_words(error: dict[str, Any]) -> None:
    """3.0's list of errors has one name more than its table; and the order's headerId may stand for it (2.1.0, 7.1)."""
    patient = Patient()
    patient.state()
    patient.order(headerId=1)
    patient.wait(2)
    patient.state(errors=[error])
    patient.wait(20)

    assert "order_not_accepted" not in patient.rules


def test_an_error_about_another_message_rejects_nothing() -> None:
    """A vendor's error that refers to another headerId, or to another number, is no answer to the order."""
    patient = Patient()
    patient.state()
    patient.order(headerId=1)
    patient.wait(2)
    patient.state(errors=[_error("batteryTooLow", headerId="2"), _error("scratched", nodeId="1")])
    patient.wait(10, rest=0.1)

    assert patient.rules == {"order_not_accepted"}


def test_a_rejection_stands_when_its_error_is_gone() -> None:
    """A robot that tells its rejection in one state only has rejected the order."""
    patient = Patient()
    patient.state()
    patient.order()
    patient.wait(2)
    patient.state(errors=[_error("orderError", orderId="o1")])
    patient.wait(2)
    patient.state()
    patient.wait(20)

    assert patient.rules == set()


def test_a_rejected_order_may_be_corrected_when_its_error_is_gone() -> None:
    """After a rejection the master may send other content under the same number, and a lower one than was rejected."""
    patient = Patient()
    patient.state()
    patient.order("n0 n1")
    patient.sleep(1)
    patient.state(errors=[_error("orderError", orderId="o1")])
    patient.state()
    patient.order("n0 n2")
    patient.sleep(1)
    patient.state(**ORDER, nodeStates=route("n2"))
    patient.order("n2 n3", first=2, orderUpdateId=5)
    patient.sleep(1)
    patient.state(**ORDER, nodeStates=route("n2"), errors=[_error("orderUpdateError", orderId="o1")])
    patient.state(**ORDER, nodeStates=route("n2"))
    patient.order("n2 n3", first=2, orderUpdateId=1)

    assert patient.rules == set()


@pytest.mark.parametrize("connection", [None, "OFFLINE", "CONNECTIONBROKEN", "HIBERNATING"])
def test_a_robot_that_sends_nothing_rejects_nothing(connection: str | None) -> None:
    """Without a state after the order nothing is known about it; that the state is late is another finding."""
    patient = Patient()
    patient.connection("ONLINE")
    patient.state()
    patient.order()
    if connection is not None:
        patient.connection(connection)
    patient.wait(30)

    assert "order_not_accepted" not in patient.rules


@breaks("new_base_unanswered")
def test_a_robot_that_asks_for_more_base_is_heard() -> None:
    """A newBaseRequest for more than 30 s without an order is a remark."""
    patient = Patient()
    for _ in range(4):
        patient.state(newBaseRequest=True)
        patient.wait(10, rest=0.1)

    assert patient.finding("new_base_unanswered").severity is Severity.INFO


@keeps("new_base_unanswered")
def test_an_order_or_a_withdrawal_answers_the_request() -> None:
    """30 s are allowed, and both an order and a newBaseRequest that ends start the time anew."""
    patient = Patient()
    patient.state(newBaseRequest=True)
    patient.wait(29)
    patient.order()
    patient.state(**ORDER, newBaseRequest=True)
    patient.wait(29)
    patient.state(**ORDER, newBaseRequest=False)
    patient.state(**ORDER, newBaseRequest=True)
    patient.wait(30)

    assert patient.rules == set()
