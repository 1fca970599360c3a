"""No client ever sees a gap without `reset`, a duplicate or a step backwards, whatever it does, nor makes others wait.

One run of a crowd of clients while 100 robots publish at 10 Hz, looked at by several tests; the same for what stalled
clients cost. The checker itself is tested first: a checker that finds nothing must be able to.
"""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.event_decoder import Event, SseDecoder
from tests.live.robot_fleet import RobotFleet
from tests.live.sequence_checker import (
    Count,
    Crowd,
    Do,
    Promise,
    Script,
    Witness,
    commuter,
    sleeper,
    sse,
    traveller,
    visitor,
    websocket,
)
from tests.live.stream_client import SseClient, resident_bytes
from tests.services import Service, gateway, mosquitto, require, wait_until
from vda5050.broadcast.parcel import PIECE_BYTES

RUN_S = 20.0
STALL_S = 7.0
SMALL_BUFFER = 4_096
RESETS = "vda5050_stream_resets_total"


def snapshot(offset: int, **header_ids: int) -> Event:
    """Give a snapshot of robots whose last states had these headerIds."""
    robots = {
        robot: {"messages": {"state": {"headerId": number}}, "is_stale": False} for robot, number in header_ids.items()
    }
    return Event(f"e-{offset}", {"type": "snapshot", "data": robots})


def update(offset: int, robot: str, header_id: int, *, epoch: str = "e") -> Event:
    """Give a state's update."""
    data = {"topic": robot, "type": "state", "payload": {"headerId": header_id}}
    return Event(f"{epoch}-{offset}", {"type": "update", "data": data})


RESET = Event(None, {"type": "reset"})


@pytest.mark.parametrize(
    "events",
    [
        [snapshot(7, a=3), update(8, "a", 5)],
        [snapshot(7, a=3), update(8, "a", 4), update(8, "a", 4)],
        [snapshot(7, a=3), update(8, "a", 4), update(9, "a", 4)],
        [snapshot(7, a=3), update(7, "a", 4)],
        [snapshot(7, a=3), update(8, "a", 2)],
        [snapshot(7, a=3), update(8, "a", 4, epoch="f")],
        [snapshot(7, a=3), snapshot(8, a=4)],
        [snapshot(7, a=3), RESET, update(8, "a", 4)],
        [update(1, "a", 1)],
    ],
    ids=["header gap", "duplicate", "same state again", "offset stands still", "step backwards",
         "another epoch", "snapshot unasked", "no snapshot after reset", "no snapshot at first"],
)  # fmt: skip
def test_checker_finds_a_broken_promise(events: list[Event]) -> None:
    """A client that is sent the wrong thing blames the server for it."""
    witness = Witness("client")
    witness.connected(None)

    for event in events:
        witness.saw(event)

    assert witness.violations


