"""Whatever is asked of a route of /openapi.json, it answers as that says: no 500, no status, type or shape besides.

schemathesis makes the requests, fitting ones and wrong ones, from the description that a real gateway gives of itself.
They are sent by a client of our own, because a stream has no end: of a stream its first event is read. The examples are
the same in every run (derandomized, no database), and as few as fit into the time that is given.

The catch-all answer `default`, which every operation has, is taken out first: an answer must be declared by its status.
"""

import json
from collections.abc import Iterator
from http import HTTPMethod
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.live.mqtt_packets import Publisher
from tests.services import LOOPBACK, Gateway, gateway, mosquitto, wait_until
from tests.unit.builders import ROBOT, connection, state
from vda5050.api.operations import operations_by_rule

EXAMPLES = 10
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXPECTED_SERVER_ERRORS = frozenset({501, 503})
"""Declared where they are answered: no WebSocket here, not ready, too many streams."""
OPERATIONS = sorted((rule, method) for rule, methods in operations_by_rule().items() for method in methods)

load_all_checks()


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    """Run the gateway as in production, with a robot that has sent something odd."""
    with mosquitto() as broker, gateway(broker) as service, Publisher(broker.port) as robot:
        robot.publish(f"uagv/v2/{ROBOT}/connection", json.dumps(connection()))
        for header_id in (1, 9):
            robot.publish(f"uagv/v2/{ROBOT}/state", json.dumps(state(headerId=header_id, batteryState={"charging": 1})))
        wait_until(lambda: service.metric("vda5050_messages_total") == 3, what="the robot is there")
        yield service


@pytest.fixture(scope="module")
def schema(running: Gateway) -> schemathesis.BaseSchema:
    """Read the description; names in paths are often those of the robot that there is."""
    document = running.get("/openapi.json").json()
    known = dict(zip(("manufacturer", "serial_number"), ROBOT.split("/"), strict=True))
    for item in document["paths"].values():
        for parameter in item.get("parameters", ()):
            name = known.get(parameter["name"])
            parameter["schema"] = {"type": "string", "minLength": 1} | ({} if name is None else {"enum": [name, "?"]})
        for operation in item.values():
            if isinstance(operation, dict):
                operation["responses"].pop("default", None)
    return schemathesis.openapi.from_dict(document)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("rule", "method"), OPERATIONS)
def test_route_answers_as_it_says(
    running: Gateway, schema: schemathesis.BaseSchema, rule: str, method: str, mode: GenerationMode
) -> None:
    """No request, fitting or not, is answered by a fault of ours or by what the description does not tell."""
    operation = schema[rule.replace("<", "{").replace(">", "}")][method]
    base_url = f"http://{LOOPBACK}:{running.port}"

    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case[Any]) -> None:
        with requests.Session() as session:
            answer = send(session, case.as_transport_kwargs(base_url=base_url))
        checks = CHECKS[1:] if answer.status_code in EXPECTED_SERVER_ERRORS else CHECKS
        case.validate_response(answer, checks=checks)

    try:
        ask()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "no fitting request can be made"


def send(session: requests.Session, arguments: dict[str, Any]) -> requests.Response:
    """Send a request; read the answer, of a stream its first event."""
    answer = session.request(**arguments, stream=True, timeout=20, allow_redirects=False)
    if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        vars(answer)["_content"] = first_event(answer)
        answer.close()
    _ = answer.content
    return answer


def first_event(answer: requests.Response) -> bytes:
    """Read up to the end of the first event that has data."""
    read = b""
    for chunk in answer.iter_content(None):
        read += chunk
        if b"data: " in read and read.endswith(b"\n\n"):
            return read
    pytest.fail("the stream ended before its first event")


@pytest.mark.parametrize("rule", sorted(operations_by_rule()))
def test_other_methods_are_told_the_right_ones(running: Gateway, rule: str) -> None:
    """A method that a route does not have is 405 with those that it has, also one that nobody knows."""
    path = rule.replace("<", "").replace(">", "")
    declared = {method.upper() for method in operations_by_rule()[rule]}
    allowed = declared | {"OPTIONS"} | ({"HEAD"} if "GET" in declared else set())
    for method in {*map(str, HTTPMethod), "BREW"} - allowed - {"CONNECT"}:
        answer = requests.request(method, f"http://{LOOPBACK}:{running.port}{path}", timeout=20)
        assert answer.status_code == 405, method
        assert set(answer.headers["Allow"].split(", ")) == allowed, method
        assert answer.headers["Content-Type"] == "application/problem+json", method
