"""Several workers, one scrape: whichever worker is asked, the numbers of all are there."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.mqtt_packets import Publisher
from tests.live.stream_client import SseClient
from tests.log_lines import log_lines
from tests.services import Gateway, Service, gateway, wait_until

WORKERS = 3


@pytest.fixture(scope="module")
def several(broker: Service) -> Iterator[Gateway]:
    """Run a gateway of three workers."""
    with gateway(broker, workers=WORKERS) as service:
        wait_until(
            lambda: service.metric("vda5050_broker_connected") == WORKERS, what="all are connected", deadline_s=30
        )
        yield service


def workers_of(service: Gateway) -> set[str]:
    """Scrape, and give the workers that are in it."""
    return set(
        re.findall(r'^vda5050_build_info\{.*worker="(\w+)"', service.get("/metrics").body.decode(), re.MULTILINE)
    )


def pids_of(service: Gateway) -> list[int]:
    """Give the worker processes."""
    return [int(pid) for pid in Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()]


def test_all_workers_are_in_each_scrape(several: Gateway, robot: Publisher) -> None:
    """Streams of all workers, and what each of them read, are in every scrape."""
    robot.publish("uagv/v2/ACME/R1/state", "{}")
    with ExitStack() as clients:
        for _ in range(12):
            clients.enter_context(SseClient(several.port)).next("snapshot")
        wait_until(lambda: several.metric("vda5050_streams") == 12, what="all streams are counted")

        for _ in range(10):
            assert workers_of(several) == {"1", "2", "3"}
            assert several.metric("vda5050_streams") == 12
            assert several.metric("vda5050_messages_total") == WORKERS
            assert several.metric("vda5050_workers", worker="2") == WORKERS
    wait_until(lambda: several.metric("vda5050_streams") == 0, what="all streams are gone")


def test_worker_that_hangs(several: Gateway) -> None:
    """A worker that does not answer is missing, and keeps the others' numbers back for a second only."""
    hung = pids_of(several)[0]
    os.kill(hung, signal.SIGSTOP)
    try:
        seen = [workers_of(several) for _ in range(3)]
    finally:
        os.kill(hung, signal.SIGCONT)

    assert [len(workers) for workers in seen] == [WORKERS - 1] * 3
    wait_until(lambda: len(workers_of(several)) == WORKERS, what="it is back")


def test_worker_that_is_killed(several: Gateway) -> None:
    """A worker that takes the place of one that was killed takes its name as well."""
    os.kill(pids_of(several)[0], signal.SIGKILL)
    wait_until(
        lambda: len(pids_of(several)) == WORKERS and workers_of(several) == {"1", "2", "3"},
        what="all are there again, by the same names",
        deadline_s=30,
    )


def metrics_folder_of(service: Gateway) -> Path:
    """Find the folder that the workers' sockets are in: what /proc says of the sockets that they hold."""
    held = {str(fd.readlink()) for pid in pids_of(service) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.exists()}
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()]
    (folder,) = {Path(line[7]).parent for line in lines if len(line) > 7 and f"socket:[{line[6]}]" in held}
    return folder


def test_nothing_is_left(broker: Service) -> None:
    """The folder in which workers find each other is for this user alone, and goes with the gateway."""
    with gateway(broker, workers=2) as service:
        wait_until(lambda: len(workers_of(service)) == 2, what="both are there")
        folder = metrics_folder_of(service)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(list(folder.iterdir())) == 2
        assert not [line for line in log_lines(service) if line["level"] in {"error", "critical"}]

    assert not folder.exists()
