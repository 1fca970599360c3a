"""A thousand clients arrive within two seconds: when each has its snapshot, and what the others lose.

    python benchmarks/storm.py --pid PID --port 8000 --broker 1883 [--gzip] [--arrivals 1000 --within 2]

A fleet publishes all the while. The clients that are there already (--clients) are measured from the first arrival
until the last one has its snapshot, one second at least. Prints one JSON line:

    with_snapshot               arrivals that got their snapshot within --give-up seconds; the times count these
    snapshot_p50_s, _max_s      from the arrival's connect() to the end of its snapshot
    all_within_s                from the first arrival to the last snapshot
    gaps, reorders, resets      of those that were there, and their delivered, p50_ms, p99_ms
    cpu_cores, load_cores       of the server and of both receiving processes, in that time
"""

import argparse
import json
import multiprocessing
import time
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any

from clients import Measured, StreamPlan
from crowd import Crowd
from fleet import FleetPlan
from load import DRAIN_S, delivery
from measuring import CpuWatch, quantile, raise_descriptor_limit
from processes import LoadError, Receivers, publishing

WARM_S = 3.0
SHORTEST_S = 1.0


@dataclass(slots=True)
class Arrived:
    """What the arrivals saw: seconds from each one's connect() to its snapshot, and until the last of all had it."""

    snapshot_s: list[float] = field(default_factory=list)
    all_within_s: float = 0.0


def arrive(plan: StreamPlan, within_s: float, give_up_s: float) -> Arrived:
    """Connect `plan.clients` evenly over `within_s` seconds; wait until each has its snapshot, or until `give_up_s`."""
    crowd, arrived, since = Crowd(plan, Measured()), Arrived(), dict[int, float]()
    started = time.monotonic()
    while len(arrived.snapshot_s) < plan.clients and time.monotonic() - started < give_up_s:
        due = int((time.monotonic() - started) / within_s * plan.clients) + 1
        while len(crowd.by_descriptor) < min(due, plan.clients):
            connecting_since = time.monotonic()
            since[crowd.connect(len(crowd.by_descriptor)).socket.fileno()] = connecting_since
        for client in crowd.receive(wait_s=0.002):
            if client.has_snapshot:
                client.is_done = True
                arrived.snapshot_s.append(time.monotonic() - since[client.socket.fileno()])
    arrived.all_within_s = time.monotonic() - started
    return arrived


def _arrive_into(results: "Queue[Arrived]", go: Event, plan: StreamPlan, within_s: float, give_up_s: float) -> None:
    go.wait()
    results.put(arrive(plan, within_s, give_up_s))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Let the clients settle, then let the storm come. Raises LoadError."""
    there = StreamPlan(port=options.port, clients=options.clients, is_gzip=options.gzip, sample=10)
    arriving = StreamPlan(port=options.port, clients=options.arrivals, is_gzip=options.gzip, sample=1)
    results: Queue[Arrived] = multiprocessing.Queue()
    go = multiprocessing.Event()
    arguments = (results, go, arriving, options.within, options.give_up)
    storm = multiprocessing.Process(target=_arrive_into, args=arguments, daemon=True)
    storm.start()
    assert storm.pid is not None
    fleet = FleetPlan(port=options.broker, robots=options.robots, hz=options.hz)
    with Receivers(there) as receivers, publishing(fleet) as sent:
        time.sleep(WARM_S)
        server, load, sent_before = CpuWatch(options.pid), CpuWatch(receivers.pid), sent()
        storm_load = CpuWatch(storm.pid)
        receivers.measure()
        go.set()
        arrived = _wait_for(results, storm, give_up_s=options.give_up)
        time.sleep(max(0.0, SHORTEST_S - arrived.all_within_s))
        receivers.pause()
        (cpu_s, passed_s), load_s, published = server.read(), load.read()[0], sent() - sent_before
        storm_s = storm_load.read()[0]
        time.sleep(DRAIN_S)
        received = receivers.finish()
    times = sorted(arrived.snapshot_s)
    figures = {"name": options.name, "gzip": options.gzip, "clients": options.clients, "arrivals": options.arrivals}
    figures |= {"with_snapshot": len(times), "snapshot_p50_s": _seconds(quantile(times, 0.5))}
    figures |= {
        "snapshot_max_s": _seconds(times[-1] if times else None),
        "all_within_s": round(arrived.all_within_s, 2),
    }
    figures |= delivery(received, published=published, passed_s=passed_s)
    return figures | {"cpu_cores": round(cpu_s / passed_s, 3), "load_cores": round((load_s + storm_s) / passed_s, 2)}


def _wait_for(results: "Queue[Arrived]", storm: multiprocessing.Process, *, give_up_s: float) -> Arrived:
    """Return what the arrivals saw. Raises LoadError where their process fails."""
    deadline = time.monotonic() + give_up_s + 10
    while results.empty():
        if not storm.is_alive() or time.monotonic() > deadline:
            raise LoadError("the arriving clients ended without a result")
        time.sleep(0.01)
    return results.get()


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="", help="stands in the line")
    parser.add_argument("--pid", type=int, required=True, help="the gateway's first process")
    parser.add_argument("--port", type=int, required=True, help="the gateway's port on the loopback")
    parser.add_argument("--broker", type=int, default=1883, help="the broker's port on the loopback")
    parser.add_argument("--robots", type=int, default=200)
    parser.add_argument("--hz", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=100, help="that are there before")
    parser.add_argument("--arrivals", type=int, default=1000)
    parser.add_argument("--within", type=float, default=2.0, help="seconds over which they arrive")
    parser.add_argument("--give-up", type=float, default=30.0, help="seconds after which those without are left")
    parser.add_argument("--gzip", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    raise_descriptor_limit()
    print(json.dumps(measure(parse_options())), flush=True)
