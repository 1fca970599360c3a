"""The gateway as a Flask app: the service is built for real and not started, messages are put in by hand."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.unit import builders
from tests.unit.builders import ROBOT, Event, GzipReader, SseReader, state
from vda5050.api import create_flask_app
from vda5050.service import Service
from vda5050.settings import Settings

MAX_STREAMS = 3


@pytest.fixture
def service() -> Service:
    """Build a gateway that takes few streams, keeps nothing, so has no keys, and is not started."""
    return Service(Settings(max_streams=MAX_STREAMS, database_url="none"))


@pytest.fixture
def app(service: Service) -> Flask:
    """Build its app."""
    return create_flask_app(service)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give a client that does not follow redirects."""
    return app.test_client()


@pytest.fixture
def receive(service: Service) -> Callable[..., None]:
    """Give a function that lets a robot's message arrive."""

    def receive(document: dict[str, Any] | None = None, *, robot: str = ROBOT, topic: str = "state") -> None:
        payload = orjson.dumps(state() if document is None else document)
        service.ingest.receive(f"uagv/v2/{robot}/{topic}", payload)

    return receive


@pytest.fixture
def flush(service: Service) -> Callable[[], None]:
    """Give a function that flushes what has arrived, as the broadcaster's greenlet does."""
    return lambda: builders.flush(service.broadcaster, time.monotonic())


class Stream:
    """An open `/stream`, read chunk by chunk."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.reader = GzipReader() if response.headers.get("Content-Encoding") == "gzip" else SseReader()
        self._chunks: Iterator[bytes] = response.iter_encoded()

    def next(self, count: int) -> list[Event]:
        """Read until `count` events have come, which must be flushed already."""
        events: list[Event] = []
        while len(events) < count:
            events += self.reader.read(next(self._chunks))
        return events

    def rest(self) -> list[Event]:
        """Read to the end of a stream that ends."""
        return [event for chunk in self._chunks for event in self.reader.read(chunk)]


@pytest.fixture
def open_stream(client: FlaskClient) -> Iterator[Callable[..., Stream]]:
    """Give a function that opens a stream; they are closed at the end, and must let go of everything by that."""
    streams: list[Stream] = []

    def open_stream(url: str = "/stream", **headers: str) -> Stream:
        response = client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert response.status_code == 200, response.get_data(as_text=True)
        streams.append(Stream(response))
        return streams[-1]

    yield open_stream
    for stream in streams:
        stream.response.close()
