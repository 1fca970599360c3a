"""Messages a CPU second that the gateway takes in, beside a bare paho `loop_forever` greenlet that only counts.

    python benchmarks/ingest.py [--rate 8000] [--seconds 8] [--flat-out]

Publishes 2 kB states of 200 robots at a fixed rate, or with --flat-out as fast as the broker takes them, and runs, one
after the other, the gateway without any client and the peer. Messages are counted by the system itself (the gateway's
metrics, the peer's answer), CPU seconds are those of its process tree. Prints one JSON line a system:

    offered_per_s   messages published a second     taken_per_s   messages that the system counted a second
    cpu_cores       CPU seconds a second            per_cpu_s     messages counted for each of its CPU seconds
"""

import argparse
import json
import multiprocessing
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import Any

from fleet import MANUFACTURER, TOPIC, SimulatedRobot, connect_to_broker, publish_packet
from measuring import CpuWatch
from systems import System, bare_paho, gateway, get, mosquitto

ROBOTS = 200
WARM_S = 2.0
_TAKEN = re.compile(r'vda5050_messages_total\{topic="state"\} (\S+)')


def publish_states(port: int, rate: float, stop: Event, count: "Synchronized[int]") -> None:
    """Publish the robots' states in turn, at most `rate` a second, until `stop`; a process of its own."""
    robots = [SimulatedRobot(f"R{number:05d}") for number in range(ROBOTS)]
    topics = [TOPIC.format(m=MANUFACTURER, s=robot.serial_number) for robot in robots]
    sock = connect_to_broker(port, "robots")
    started, sent = time.monotonic(), 0
    while not stop.is_set():
        due = int(min(sent + ROBOTS, (time.monotonic() - started) * rate))
        if due > sent:
            turns = [number % ROBOTS for number in range(sent, due)]
            sock.sendall(b"".join([publish_packet(topics[turn], robots[turn].next_state()) for turn in turns]))
            count.value = sent = due
        else:
            time.sleep(1 / rate)


@contextmanager
def publishing(port: int, rate: float) -> Iterator[Callable[[], int]]:
    """Publish while the block runs; yields a function that tells how many were sent."""
    stop, count = multiprocessing.Event(), multiprocessing.Value("q", 0)
    process = multiprocessing.Process(target=publish_states, args=(port, rate, stop, count))
    process.start()
    try:
        yield lambda: int(count.value)
    finally:
        stop.set()
        process.join(5)
        if process.is_alive():  # it waits for a broker that takes nothing
            process.terminate()
            process.join()


def taken_by_gateway(system: System) -> int:
    """Read the gateway's own count of states."""
    found = _TAKEN.search(get(system.port, "/metrics"))
    return int(float(found[1])) if found else 0


def measure(
    system: System, taken: Callable[[], int], *, broker_port: int, rate: float, seconds: float
) -> dict[str, Any]:
    """Publish, let it settle, then compare counts and CPU over `seconds`."""
    with publishing(broker_port, rate) as sent:
        time.sleep(WARM_S)
        watch, taken_before, sent_before = CpuWatch(system.pid), taken(), sent()
        time.sleep(seconds)
        sent_after, taken_after, (cpu_s, passed_s) = sent(), taken(), watch.read()
    return {
        "offered_per_s": round((sent_after - sent_before) / passed_s),
        "taken_per_s": round((taken_after - taken_before) / passed_s),
        "cpu_cores": round(cpu_s / passed_s, 3),
        "per_cpu_s": round((taken_after - taken_before) / max(0.01, cpu_s)),
    }


def run(*, rate: float, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure the gateway, then the peer, each with a broker of its own."""
    common = {"rate": "flat out" if rate == float("inf") else rate}
    with mosquitto() as broker, gateway(broker.mqtt_port) as system:
        figures = measure(
            system, lambda: taken_by_gateway(system), broker_port=broker.mqtt_port, rate=rate, seconds=seconds
        )
        yield {"name": "gateway", **common, **figures}
    with mosquitto() as broker, bare_paho(broker.mqtt_port) as peer:
        figures = measure(
            peer, lambda: int(get(peer.port, "/")), broker_port=broker.mqtt_port, rate=rate, seconds=seconds
        )
        yield {"name": "bare paho", **common, **figures}


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=8000, help="messages published a second")
    parser.add_argument("--flat-out", action="store_true", help="publish as fast as the broker takes it")
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    for line in run(rate=float("inf") if options.flat_out else options.rate, seconds=options.seconds):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