def test_checker_accepts_what_was_promised() -> None:
    """Updates in order, a resume, a reset with its snapshot, a new robot and a new connection break no promise."""
    witness = Witness("client")

    witness.connected(None)
    for event in [snapshot(7, a=3), update(8, "a", 4), update(9, "b", 88)]:
        witness.saw(event)
    witness.connected(witness.last_event_id)
    for event in [update(10, "a", 5), RESET, snapshot(6, a=3), update(7, "a", 4)]:
        witness.saw(event)
    witness.connected(None)
    witness.saw(snapshot(3, a=1))

    assert witness.violations == []
    assert (witness.resumes, witness.resets, witness.snapshots, witness.updates) == (1, 1, 3, 4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the run with the crowd gave."""

    crowd: Crowd
    fleet: RobotFleet
    resets: dict[str, float]
    stopped_process: Witness


@pytest.fixture(scope="module")
def large_queue_broker() -> Iterator[Service]:
    """Run mosquitto such that it never drops what the gateway has not read yet."""
    with mosquitto(config_lines=["max_queued_messages 1000000"]) as broker:
        yield broker


@pytest.fixture(scope="module")
def run(large_queue_broker: Service, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Run the crowd for RUN_S. Queues and replay are small, so that lagging and resuming too late happen in seconds."""
    written = tmp_path_factory.mktemp("curl") / "stream"
    with (
        gateway(large_queue_broker, max_queue_bytes=131_072, replay_bytes=4_000_000) as running,
        RobotFleet(large_queue_broker.port, filler_bytes=1_000) as fleet,
        Crowd() as crowd,
    ):
        add_clients(crowd, running.port)
        process = start_curl(running.port, written)
        try:
            pause_and_continue(process, written)
            fleet.stop()
            crowd.settle(fleet.last_header_ids)
            resets = {reason: running.metric(RESETS, reason=reason) for reason in ("lagging", "resume")}
            stopped_process = Witness("stopped process")
            stopped_process.connected(None)
            follow(stopped_process, written, fleet)
        finally:
            process.kill()
            process.wait()
    return Outcome(crowd, fleet, resets, stopped_process)


def add_clients(crowd: Crowd, port: int) -> None:
    """Let clients of every wire come, that do everything clients do, and some that just read."""
    wires = {"plain": sse(port), "gzip": sse(port, is_gzip=True), "websocket": websocket(port)}
    slow_wires = {
        "plain": sse(port, receive_buffer_bytes=SMALL_BUFFER),
        "gzip": sse(port, is_gzip=True, receive_buffer_bytes=SMALL_BUFFER),
        "websocket": websocket(port, receive_buffer_bytes=SMALL_BUFFER),
    }
    for number, (wire, connect) in enumerate(wires.items()):
        dice = random.Random(number)
        crowd.add(f"{wire} reader", connect)
        crowd.add(f"{wire} commuter 1", connect, commuter(dice))
        crowd.add(f"{wire} commuter 2", connect, commuter(dice))
        crowd.add(f"{wire} visitor", connect, visitor(dice))
        crowd.add(f"{wire} traveller", connect, traveller(dice, away_s=STALL_S))
        crowd.add(f"{wire} sleeper 1", slow_wires[wire], sleeper(dice, stall_s=STALL_S))
        crowd.add(f"{wire} sleeper 2", slow_wires[wire], sleeper(dice, stall_s=STALL_S))
    dice = random.Random(5050)
    one = Promise(robots="ACME/AGV_007".__eq__)
    crowd.add("one robot", sse(port, "/stream/ACME/AGV_007", is_gzip=True), commuter(dice), promise=one)
    ten = Promise(robots=lambda robot: robot.startswith("ACME/AGV_01"))
    crowd.add("ten robots", websocket(port, "robots=ACME/AGV_01*"), commuter(dice), promise=ten)
    rare = Promise(header_ids=Count.RISING)
    crowd.add("conflated", sse(port, "/stream?interval=300"), commuter(dice), promise=rare)


def start_curl(port: int, output: Path) -> subprocess.Popen[bytes]:
    """Start a real client process that writes what it reads to a file."""
    url = f"http://127.0.0.1:{port}/stream"
    return subprocess.Popen([require("curl"), "-sN", "-o", output, url], stdin=subprocess.DEVNULL)


def pause_and_continue(process: subprocess.Popen[bytes], written: Path) -> None:
    """Let RUN_S pass; meanwhile stop the process, which is at work, and continue it."""
    begin = time.monotonic()
    wait_until(lambda: written.exists() and written.stat().st_size > 0, what="the process has received")
    wait_until(lambda: time.monotonic() > begin + 2, what="2 s have passed")
    os.kill(process.pid, signal.SIGSTOP)
    wait_until(lambda: time.monotonic() > begin + RUN_S - 4, what="the crowd has run", deadline_s=RUN_S)
    os.kill(process.pid, signal.SIGCONT)
    wait_until(lambda: time.monotonic() > begin + RUN_S, what="the crowd has run", deadline_s=RUN_S)


def follow(witness: Witness, written: Path, fleet: RobotFleet) -> None:
    """Show a witness what curl writes, until it knows the fleet's last states."""
    decoder = SseDecoder()
    with written.open("rb") as stream:

        def is_done() -> bool:
            for event in decoder.feed(stream.read()):
                witness.saw(event)
            return witness.is_at(fleet.last_header_ids)

        wait_until(is_done, what="the process that was stopped is at the newest state", deadline_s=20)


def test_no_client_sees_a_gap_a_duplicate_or_a_step_backwards(run: Outcome) -> None:
    """Clients that come, go, resume, stall and return are sent what was promised, and end at the newest state."""
    assert run.crowd.violations() == []
    assert run.crowd.hang_ups == 0


def test_stopped_process_sees_no_gap(run: Outcome) -> None:
    """A real process stopped with SIGSTOP for seconds is reset when it runs again, and ends at the newest state."""
    assert run.stopped_process.violations == []
    assert run.stopped_process.resets >= 1
    assert run.stopped_process.snapshots == run.stopped_process.resets + 1


@pytest.mark.parametrize("wire", ["plain", "gzip", "websocket"])
def test_run_was_about_what_it_claims(run: Outcome, wire: str) -> None:
    """Clients of each wire really were reset for lagging, were reset for coming back too late, and resumed without."""
    by_name = {w.name.removeprefix(f"{wire} "): w for w in run.crowd.witnesses if w.name.startswith(wire)}

    assert by_name["reader"].updates >= run.fleet.sent * 0.8
    assert by_name["reader"].resets <= 1  # this process is its client, and on a busy machine is held up itself
    for name in ("commuter 1", "commuter 2"):
        assert by_name[name].resumes >= 5
        assert by_name[name].resets <= 1
    assert by_name["traveller"].resumes >= 2
    assert by_name["traveller"].resets >= 2
    assert by_name["sleeper 1"].resets + by_name["sleeper 2"].resets >= 2
    assert run.resets["lagging"] >= 6
    assert run.resets["resume"] >= 6


def test_robots_published_as_fast_as_they_should(run: Outcome) -> None:
    """100 robots have published at 10 Hz."""
    assert run.fleet.sent >= 100 * 10 * RUN_S * 0.9


def test_client_that_leaves_between_reset_and_snapshot_gets_a_snapshot(large_queue_broker: Service) -> None:
    """A client that was told to forget and lost its connection before the snapshot is not resumed without one."""
    with (
        gateway(large_queue_broker, max_queue_bytes=16_384) as running,
        RobotFleet(large_queue_broker.port, filler_bytes=4_000) as fleet,
    ):
        witness = Witness("client")
        with SseClient(running.port, receive_buffer_bytes=SMALL_BUFFER) as client:
            witness.connected(None)
            witness.saw(client.next())
            read_before = fleet.sent
            wait_until(lambda: fleet.sent > read_before + 1_200, what="more is published than queue and sockets hold")
            while not witness.resets:
                witness.saw(client.next())

        witness.connected(witness.last_event_id)
        with SseClient(running.port, last_event_id=witness.last_event_id) as client:
            for _ in range(3):  # a reset perhaps, a snapshot, an update
                witness.saw(client.next())

    assert witness.violations == []
    assert witness.snapshots == 2


class Delays:
    """How long states took from the robot to a client, in seconds."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def note(self, state: dict[str, Any]) -> None:
        """Take a state that has just been read."""
        self._seconds.append(time.monotonic() - state["sentAt"])

    def p99_since(self, count: int) -> float:
        """Give the 99th percentile, the first `count` states left out."""
        seconds = sorted(self._seconds[count:])
        return seconds[len(seconds) * 99 // 100]

    @property
    def count(self) -> int:
        """States read so far."""
        return len(self._seconds)


def stall_until(is_over: threading.Event) -> Script:
    """Connect and read nothing until `is_over`, then read on."""
    while not is_over.is_set():
        yield Do.STALL, 0.1


def test_stalled_clients_cost_bounded_memory_and_slow_nobody(large_queue_broker: Service) -> None:
    """30 clients that stop reading cost the worker their queues and what is being written, and the others no time."""
    queue_bytes, stalled_count, payload_bytes = 262_144, 30, 5_000
    with (
        gateway(large_queue_broker, max_queue_bytes=queue_bytes, replay_bytes=2_000_000) as running,
        RobotFleet(large_queue_broker.port, filler_bytes=payload_bytes) as fleet,
        Crowd() as readers,
    ):
        delays = Delays()
        readers.add("plain", sse(running.port), on_state=delays.note)
        readers.add("gzip", sse(running.port, is_gzip=True), on_state=delays.note)
        readers.add("websocket", websocket(running.port), on_state=delays.note)
        wait_until(lambda: fleet.sent > 4_000, what="memory has found its level", deadline_s=20)
        memory_before, sent_before, seen_before = resident_bytes(running.worker_pid), fleet.sent, delays.count
        p99_before = delays.p99_since(0)
        connects = [sse(running.port, receive_buffer_bytes=SMALL_BUFFER),
                    websocket(running.port, receive_buffer_bytes=SMALL_BUFFER)]  # fmt: skip
        with Crowd() as sleepers:
            peak = 0
            is_measured = threading.Event()
            for number in range(stalled_count):
                sleepers.add(f"sleeper {number}", connects[number % 2], stall_until(is_measured))

            def is_over() -> bool:
                nonlocal peak
                peak = max(peak, resident_bytes(running.worker_pid))
                return fleet.sent > sent_before + 11_000

            wait_until(is_over, what="far more is published than the queues may hold", deadline_s=40)
            p99 = delays.p99_since(seen_before)
            fleet.stop()
            is_measured.set()
            sleepers.settle(fleet.last_header_ids, deadline_s=40)
            readers.settle(fleet.last_header_ids)

    published = 11_000 * payload_bytes
    bound = stalled_count * (queue_bytes + 2 * PIECE_BYTES)  # gunicorn makes a framed copy of what it writes
    assert published > 2 * bound  # else a queue without a bound would not be seen
    assert peak - memory_before < bound
    assert p99 < max(0.5, 3 * p99_before)
    assert [w.name for w in sleepers.witnesses if not w.resets] == []
    assert readers.violations() + sleepers.violations() == []
