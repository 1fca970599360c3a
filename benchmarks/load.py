"""Load one running system with a fleet and with clients, and tell what it delivered at what cost.

    python benchmarks/load.py --pid PID --port 8000 --broker 1883 --robots 200 --hz 5 --clients 200 [--gzip | --ws]
    python benchmarks/load.py --mqtt-ws --pid PID --port 9001 --broker 1883 ...    MQTT over WebSocket, from a broker
    python benchmarks/load.py --nchan --pid PID --port 8080 ...                    EventSource of nchan, given by POST

Prints one JSON line:

    pub_per_s, ev_per_s   messages published and events received a second, the latter summed over all clients
    delivered             of what was published in the measured time, how much the sampled clients received
                          until half a second after its end
    gaps, reorders        wrong steps of a robot's headerId, seen by the sampled clients
    resets                sampled streams told to begin anew
    closed                streams ended by the server
    cpu_cores             CPU seconds a second of --pid and its descendants
    ev_per_cpu_s          events for each of these CPU seconds: what systems are compared by
    wire_MBps             bytes a second to all clients
    p50_ms, p99_ms        age of a message when a sampled client has it in hand
    kb_per_client         resident memory that the server gained for each client that is connected and has its snapshot
    rss_mb                resident memory of the server at the end
    load_cores            CPU of the receiving process; near 1 means that it was the limit, not the server
"""

import argparse
import json
import time
from typing import Any

from clients import Kind, Received, StreamPlan
from fleet import TOPIC, FleetPlan
from measuring import CpuWatch, milliseconds, process_tree, quantile, raise_descriptor_limit, resident_kb
from processes import Receivers, publishing

SETTLE_S = 1.5
DRAIN_S = 0.5


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Connect, publish, let it settle for `warm` seconds, count for `secs`. Raises LoadError."""
    resident_before = resident_kb(process_tree(options.pid))
    fleet = FleetPlan(
        port=options.port if options.nchan else options.broker,
        robots=options.robots,
        hz=options.hz,
        topic=options.topic,
        by_http=options.nchan,
    )
    with Receivers(stream_plan(options)) as receivers:
        time.sleep(SETTLE_S)
        resident_idle = resident_kb(process_tree(options.pid))
        with publishing(fleet) as sent:
            time.sleep(options.warm)
            server, load, sent_before = CpuWatch(options.pid), CpuWatch(receivers.pid), sent()
            receivers.measure()
            time.sleep(options.secs)
            receivers.pause()
            (cpu_s, passed_s), (load_s, _), published = server.read(), load.read(), sent() - sent_before
            time.sleep(DRAIN_S)
            resident_end = resident_kb(process_tree(options.pid))
        received = receivers.finish()
    figures = {"name": options.name, "robots": options.robots, "hz": options.hz, "clients": options.clients}
    figures |= {"gzip": options.gzip, "pub_per_s": round(published / passed_s)}
    figures |= delivery(received, published=published, passed_s=passed_s)
    return figures | {
        "cpu_cores": round(cpu_s / passed_s, 3),
        "ev_per_cpu_s": round(received.events / max(0.01, cpu_s)),
        "kb_per_client": round((resident_idle - resident_before) / options.clients, 1),
        "rss_mb": round(resident_end / 1024, 1),
        "load_cores": round(load_s / passed_s, 2),
    }


def stream_plan(options: argparse.Namespace) -> StreamPlan:
    """Read what the clients are to be from the options."""
    kind = Kind.MQTT if options.mqtt_ws else Kind.WEBSOCKET if options.ws else Kind.SSE
    return StreamPlan(
        port=options.port,
        clients=options.clients,
        kind=kind,
        path=options.path or {Kind.SSE: "/stream", Kind.WEBSOCKET: "/ws", Kind.MQTT: "/mqtt"}[kind],
        headers=tuple(options.header),
        is_gzip=options.gzip,
        sample=options.sample,
        mqtt_filter=options.mqtt_filter,
    )


def delivery(received: Received, *, published: int, passed_s: float) -> dict[str, Any]:
    """Turn what the clients received into figures."""
    ages = sorted(received.ages_ns)
    return {
        "ev_per_s": round(received.events / passed_s),
        "delivered": round(received.sampled_sent / max(1, published * received.sampled_clients), 3),
        "gaps": received.gaps,
        "reorders": received.reorders,
        "resets": received.resets,
        "closed": received.closed,
        "wire_MBps": round(received.wire_bytes / passed_s / 1e6, 2),
        "p50_ms": milliseconds(quantile(ages, 0.5)),
        "p99_ms": milliseconds(quantile(ages, 0.99)),
    }


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="", help="stands in the line")
    parser.add_argument("--pid", type=int, required=True, help="the server's first process")
    parser.add_argument("--port", type=int, required=True, help="the server's port on the loopback")
    parser.add_argument("--path", default="", help="/stream, /ws or /mqtt unless told")
    parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="of each request")
    parser.add_argument("--broker", type=int, default=1883, help="the broker's port on the loopback")
    parser.add_argument("--topic", default=TOPIC, help="MQTT topic with {m} and {s} (default: %(default)s)")
    parser.add_argument("--robots", type=int, default=100)
    parser.add_argument("--hz", type=float, default=1.0, help="states a second of each robot")
    parser.add_argument("--clients", type=int, default=100)
    wire = parser.add_mutually_exclusive_group()
    wire.add_argument("--gzip", action="store_true", help="SSE, compressed")
    wire.add_argument("--ws", action="store_true", help="the gateway's WebSocket")
    wire.add_argument("--mqtt-ws", action="store_true", help="MQTT over WebSocket, from the broker at --port")
    wire.add_argument("--nchan", action="store_true", help="SSE; publishes by POST to /pub at --port, without a broker")
    parser.add_argument("--mqtt-filter", default="uagv/#", help="what --mqtt-ws subscribes to (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=20, help="every N-th client reads all that it receives")
    parser.add_argument("--warm", type=float, default=3, help="seconds of publishing before it counts")
    parser.add_argument("--secs", type=float, default=8, help="seconds counted")
    return parser.parse_args()


if __name__ == "__main__":
    raise_descriptor_limit()
    print(json.dumps(measure(parse_options())), flush=True)
