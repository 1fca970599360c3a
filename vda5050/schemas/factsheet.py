"""The topic factsheet: what a robot of this series is and can do (2.0 to 3.0).

3.0 renamed nearly everything without changing what it means; both names share one description here. Sources: 2.0
section 7.1.3, 2.1 section 6.15.1, 3.0 section 7.10. Limits and features stand in `factsheet_protocol`, what the robot
and its loads look like in `factsheet_geometry`.
"""

from vda5050.schemas.common import HEADER_ID, HEADER_SECTION, IDENTITY, TIMESTAMP
from vda5050.schemas.factsheet_geometry import GEOMETRY, LOAD_SPECIFICATION
from vda5050.schemas.factsheet_protocol import FACTSHEET_SECTION, PROTOCOL_FEATURES, PROTOCOL_LIMITS
from vda5050.schemas.members import anything, array, nested, number, one_of, text, timestamp, whole
from vda5050.schemas.shapes import Shape
from vda5050.schemas.versions import V2_0, V2_1, V3_0
from vda5050.schemas.zone_set import ZONE_TYPES

TYPE_SPECIFICATION = Shape(
    "typeSpecification",
    FACTSHEET_SECTION,
    required={
        "seriesName": text("Name of the series"),
        "agvKinematic": one_of("DIFF OMNI THREEWHEEL", "How the robot drives", until=V2_1),
        "mobileRobotKinematics": text(
            "How the robot drives: DIFFERENTIAL, OMNIDIRECTIONAL, THREE_WHEEL or another word", since=V3_0
        ),
        "agvClass": one_of("FORKLIFT CONVEYOR TUGGER CARRIER", "What the robot is for", until=V2_1),
        "mobileRobotClass": text(
            "What the robot is for: FORKLIFT, CONVEYOR, TUGGER, CARRIER or another word", since=V3_0
        ),
        "maxLoadMass": number("Greatest load", unit="kg", minimum=0, until=V2_1),
        "maximumLoadMass": number("Greatest load", unit="kg", minimum=0, since=V3_0),
        "localizationTypes": array(
            text("NATURAL, REFLECTOR, RFID, DMC, SPOT, GRID or another word"), "How the robot finds its position"
        ),
        "navigationTypes": array(
            text("PHYSICAL_LINE_GUIDED, VIRTUAL_LINE_GUIDED, AUTONOMOUS (3.0: FREELY_NAVIGATING) or another word"),
            "How the robot finds its way, the preferred first",
        ),
    },
    optional={
        "seriesDescription": text("More about the series, for people"),
        "supportedZones": array(one_of(ZONE_TYPES, "zoneType"), "The kinds of zone it understands", since=V3_0),
    },
)

PHYSICAL_PARAMETERS = Shape(
    "physicalParameters",
    FACTSHEET_SECTION,
    required={
        "speedMin": number("Lowest speed it can keep", unit="m/s", until=V2_1),
        "minimumSpeed": number("Lowest speed it can keep", unit="m/s", minimum=0, since=V3_0),
        "speedMax": number("Highest speed", unit="m/s", until=V2_1),
        "maximumSpeed": number("Highest speed", unit="m/s", minimum=0, since=V3_0),
        "accelerationMax": number("Greatest acceleration, fully loaded", unit="m/s²", until=V2_1),
        "maximumAcceleration": number("Greatest acceleration, fully loaded", unit="m/s²", minimum=0, since=V3_0),
        "decelerationMax": number("Greatest deceleration, fully loaded", unit="m/s²", until=V2_1),
        "maximumDeceleration": number("Greatest deceleration, fully loaded", unit="m/s²", since=V3_0),
        "heightMin": number("Least height", unit="m", until=V2_1),
        "minimumHeight": number("Least height", unit="m", since=V3_0),
        "heightMax": number("Greatest height", unit="m", until=V2_1),
        "maximumHeight": number("Greatest height", unit="m", since=V3_0),
        "width": number("Width", unit="m"),
        "length": number("Length", unit="m"),
    },
    optional={
        "angularSpeedMin": number("Lowest turning speed it can keep", unit="rad/s", since=V2_1, until=V2_1),
        "minimumAngularSpeed": number("Lowest turning speed it can keep", unit="rad/s", minimum=0, since=V3_0),
        "angularSpeedMax": number("Highest turning speed", unit="rad/s", since=V2_1, until=V2_1),
        "maximumAngularSpeed": number("Highest turning speed", unit="rad/s", minimum=0, since=V3_0),
    },
)

VERSION_INFO = Shape(
    "versionInfo",
    FACTSHEET_SECTION,
    required={
        "key": text("Which software or hardware"),
        "value": text("Which version of it"),
    },
)

NETWORK = Shape(
    "network",
    FACTSHEET_SECTION,
    required={},
    optional={
        "dnsServers": array(text("Address"), "The name servers that it asks"),
        "ntpServers": array(text("Address"), "The time servers that it asks"),
        "localIpAddress": text("The address that it reaches the broker from"),
        "netmask": text("The network's mask"),
        "defaultGateway": text("The gateway that it uses"),
    },
)

BATTERY_CHARGING = Shape(
    "batteryCharging",
    FACTSHEET_SECTION,
    required={},
    optional={
        "criticalLowChargingLevel": number("Below it, send it to charge only", unit="%", minimum=0, maximum=100),
        "minimumDesiredChargingLevel": number("Least charge to keep", unit="%", minimum=0, maximum=100),
        "maximumDesiredChargingLevel": number("Greatest charge to aim for", unit="%", minimum=0, maximum=100),
        "minimumChargingTime": whole("How long it should charge at least", unit="s"),
    },
)

CONFIGURATION = Shape(
    "configuration",
    FACTSHEET_SECTION,
    required={},
    optional={
        "versions": array(VERSION_INFO, "Versions of software and hardware"),
        "network": nested(NETWORK, "How it is connected"),
        "batteryCharging": nested(BATTERY_CHARGING, "How it wants to be charged", since=V3_0),
    },
)

FACTSHEET = Shape(
    "factsheet",
    FACTSHEET_SECTION,
    required={
        "headerId": whole(HEADER_ID.description, section=HEADER_SECTION, since=V2_1),
        "timestamp": timestamp(TIMESTAMP.description, section=HEADER_SECTION, since=V2_1),
        **IDENTITY,
        "typeSpecification": nested(TYPE_SPECIFICATION, "What the robot is"),
        "physicalParameters": nested(PHYSICAL_PARAMETERS, "How large and how fast it is"),
        "protocolLimits": nested(PROTOCOL_LIMITS, "How long messages and arrays may be, and how frequent"),
        "protocolFeatures": nested(PROTOCOL_FEATURES, "What of the standard it can do"),
        "agvGeometry": nested(GEOMETRY, "Its wheels and outlines", until=V2_1),
        "mobileRobotGeometry": nested(GEOMETRY, "Its wheels and outlines", since=V3_0),
        "loadSpecification": nested(LOAD_SPECIFICATION, "What it can carry"),
    },
    optional={
        "headerId": whole(HEADER_ID.description, section=HEADER_SECTION, since=V2_0, until=V2_0),
        "timestamp": timestamp(TIMESTAMP.description, section=HEADER_SECTION, since=V2_0, until=V2_0),
        "localizationParameters": anything("Named by 2.0, described nowhere", since=V2_0, until=V2_0),
        "vehicleConfig": nested(CONFIGURATION, "Its versions and its network", since=V2_1, until=V2_1),
        "mobileRobotConfiguration": nested(CONFIGURATION, "Its versions, network and charging", since=V3_0),
    },
)
