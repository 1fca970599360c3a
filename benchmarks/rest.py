"""What the gateway costs when nothing happens, and how soon it answers.

    python benchmarks/rest.py [--clients 1000] [--seconds 15] [--gzip]

Starts a broker and the gateway, connects clients, publishes nothing. Prints one JSON line:

    started_in_s   from starting gunicorn to its first answered request
    cpu_cores      CPU seconds a second with all clients connected and no message; heartbeats are in it
"""

import argparse
import json
import time
from typing import Any

from clients import StreamPlan
from measuring import CpuWatch, raise_descriptor_limit
from processes import Receivers
from systems import gateway, mosquitto

SETTLE_S = 2.0


def measure(*, clients: int, seconds: float, is_gzip: bool) -> dict[str, Any]:
    """Start, connect, wait. `seconds` should be a multiple of the heartbeat's 15, or a part of the clients is idle."""
    with mosquitto() as broker, gateway(broker.mqtt_port) as system:
        plan = StreamPlan(port=system.port, clients=clients, is_gzip=is_gzip)
        with Receivers(plan) as receivers:
            time.sleep(SETTLE_S)
            watch = CpuWatch(system.pid)
            time.sleep(seconds)
            cpu_s, passed_s = watch.read()
            received = receivers.finish()
    return {
        "name": "rest",
        "clients": clients,
        "started_in_s": round(system.started_in_s, 2),
        "closed": received.closed,
        "cpu_cores": round(cpu_s / passed_s, 4),
    }


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--gzip", action="store_true")
    options = parser.parse_args()
    raise_descriptor_limit()
    print(json.dumps(measure(clients=options.clients, seconds=options.seconds, is_gzip=options.gzip)), flush=True)


if __name__ == "__main__":
    main()
