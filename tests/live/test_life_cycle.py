"""A worker ends and begins while clients stream: told, spread, within its time; and nobody is told anything wrong."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import gevent
import gevent.socket
import pytest

from tests.live.robot_fleet import RobotFleet
from tests.live.sequence_checker import Crowd, commuter, sse, visitor, websocket
from tests.live.stream_client import SseClient, WebSocketClient
from tests.services import LOOPBACK, PROJECT, Gateway, Service, free_port, gateway, mosquitto, require, wait_until
from vda5050.broadcast import Peer

ONE_ROBOT = "/stream/ACME/AGV_000"
STREAMS = "vda5050_streams"
DRAIN_S = 3.0


def workers(running: Gateway) -> list[int]:
    """Give the process ids of gunicorn's workers."""
    return [int(pid) for pid in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()]


@contextmanager
def stopped_curls(running: Gateway, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run real clients that are stopped by SIGSTOP when their streams are open."""
    command = [require("curl"), "-sN", "-o", "/dev/null", f"http://{LOOPBACK}:{running.port}/stream"]
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(count)]
    try:
        wait_until(lambda: running.metric(STREAMS) == count, what="the streams are open")
        for process in processes:
            os.kill(process.pid, signal.SIGSTOP)
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


class Ends:
    """When each of many streams ended, in seconds after `began_at`."""

    def __init__(self, clients: list[SseClient | WebSocketClient]) -> None:
        self.after_s: dict[int, float] = {}
        self._clients = clients

    def read(self, began_at: float) -> bool:
        """Read what has come to each; tell whether all have ended."""
        for number, client in enumerate(self._clients):
            if number not in self.after_s:
                client.receive()
                if client.is_ended:
                    self.after_s[number] = time.monotonic() - began_at
        return len(self.after_s) == len(self._clients)


def check_told_to_come_back(clients: list[SseClient], ends: Ends) -> None:
    """See that these streams, the first of `ends`, ended whole, each with a time of its own to come back after."""
    assert all(client.is_complete for client in clients)
    retries = [client.decoder.retry_ms or 0 for client in clients]
    assert min(retries) >= 1_000
    assert max(retries) <= 8_000
    back_at = [1_000 * ends.after_s[number] + retry for number, retry in enumerate(retries)]
    assert min(back_at) > 1_000 * DRAIN_S  # nobody comes back to the process that is ending
    assert len(set(retries)) > 400


def check_refuses(running: Gateway) -> None:
    """See that a gateway says at once that it stops, and takes no new stream."""
    wait_until(lambda: running.get("/ready").status == 503, what="/ready is 503", deadline_s=1)
    assert running.get("/ready").json()["dependencies"]["service"]["detail"] == "stopping"
    refused = running.get("/stream")
    assert (refused.status, refused.json()["code"]) == (503, "stopping")
    assert 1 <= int(refused.headers["retry-after"]) <= 10


@pytest.mark.timeout(180)
def test_sigterm_with_1000_streams(broker: Service) -> None:
    """SIGTERM in traffic: /ready is 503 at once, streams end whole and spread, with a time to come back or 1001.

    New streams meanwhile are refused with the time to come back; 50 that take nothing are cut off; MQTT is left in
    order; and the process is gone within 10 s.
    """
    with gateway(broker) as running, ExitStack() as stack, RobotFleet(broker.port, filler_bytes=3_000) as fleet:
        curls = stack.enter_context(stopped_curls(running, 2))
        stalled = [stack.enter_context(SseClient(running.port, receive_buffer_bytes=4_096)) for _ in range(48)]
        sse_clients = [
            stack.enter_context(SseClient(running.port, ONE_ROBOT, is_gzip=number % 2 == 0)) for number in range(850)
        ]
        web_sockets = [stack.enter_context(WebSocketClient(running.port, "/ws?robots=*/AGV_000")) for _ in range(100)]
        everybody = len(curls) + len(stalled) + len(sse_clients) + len(web_sockets)
        assert everybody == 1_000
        wait_until(lambda: running.metric(STREAMS) == everybody, what="all streams are open", deadline_s=60)
        readers: list[SseClient | WebSocketClient] = [*sse_clients, *web_sockets]
        for client in readers:
            client.next("snapshot")
        published = fleet.sent

        def much_is_sent() -> bool:
            for client in readers:
                client.receive()
            return fleet.sent > published + 3_000

        wait_until(much_is_sent, what="the stalled clients' sockets are full", deadline_s=40)
        for sse_client in sse_clients:
            sse_client.decoder.retry_ms = None
        epoch_begin, ends = time.monotonic(), Ends(readers)

        os.kill(running.pid, signal.SIGTERM)

        check_refuses(running)
        wait_until(lambda: ends.read(epoch_begin), what="all streams have ended", deadline_s=15)
        wait_until(lambda: not running.is_running, what="the process is gone", deadline_s=15)
        gone_after_s = time.monotonic() - epoch_begin
        said = running.output()

    print(f"gone after {gone_after_s:.1f} s; streams ended from {min(ends.after_s.values()):.1f} s on,"  # noqa: T201
          f" the last after {max(ends.after_s.values()):.1f} s")  # fmt: skip
    assert gone_after_s < 10
    times = sorted(ends.after_s.values())
    assert times[len(times) // 4] < times[len(times) * 3 // 4] - DRAIN_S / 4  # spread
    check_told_to_come_back(sse_clients, ends)
    assert [client.close_code for client in web_sockets] == [1001] * 100
    cut = re.search(r'streams did not end, and were cut off.*"streams": (\d+)', said)
    assert cut is not None
    assert 50 <= int(cut[1]) < 150  # of the readers some, where this machine has no time for them
    assert "Traceback" not in said
    assert "SIGKILL" not in said
    assert "disconnected." in broker.output()  # and not "closed its connection": MQTT was told goodbye


@pytest.fixture
def crowd_of_all_kinds(broker: Service) -> Iterator[tuple[Gateway, RobotFleet, Crowd]]:
    """Run a gateway, robots and clients of every wire that read, come and go."""
    with (
        gateway(broker, heartbeat_s=1) as running,
        RobotFleet(broker.port, robots=50, filler_bytes=300) as fleet,
        Crowd() as crowd,
    ):
        for number, (wire, connect) in enumerate(
            {"plain": sse(running.port), "gzip": sse(running.port, is_gzip=True), "ws": websocket(running.port)}.items()
        ):
            dice = random.Random(number)
            for reader in range(5):
                crowd.add(f"{wire} reader {reader}", connect)
            crowd.add(f"{wire} commuter", connect, commuter(dice))
            crowd.add(f"{wire} visitor", connect, visitor(dice))
        wait_until(lambda: all(w.updates for w in crowd.witnesses), what="everybody reads", deadline_s=30)
        yield running, fleet, crowd


Scene = tuple[Gateway, RobotFleet, Crowd]


def settled(scene: Scene) -> Crowd:
    """Let each robot be heard again, all robots stop, and everybody read on to the newest state."""
    _running, fleet, crowd = scene
    sent = fleet.sent
    wait_until(lambda: fleet.sent > sent + 3 * len(fleet.last_header_ids), what="each robot has spoken again")
    fleet.stop()
    crowd.settle(fleet.last_header_ids, deadline_s=40)
    return crowd


def test_sighup_under_load(crowd_of_all_kinds: Scene) -> None:
    """SIGHUP: a new worker serves before the old one ends, no request fails, everybody moves over with one reset."""
    running, _fleet, crowd = crowd_of_all_kinds
    (old,) = workers(running)

    os.kill(running.pid, signal.SIGHUP)

    answers = []
    both_at_once = False

    def has_moved() -> bool:
        nonlocal both_at_once
        answers.append(running.get("/health").status)
        there = workers(running)
        both_at_once = both_at_once or len(there) == 2
        return old not in there

    wait_until(has_moved, what="the old worker is gone", deadline_s=15)
    assert set(answers) == {200}
    assert both_at_once
    settled(crowd_of_all_kinds)
    assert crowd.violations() == []
    assert [w.resets for w in crowd.witnesses if "reader" in w.name] == [1] * 15  # another epoch
    assert "Traceback" not in running.output()


def test_worker_that_is_killed_is_replaced(crowd_of_all_kinds: Scene) -> None:
    """SIGKILL of the worker under load: another is there by itself, and everybody comes back with one reset."""
    running, _fleet, crowd = crowd_of_all_kinds
    (old,) = workers(running)

    os.kill(old, signal.SIGKILL)

    wait_until(lambda: old not in workers(running) and running.has("/ready"), what="another worker", deadline_s=20)
    settled(crowd_of_all_kinds)
    assert crowd.violations() == []
    assert [w.resets for w in crowd.witnesses if "reader" in w.name] == [1] * 15


def test_gateway_that_is_restarted_under_load(crowd_of_all_kinds: Scene) -> None:
    """SIGTERM and a new start under load: everybody comes back with a reset, and nobody is told anything wrong."""
    running, _fleet, crowd = crowd_of_all_kinds

    running.stop()
    running.start()

    wait_until(lambda: running.has("/ready"), what="ready again", deadline_s=20)
    settled(crowd_of_all_kinds)
    assert crowd.violations() == []
    assert min(w.resets for w in crowd.witnesses if "reader" in w.name) >= 1
    assert "Traceback" not in running.output()


def test_lifetimes_end_streams_without_loss(broker: Service) -> None:
    """Streams that are ended by their lifetime, each at its own time, resume where they were: no reset, no gap."""
    with (
        gateway(broker, heartbeat_s=1, max_stream_lifetime_s=3) as running,
        RobotFleet(broker.port, robots=50, filler_bytes=300) as fleet,
        Crowd() as crowd,
    ):
        for number in range(20):
            crowd.add(f"gzip {number}", sse(running.port, is_gzip=True))
            crowd.add(f"ws {number}", websocket(running.port))
        wait_until(lambda: min(w.resumes for w in crowd.witnesses) >= 1, what="each was ended", deadline_s=40)
        fleet.stop()
        crowd.settle(fleet.last_header_ids)

    assert crowd.violations() == []
    assert max(w.resets for w in crowd.witnesses) == 0


def test_reader_that_trickles_is_cut_off(broker: Service) -> None:
    """A client that takes a little now and then, but far too little, does not hold a greenlet for ever.

    Here it is the kernel that acts: the data it waits to send does not fit into the window in time. What the gateway
    does where the kernel does not is in tests/unit/test_presence.py and in the next test.
    """
    with (
        gateway(broker, heartbeat_s=1, peer_timeout_s=6) as running,
        RobotFleet(broker.port, rate_hz=1, filler_bytes=40_000) as fleet,
    ):
        wait_until(lambda: fleet.sent > 150, what="the snapshot is large", deadline_s=20)
        with SseClient(running.port, receive_buffer_bytes=4_096) as client:
            wait_until(lambda: running.metric(STREAMS) == 1, what="the stream is open")
            read_at = time.monotonic()

            def is_cut() -> bool:
                nonlocal read_at
                if time.monotonic() > read_at + 0.05:
                    read_at = time.monotonic()
                    client.read_some(1_000)
                return running.metric(STREAMS) == 0

            wait_until(is_cut, what="the client is cut off", deadline_s=30)
        assert "Traceback" not in running.output()


def test_cut_frees_a_writer_that_is_stuck() -> None:
    """A greenlet that is stuck in a write comes back with EPIPE, which gunicorn takes for a client that has left."""
    ours, theirs = gevent.socket.socketpair()
    with ours, theirs:
        gone: list[str] = []
        peer = Peer(ours, on_gone=lambda: gone.append("gone"))
        writer = gevent.spawn(ours.sendall, bytes(10_000_000))
        gevent.sleep(0.01)
        is_stuck = not writer.dead

        peer.cut()

        writer.join(timeout=5)
        peer.close()
        peer.cut()  # closed: its descriptor may be another's by now
        assert is_stuck
        assert isinstance(writer.exception, BrokenPipeError)
        assert gone == ["gone"]


def test_embedded_broker_outlives_reloads() -> None:
    """The embedded broker is the master's: two reloads of the workers leave it alone, and it ends with the gateway."""
    with mosquitto() as unused, gateway(unused, mqtt_url=f"embedded://{LOOPBACK}:{free_port()}") as running:
        for _ in range(2):
            reload_worker(running)

        assert "Traceback" not in running.output()


def reload_worker(running: Gateway) -> None:
    """Let SIGHUP replace the one worker; return when the old one is gone and the new one is ready."""
    (old,) = [pid for pid in workers(running) if "gunicorn" in cmdline(pid)]
    os.kill(running.pid, signal.SIGHUP)
    wait_until(lambda: old not in workers(running), what="the old worker is gone", deadline_s=20)
    wait_until(lambda: running.has("/ready"), what="the new worker has its broker", deadline_s=20)


def test_reload_with_a_file_that_cannot_be_used(tmp_path: Path, broker: Service) -> None:
    """SIGHUP with a broken file is refused and logged, and nobody notices; with the file repaired it reloads."""
    layout = tmp_path / "layout.json"
    about = {"projectIdentification": "p", "creator": "c", "exportTimestamp": "2026-11-23T10:00:00Z", "lifVersion": "1"}
    usable = json.dumps({"metaInformation": about, "layouts": []})
    layout.write_text(usable)
    with gateway(broker, layout_file=layout) as running, SseClient(running.port) as client:
        client.next("snapshot")
        before = workers(running)
        layout.write_text("{")
        os.kill(running.pid, signal.SIGHUP)
        wait_until(lambda: "The reload is refused" in running.output(), what="the reload is refused")

        assert (running.get("/health").status, workers(running), client.is_ended) == (200, before, False)
        assert "VDA5050_LAYOUT_FILE" in running.output()

        layout.write_text(usable)
        reload_worker(running)


def cmdline(pid: int) -> str:
    """Give a process's command line; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_what_a_worker_starts_with_is_no_work_for_the_collector() -> None:
    """A full garbage collection leaves out what was there at the start, which held all streams up for 0.1 s."""
    program = "import wsgi, gc, os; print(gc.get_freeze_count(), len(gc.get_objects()), flush=True); os._exit(0)"
    settings = {"VDA5050_MQTT_URL": f"mqtt://{LOOPBACK}:{free_port()}", "VDA5050_DATABASE_URL": "none"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | settings,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    frozen, watched = map(int, done.stdout.split()[-2:])
    assert frozen > 50_000
    assert watched < frozen / 10
