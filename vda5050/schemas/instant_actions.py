"""The topic instantActions: what a robot is to do at once, outside its order (1.1 to 3.0).

1.1 calls the array `instantActions`, later versions `actions`. Sources: 1.1 to 2.1 section 6.9, 3.0 section 7.4.
"""

from vda5050.schemas.common import (
    ACTION_DESCRIPTION,
    ACTION_ID,
    ACTION_PARAMETERS,
    BLOCKING_TYPE_OF_1_1,
    HEADER,
    ORDER_SECTION,
    RETRIABLE,
)
from vda5050.schemas.members import array, one_of, text
from vda5050.schemas.shapes import Shape
from vda5050.schemas.versions import V1_1, V2_0, V2_1, V3_0

INSTANT_ACTION = Shape(
    "action",
    ORDER_SECTION,
    required={
        "actionType": text("What is to be done: a predefined action's name or the manufacturer's own", since=V2_0),
        "actionId": ACTION_ID,
        "blockingType": (
            one_of("NONE SOFT HARD", "What may happen meanwhile", since=V2_0, until=V2_1),
            one_of("NONE", "Instant actions block nothing", since=V3_0),
        ),
    },
    optional={
        "actionType": text("What is to be done, as the text of 1.1 calls it", until=V1_1),
        "actionName": text("What is to be done, as the schema of 1.1 calls it", until=V1_1),
        "blockingType": BLOCKING_TYPE_OF_1_1,
        **ACTION_DESCRIPTION,
        "actionParameters": ACTION_PARAMETERS,
        "retriable": RETRIABLE,
    },
    any_of={V1_1: ("actionType", "actionName")},
)

INSTANT_ACTIONS = Shape(
    "instantActions",
    {V1_1: "6.9", V2_0: "6.9", V2_1: "6.9", V3_0: "7.4"},
    required={
        **HEADER,
        "instantActions": array(INSTANT_ACTION, "The actions to do at once", until=V1_1),
        "actions": array(INSTANT_ACTION, "The actions to do at once", since=V2_0),
    },
)
