"""What the robot was told to do: nodes, edges, actions, progress.

The state's `nodeStates`, `edgeStates` and the order message's `nodes`, `edges` are read by the same schemas, so that
the one fills what the other leaves out (VDA 5050 2.1.0, sections 6.6 and 6.10).
"""

from typing import ClassVar

from marshmallow import Schema

from vda5050.robot_view.members import Flag, Identifier, Many, Number, One, Text, Whole, Word
from vda5050.robot_view.parts.motion import ViewTrajectorySchema


class ViewActionSchema(Schema):
    """An action and how far it is."""

    action_id = Identifier("Unique id.", "actionId", "id")
    action_type = Identifier("What is done.", "actionType", "command")
    status = Word(
        "How far it is:",
        "actionStatus",
        "state",
        words="WAITING INITIALIZING RUNNING PAUSED RETRIABLE FINISHED FAILED",
    )
    result = Text("What came out of it.", "resultDescription", "actionResult")
    description = Text("Text for people.", "actionDescription", "actionDescriptor")
    kind = Word(
        "What asked for it; null where it cannot be told, for up to 2.1 they are mixed:",
        words="order instant zone",
    )


class ViewAskedActionSchema(Schema):
    """An action as the order or an instantActions message asks for it."""

    action_id = Identifier("Unique id; its status is in the view's `actions`.", "actionId")
    action_type = Identifier("What is to be done.", "actionType", "actionName")
    blocking_type = Word("What may go on beside it:", "blockingType", words="NONE SOFT SINGLE HARD")
    description = Text("Text for people.", "actionDescription", "actionDescriptor")


class ViewNodeSchema(Schema):
    """A node that the robot still has to reach."""

    flattened: ClassVar = ("nodePosition",)

    node_id = Identifier("Unique id.", "nodeId")
    sequence_id = Whole("Place in the order; nodes are even, edges odd.", "sequenceId")
    released = Flag("True: base, the robot may go there. False: horizon.", "released")
    x = Number("X coordinate on the map.", "x", unit="m")
    y = Number("Y coordinate on the map, upwards.", "y", unit="m")
    theta = Number("Orientation to reach; null: any.", "theta", unit="rad")
    map_id = Identifier("The map that the coordinates belong to.", "mapId")
    description = Text("Text for people.", "nodeDescription", "nodeDescriptor")
    actions = Many(ViewAskedActionSchema, "Actions on it; null until the order message was seen.", "actions")


class ViewEdgeSchema(Schema):
    """An edge that the robot still has to pass."""

    edge_id = Identifier("Unique id.", "edgeId")
    sequence_id = Whole("Place in the order; nodes are even, edges odd.", "sequenceId")
    released = Flag("True: base, the robot may go there. False: horizon.", "released")
    start_node_id = Identifier("Node it begins at; from the sequence where no message names it.", "startNodeId")
    end_node_id = Identifier("Node it ends at; from the sequence where no message names it.", "endNodeId")
    max_speed = Number("Speed allowed on it.", "maxSpeed", "maximumSpeed", unit="m/s")
    trajectory = One(ViewTrajectorySchema, "The path to take; null: the robot's choice.", "trajectory")
    description = Text("Text for people.", "edgeDescription", "edgeDescriptor")
    actions = Many(ViewAskedActionSchema, "Actions on it; null until the order message was seen.", "actions")


class ViewProgressSchema(Schema):
    """How much of the order is done, counted in nodes from its first one, updates included."""

    passed_nodes = Whole("Nodes passed, the first one included.", unit="1", allow_none=False)
    all_nodes = Whole("Nodes in all, base and horizon.", unit="1", allow_none=False)
    fraction = Number("Passed nodes / all nodes, 0 to 1.", unit="1", allow_none=False)


_FILLED = (
    "What the state leaves out comes from the newest order message: of what lies before an update's first node, only "
    "what the state says is known."
)


class ViewOrderSchema(Schema):
    """The order as the robot's state tells it, filled from the order message; without a state, the order message."""

    order_id = Identifier('Unique id; "" for none yet.', "orderId")
    order_update_id = Whole("Number of the update the robot has accepted.", "orderUpdateId")
    description = Text("Text for people (3.0).", "orderDescription")
    last_node_id = Identifier('Node reached last, or the one the robot is on; "" for none.', "lastNodeId")
    last_node_sequence_id = Whole("Sequence id of that node.", "lastNodeSequenceId")
    distance_since_last_node = Number("Way since that node.", "distanceSinceLastNode", unit="m")
    new_base_request = Flag("The robot nears the end of its base and asks for more.", "newBaseRequest")
    nodes = Many(ViewNodeSchema, f"Nodes still to reach, base first. {_FILLED}", "nodeStates", "nodes")
    edges = Many(ViewEdgeSchema, f"Edges still to pass, base first. {_FILLED}", "edgeStates", "edges")
    base_node_count = Whole("How many of `nodes` are base (released).", unit="1")
    horizon_node_count = Whole("How many of `nodes` are horizon.", unit="1")
    base_edge_count = Whole("How many of `edges` are base (released).", unit="1")
    horizon_edge_count = Whole("How many of `edges` are horizon.", unit="1")
    progress = One(ViewProgressSchema, "How much is done; null unless the order message was seen.")
