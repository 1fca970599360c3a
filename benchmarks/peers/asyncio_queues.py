"""Peer for the stream: what one writes first with asyncio, a queue and a `json.dumps` for each client.

With what such a stream needs in earnest: a comment when nothing happens, and an end when its client has gone.

    MQTT_PORT=1883 uvicorn --app-dir benchmarks/peers asyncio_queues:app --port 8001

Runs in an environment of its own (fastapi, uvicorn, paho-mqtt); the gateway does not need these.
"""

# mypy: disable-error-code="import-not-found, untyped-decorator"
# fastapi is not among the project's requirements: mypy does not see it.

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import paho.mqtt.client as mqtt
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from paho.mqtt.enums import CallbackAPIVersion

MAX_WAITING = 100
HEARTBEAT_S = 15.0
robots: dict[str, Any] = {}
queues: set[asyncio.Queue[dict[str, Any]]] = set()


def take(topic: str, payload: bytes | bytearray) -> None:
    """Keep a robot's state and queue it to every client; one whose queue is full loses its oldest."""
    *_, manufacturer, serial_number, kind = topic.split("/")
    robot = f"{manufacturer}/{serial_number}"
    robots[robot] = json.loads(payload)
    for queue in queues:
        if queue.full():
            queue.get_nowait()
        queue.put_nowait({"topic": robot, "type": kind, "payload": robots[robot]})


@asynccontextmanager
async def subscribed(_app: FastAPI) -> AsyncIterator[None]:
    """Read from the broker in paho's thread, hand over to the loop."""
    loop = asyncio.get_running_loop()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("uagv/#")

    def hand_over(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        loop.call_soon_threadsafe(take, message.topic, message.payload)

    client.on_message = hand_over
    client.connect("127.0.0.1", int(os.environ["MQTT_PORT"]))
    client.loop_start()
    yield
    client.loop_stop()


app = FastAPI(lifespan=subscribed)


@app.get("/stream")
async def stream(request: Request) -> StreamingResponse:
    """Serve a snapshot, then every update."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MAX_WAITING)
    queues.add(queue)

    async def events() -> AsyncIterator[str]:
        try:
            yield f"data: {json.dumps({'type': 'snapshot', 'data': robots})}\n\n"
            while not await request.is_disconnected():
                try:
                    update = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
                except TimeoutError:
                    yield ":\n\n"
                else:
                    yield f"data: {json.dumps({'type': 'update', 'data': update})}\n\n"
        finally:
            queues.discard(queue)

    return StreamingResponse(events(), media_type="text/event-stream")
