"""The order in the view: what state and order message say together."""

from typing import Any

import pytest

from tests.unit.robot_view_documents import TRAJECTORY_READ, VERSIONS, order, state, view_of


@pytest.mark.parametrize("version", VERSIONS)
def test_state_and_order_message_make_one_order(version: str) -> None:
    """What is ahead comes from the state, what the state has no member for from the order message."""
    seen = view_of(order=order(version), state=state(version))["order"]

    assert (seen["order_id"], seen["order_update_id"], seen["last_node_id"]) == ("o1", 1, "n1")
    assert (seen["distance_since_last_node"], seen["new_base_request"]) == (1.25, True)
    assert [list(node.values())[:8] for node in seen["nodes"]] == [
        ["n2", 4, True, 9.0, 2.0, 0.25, "hall", "station 2"],
        ["n3", 6, False, 13.0, 2.0, 0.25, "hall", "station 3"],
    ]
    assert [
        (edge["edge_id"], edge["start_node_id"], edge["end_node_id"], edge["max_speed"]) for edge in seen["edges"]
    ] == [("e1", "n1", "n2", 1.5), ("e2", "n2", "n3", 1.5)]
    assert seen["nodes"][0]["actions"] == [
        {"action_id": "a1", "action_type": "pick", "blocking_type": "HARD", "description": "take it"}
    ]
    assert seen["edges"][0]["trajectory"] == TRAJECTORY_READ
    assert seen["edges"][0]["actions"] == []
    assert [edge["description"] for edge in seen["edges"]] == ["aisle 1", "aisle 2"]
    assert (seen["base_node_count"], seen["horizon_node_count"]) == (1, 1)
    assert (seen["base_edge_count"], seen["horizon_edge_count"]) == (1, 1)
    assert seen["progress"] == {"passed_nodes": 2, "all_nodes": 4, "fraction": 0.5}


def test_without_the_order_message_edges_still_have_ends() -> None:
    """The sequence tells where an edge begins and ends; progress is not known."""
    seen = view_of(state=state("2.1.0"))["order"]

    assert [(edge["start_node_id"], edge["end_node_id"]) for edge in seen["edges"]] == [("n1", "n2"), ("n2", "n3")]
    assert seen["progress"] is None
    assert seen["nodes"][0]["actions"] is None


def test_nodes_without_positions_get_them_from_the_order() -> None:
    """A state may name its nodes by id only."""
    said = state("2.1.0")
    for node in said["nodeStates"]:
        del node["nodePosition"]

    assert [node["x"] for node in view_of(order=order("2.1.0"), state=said)["order"]["nodes"]] == [9.0, 13.0]


def test_another_order_fills_nothing() -> None:
    """An order that the robot has not taken up does not mix with the one it drives."""
    other = order("2.1.0") | {"orderId": "o2"}

    assert view_of(order=other, state=state("2.1.0"))["order"] == view_of(state=state("2.1.0"))["order"]


def test_the_order_message_may_name_the_ends() -> None:
    """Up to 2.1 an edge names its ends; where numbers tell another story, the names count."""
    edge = {"edgeId": "e", "sequenceId": 1, "startNodeId": "a", "endNodeId": "b"}
    sent = order("2.1.0") | {"edges": [edge], "orderDescription": "milk run"}
    seen = view_of(order=sent)["order"]

    assert (seen["edges"][0]["start_node_id"], seen["edges"][0]["end_node_id"]) == ("a", "b")
    assert seen["description"] == "milk run"


def test_no_order_matches_no_order() -> None:
    """Two empty order ids are not the same order."""
    idle = {"orderId": "", "lastNodeId": "", "lastNodeSequenceId": 0, "nodeStates": [], "edgeStates": []}

    assert view_of(order=order("2.1.0") | {"orderId": ""}, state=idle)["order"]["progress"] is None


def test_an_order_before_any_state_is_shown() -> None:
    """Until the robot says anything, the order message is what is known."""
    seen = view_of(order=order("2.1.0"))["order"]

    assert [node["node_id"] for node in seen["nodes"]] == ["n0", "n1", "n2", "n3"]
    assert (seen["base_node_count"], seen["horizon_node_count"], seen["last_node_id"]) == (3, 1, None)


