"""A request's body has a size and a time."""

import io

import gevent
import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.exceptions import RequestTimeout

from vda5050.api import create_flask_app
from vda5050.api.bodies import TimedBody
from vda5050.service import Service
from vda5050.settings import Settings


class Dribble:
    """A body of which a byte comes every few milliseconds, for ever."""

    def read(self, _size: int = -1) -> bytes:
        gevent.sleep(0.005)
        return b"x"

    readline = read

    def readlines(self) -> list[bytes]:
        while True:
            self.read()


@pytest.fixture
def app() -> Flask:
    """Build a gateway that takes little, and reads a body where one is sent."""
    app = create_flask_app(Service(Settings(max_payload_bytes=100, auth="off")))
    app.add_url_rule("/read", view_func=lambda: str(len(request.get_data())), methods=["POST"])
    return app


def test_a_body_in_time() -> None:
    """Whoever reads sees the body as it is."""
    assert TimedBody(io.BytesIO(b"one\ntwo"), 1).read() == b"one\ntwo"
    assert TimedBody(io.BytesIO(b"one\ntwo"), 1).read(2) == b"on"
    assert TimedBody(io.BytesIO(b"one\ntwo"), 1).readline() == b"one\n"
    assert TimedBody(io.BytesIO(b"one\ntwo"), 1).readlines() == list(TimedBody(io.BytesIO(b"one\ntwo"), 1))


@pytest.mark.parametrize("how", ["read", "readline", "readlines"])
def test_a_body_that_dribbles(how: str) -> None:
    """The time counts from the first read to the end, however many bytes come meanwhile."""
    body = TimedBody(Dribble(), 0.05)

    with gevent.Timeout(5), pytest.raises(RequestTimeout):
        list(iter(getattr(body, how), b""))
    with pytest.raises(RequestTimeout):
        body.read()


def test_too_slow_is_told(client: FlaskClient) -> None:
    """A body that does not arrive in time is answered with 408, as a problem."""
    app = client.application
    app.add_url_rule("/slow", "slow", view_func=lambda: TimedBody(Dribble(), 0.01).readlines() and "")
    answer = client.get("/slow")

    assert (answer.status_code, answer.get_json()["code"]) == (408, "request_timeout")


def test_too_large_is_told(client: FlaskClient) -> None:
    """A body longer than a message may be is refused wherever it is sent, by its length before it is read."""
    fits, too_large = (client.post("/read", data=b"x" * size) for size in (100, 101))

    assert (fits.status_code, fits.data) == (200, b"100")
    assert (too_large.status_code, too_large.get_json()["code"]) == (413, "too_large")


def test_a_large_body_may_take_longer() -> None:
    """What comes at a sound rate is read to the end, however long that takes."""

    class Steady(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            gevent.sleep(0.01)
            return super().read(size)

    body = TimedBody(Steady(b"x" * 20_000), 0.05)

    assert b"".join(iter(lambda: body.read(1_000), b"")) == b"x" * 20_000
