"""Acknowledgements: made by one, told to all who may see the robot, taken back, forgotten."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.builders import ROBOT
from vda5050.acknowledgements import MAX_AGE_S, MOST, Acknowledgements

Receive = Callable[..., None]
_URL = "/alerts/acknowledgements"


def test_what_one_acknowledges_all_are_told(client: FlaskClient, receive: Receive, open_stream: Any) -> None:
    """The event has robot, alert and the name of who did it; the list shows it until it is taken back."""
    receive()
    stream = open_stream("/stream?types=finding")
    stream.next(1)

    answer = client.post(_URL, json={"robot": ROBOT, "alert": "stop"})

    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["robot"], made["alert"], made["by"]) == (ROBOT, "stop", "this machine")
    (event,) = stream.next(1)
    assert (event.type, event.data) == ("acknowledgement", made)
    assert client.get(_URL).get_json() == {"acknowledgements": [made]}
    withdrawn = client.delete(_URL, query_string={"robot": ROBOT, "alert": "stop"})
    assert (withdrawn.status_code, withdrawn.get_json()["at"]) == (200, None)
    assert client.get(_URL).get_json() == {"acknowledgements": []}
    assert client.delete(_URL, query_string={"robot": ROBOT, "alert": "stop"}).status_code == 404


def test_a_form_or_a_stranger_acknowledges_nothing(client: FlaskClient, receive: Receive) -> None:
    """Only JSON that names a known robot and an alert of sensible length is taken."""
    receive()

    assert client.post(_URL, data={"robot": ROBOT, "alert": "stop"}).status_code == 400
    assert client.post(_URL, json={"robot": ROBOT, "alert": "x" * 501}).status_code == 400
    assert client.post(_URL, json=[ROBOT]).status_code == 400
    assert client.post(_URL, json={"robot": "No/one", "alert": "stop"}).status_code == 404
    assert client.get(_URL).get_json() == {"acknowledgements": []}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b'{"robot":' * 10_000])
def test_what_cannot_be_read_acknowledges_nothing(client: FlaskClient, body: bytes) -> None:
    """What is no JSON is a wrong request, brackets without end included."""
    answer = client.post(_URL, data=body, content_type="application/json")

    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_alert")


def test_they_are_few_and_grow_old() -> None:
    """The oldest makes room, and after a shift none counts any more."""
    now = [1_000.0]
    kept = Acknowledgements(wall_clock=lambda: now[0])
    for number in range(MOST + 1):
        kept.put(ROBOT, str(number), "me")

    assert len(kept.current()) == MOST
    assert kept.current()[0].alert == "1"
    now[0] += MAX_AGE_S + 1
    assert kept.current() == []