@pytest.mark.parametrize(
    ("said", "sent", "expected"),
    [
        ({"lastNodeSequenceId": 6, "nodeStates": []}, {}, (4, 4)),
        ({"lastNodeSequenceId": 2, "nodeStates": []}, {}, (2, 4)),
        ({"lastNodeId": "", "lastNodeSequenceId": 0, "nodeStates": [{"nodeId": "n0", "sequenceId": 0}]}, {}, (0, 4)),
        ({"orderUpdateId": 0}, {}, (2, 4)),
        ({"orderUpdateId": 2}, {}, None),
        ({"lastNodeSequenceId": None}, {}, None),
        ({}, {"nodes": []}, None),
        ({}, {"nodes": [{"nodeId": "n1"}]}, None),
    ],
    ids=[
        "done",
        "cancelled",
        "not begun",
        "update on its way",
        "update missed",
        "no last node",
        "no nodes",
        "unnumbered",
    ],
)
def test_progress_counts_passed_nodes(
    said: dict[str, Any], sent: dict[str, Any], expected: tuple[int, int] | None
) -> None:
    """Passed is what is at most the last node and not still ahead; unknown where a message is missing."""
    progress = view_of(order=order("2.1.0") | sent, state=state("2.1.0") | said)["order"]["progress"]

    assert (None if progress is None else (progress["passed_nodes"], progress["all_nodes"])) == expected


def test_progress_counts_on_after_an_update() -> None:
    """The nodes before an update's first one were part of the order, too."""
    update = order("2.1.0") | {"orderUpdateId": 2}
    for node in update["nodes"]:
        node["sequenceId"] += 6
    said = state("2.1.0") | {"orderUpdateId": 2, "lastNodeId": "n1", "lastNodeSequenceId": 8, "nodeStates": []}

    assert view_of(order=update, state=said)["order"]["progress"] == {
        "passed_nodes": 5,
        "all_nodes": 7,
        "fraction": 5 / 7,
    }


@pytest.mark.parametrize(("at", "passed"), [(0, 1), (1, 2), (3, 4), (4, 5)])
def test_progress_counts_what_lies_before_an_update(at: int, passed: int) -> None:
    """An update that came while the robot had nodes before its first one ahead: these are not passed."""
    nodes = [{"nodeId": f"n{number}", "sequenceId": 2 * number, "released": True} for number in range(5)]
    update = {"orderId": "o1", "orderUpdateId": 1, "nodes": nodes[3:], "edges": []}
    said = {"orderId": "o1", "orderUpdateId": 1, "lastNodeId": f"n{at}", "lastNodeSequenceId": 2 * at}
    seen = view_of(order=update, state=said | {"nodeStates": nodes[at + 1 :], "edgeStates": []})["order"]

    assert (seen["progress"]["passed_nodes"], seen["progress"]["all_nodes"]) == (passed, 5)


def test_a_master_that_numbers_nodes_only() -> None:
    """Nodes 0, 1, 2, 3 (seen in the field): progress counts them, and no edge gets an end by guess."""
    nodes = [{"nodeId": f"n{number}", "sequenceId": number, "released": True} for number in range(4)]
    edges = [{"edgeId": f"e{number}", "sequenceId": number, "released": True} for number in range(3)]
    sent = {"orderId": "o1", "orderUpdateId": 0, "nodes": nodes, "edges": edges}
    said = {
        "orderId": "o1",
        "lastNodeId": "n1",
        "lastNodeSequenceId": 1,
        "nodeStates": nodes[2:],
        "edgeStates": edges[1:],
    }
    seen = view_of(order=sent, state=said)["order"]

    assert (seen["progress"]["passed_nodes"], seen["progress"]["all_nodes"]) == (2, 4)
    assert [edge["start_node_id"] for edge in seen["edges"]] == [None, None]


@pytest.mark.parametrize(("key", "type_key"), [("actions", "actionType"), ("instantActions", "actionName")])
def test_an_instant_action_is_told_by_its_message(key: str, type_key: str) -> None:
    """Up to 2.1 the state mixes actions: the messages that asked for them tell them apart and say the type."""
    sent = {key: [{"actionId": "i1", type_key: "initPosition", "blockingType": "HARD"}]}
    said = {"actionStates": [{"actionId": "i1", "actionStatus": "RUNNING"}, {"actionId": "a1"}, {"actionId": "x"}]}
    actions = view_of(order=order("2.1.0"), instantActions=sent, state=said)["actions"]

    assert [(action["action_id"], action["action_type"], action["kind"]) for action in actions] == [
        ("i1", "initPosition", "instant"),
        ("a1", "pick", "order"),
        ("x", None, None),
    ]
