"""Parts of the state that tell how a robot is: battery, errors, information, safety (1.1 to 3.0).

Sources: 1.1 to 2.1 section 6.10.6, 3.0 section 7.8.
"""

from vda5050.schemas.common import STATE_SECTION
from vda5050.schemas.members import array, boolean, number, one_of, text, whole
from vda5050.schemas.shapes import Shape
from vda5050.schemas.versions import V1_1, V2_0, V2_1, V3_0

BATTERY_STATE = Shape(
    "batteryState",
    STATE_SECTION,
    required={
        "batteryCharge": number("State of charge; robots that know only good and bad say 80 and 20", unit="%"),
        "charging": boolean("The battery is being charged"),
    },
    optional={
        "batteryVoltage": number("Voltage of the battery", unit="V"),
        "batteryHealth": whole("State of health", unit="%", maximum=100),
        "reach": whole("How far the charge will last", unit="m"),
    },
)

POWER_SUPPLY = Shape(
    "powerSupply",
    STATE_SECTION,
    required={
        "stateOfCharge": number(
            "State of charge; 100 where the robot hangs on the mains", unit="%", minimum=0, maximum=100
        ),
        "charging": boolean("The battery is being charged"),
    },
    optional={
        "batteryVoltage": number("Voltage of the battery", unit="V"),
        "batteryCurrent": number("Current of the battery", unit="A"),
        "batteryHealth": whole("State of health", unit="%", maximum=100),
        "range": whole("How far the charge will last", unit="m"),
    },
)

_REFERENCE_KEY = text("Kind of thing that is referred to: nodeId, orderId, actionId, ...")
_REFERENCE_VALUE = text("Which one it is")

ERROR_REFERENCE = Shape(
    "errorReference",
    STATE_SECTION,
    required={"referenceKey": _REFERENCE_KEY, "referenceValue": _REFERENCE_VALUE},
)

INFO_REFERENCE = Shape(
    "infoReference",
    STATE_SECTION,
    required={"referenceKey": _REFERENCE_KEY, "referenceValue": _REFERENCE_VALUE},
)

TRANSLATION = Shape(
    "translation",
    STATE_SECTION,
    required={
        "translationKey": text("Language, as ISO 639-1 abbreviates it"),
        "translationValue": text("The text in that language"),
    },
)

ERROR = Shape(
    "error",
    STATE_SECTION,
    required={
        "errorType": text("What kind of error"),
        "errorLevel": (
            one_of("WARNING FATAL warning fatal", "How bad it is; 1.1 prints its words in both cases", until=V1_1),
            one_of("WARNING FATAL", "How bad it is", since=V2_0, until=V2_1),
            one_of("WARNING URGENT CRITICAL FATAL", "How bad it is", since=V3_0),
        ),
    },
    optional={
        "errorReferences": array(ERROR_REFERENCE, "What the error is about"),
        "errorDescription": text("What happened, for people"),
        "errorDescriptionTranslations": array(TRANSLATION, "The same in other languages", since=V3_0),
        "errorHint": text("What to do about it, for people", since=V2_1),
        "errorHintTranslations": array(TRANSLATION, "The same in other languages", since=V3_0),
    },
)

INFO = Shape(
    "info",
    STATE_SECTION,
    required={
        "infoType": text("What kind of information"),
        "infoLevel": one_of("DEBUG INFO", "Whom it is for: developers (DEBUG) or a display (INFO)"),
    },
    optional={
        "infoReferences": array(INFO_REFERENCE, "What the information is about"),
        "infoDescription": text("The information, for people", until=V2_1),
        "infoDescriptor": text("The information, for people", since=V3_0),
    },
)

_STOP = "Kind of emergency stop that is active, by who may acknowledge it"

SAFETY_STATE = Shape(
    "safetyState",
    STATE_SECTION,
    required={
        "eStop": (
            one_of(
                "AUTOACK MANUAL REMOTE NONE autoAck manual remote none",
                f"{_STOP}; 1.1 prints its words in both cases",
                until=V1_1,
            ),
            one_of("AUTOACK MANUAL REMOTE NONE", _STOP, since=V2_0, until=V2_1),
        ),
        "activeEmergencyStop": one_of("MANUAL REMOTE NONE", _STOP, since=V3_0),
        "fieldViolation": boolean("Something is in the protective field"),
    },
)
