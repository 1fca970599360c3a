"""/conformance: what the doctor found, of all robots or of one."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.builders import ROBOT, state

Receive = Callable[..., None]

BAD, ODD, LOSSY = "ABB/bad", "KUKA/odd", "KUKA/lossy"


@pytest.fixture
def _fleet(receive: Receive) -> None:
    """Let three robots send an error, a remark and a warning each: twice the wrong battery, one word, one gap."""
    for header_id in (1, 2):
        receive(state(headerId=header_id, batteryState={"charging": False}), robot=BAD)
    receive(state(operatingMode="automatic"), robot=ODD)
    receive(state(headerId=1), robot=LOSSY)
    receive(state(headerId=5), robot=LOSSY)


def findings(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    """Ask for the findings of the rules that this file is about."""
    found = client.get(f"/conformance?rule=schema,header_id_gap&{query}").get_json()["findings"]
    assert isinstance(found, list)
    return found


def test_nothing_found(client: FlaskClient) -> None:
    """Without robots there is no finding, and the answer is not cached."""
    response = client.get("/conformance")

    assert (response.status_code, response.get_json()) == (200, {"findings": []})
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("_fleet")
def test_worst_first(client: FlaskClient) -> None:
    """Findings of all robots come worst first."""
    assert [(found["robot"], found["severity"]) for found in findings(client)] == [
        (BAD, "error"),
        (LOSSY, "warning"),
        (ODD, "info"),
    ]


@pytest.mark.usefixtures("_fleet")
def test_a_finding_counts(client: FlaskClient) -> None:
    """What was found twice is one finding, with the newest message as its sample."""
    (found,) = findings(client, f"robots={BAD}")

    assert (found["rule"], found["topic"], found["count"], found["contradicts"]) == ("schema", "state", 2, "both")
    assert "batteryCharge" in found["message"]
    assert found["sample"]["headerId"] == 2
    assert found["offset"] > 0
    assert found["clause"]
    assert found["first_seen"] <= found["last_seen"]


@pytest.mark.parametrize(
    ("query", "robots"),
    [
        ("robots=KUKA/*", {LOSSY, ODD}),
        ("severity=error", {BAD}),
        ("severity=info,%20warning", {LOSSY, ODD}),
        ("rule=header_id_gap", {LOSSY}),
        ("rule=schema&severity=info", {ODD}),
        ("rule=header_id_gap,schema&robots=*/odd,ABB/*", {BAD, ODD}),
        ("rule=schema&robots=nobody", set()),
    ],
)
@pytest.mark.usefixtures("_fleet")
def test_filters(client: FlaskClient, query: str, robots: set[str]) -> None:
    """`robots`, `severity` and `rule` leave the findings that are asked for."""
    asked = query if "rule=" in query else f"rule=schema,header_id_gap&{query}"
    found = client.get(f"/conformance?{asked}").get_json()["findings"]

    assert {finding["robot"] for finding in found} == robots


@pytest.mark.parametrize(
    ("query", "parameter"), [("severity=bad", "severity"), ("rule=x", "rule"), ("robots=" + "x" * 2_001, "robots")]
)
def test_bad_filter(client: FlaskClient, query: str, parameter: str) -> None:
    """A filter that cannot be used is refused by the parameter's name."""
    response = client.get(f"/conformance?{query}")

    problem = response.get_json()
    assert (response.status_code, problem["code"], problem["parameter"]) == (400, "bad_filter", parameter)


@pytest.mark.usefixtures("_fleet")
def test_one_robot(client: FlaskClient) -> None:
    """One robot's findings come with a sentence that sums them up."""
    answer = client.get(f"/robots/{BAD}/conformance").get_json()

    assert set(answer) == {"robot", "summary", "findings"}
    assert answer["robot"] == BAD
    assert "1 error" in answer["summary"]
    assert findings(client, f"robots={BAD}")[0] in answer["findings"]
    assert {finding["robot"] for finding in answer["findings"]} == {BAD}


@pytest.mark.parametrize("robot", [f"{ROBOT}X", "a%252Fb/c"])
def test_unknown_robot(client: FlaskClient, receive: Receive, robot: str) -> None:
    """A robot that was never heard is a problem, 404, not one without findings."""
    receive()
    response = client.get(f"/robots/{robot}/conformance")

    assert (response.status_code, response.get_json()["code"]) == (404, "unknown_robot")


def test_unreadable_messages_are_findings(client: FlaskClient, receive: Receive, service: Any) -> None:
    """What a known robot sends and nobody can read is found, though it is in no snapshot."""
    receive()
    service.ingest.receive(f"uagv/v2/{ROBOT}/state", b"{broken")
    (found,) = client.get("/conformance?rule=unreadable_message").get_json()["findings"]

    assert (found["severity"], found["robot"], found["sample"]) == ("error", ROBOT, None)


def test_a_deep_message_hides_no_finding(client: FlaskClient, receive: Receive) -> None:
    """One message nested as deep as is let in leaves the answers whole; only its own sample is missing."""
    deep: list[Any] = []
    for _ in range(250):
        deep = [deep]
    receive(state(batteryState={"charging": False}, vendor=deep), robot=BAD)
    (found,) = findings(client, f"robots={BAD}")

    assert (found["rule"], found["sample"]) == ("schema", None)
    assert client.get(f"/robots/{BAD}/conformance").status_code == 200


def test_findings_without_their_samples(client: FlaskClient, receive: Receive) -> None:
    """`sample=0` gives the same findings without the messages."""
    receive({"headerId": 1})
    whole = client.get("/conformance").get_json()["findings"]

    bare = client.get("/conformance?sample=0").get_json()["findings"]

    assert whole[0]["sample"] is not None
    assert bare == [{**finding, "sample": None} for finding in whole]
