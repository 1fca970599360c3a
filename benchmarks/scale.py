"""What sharing one stream through Redis costs, and what a second worker brings.

    python benchmarks/scale.py [--only light,paid,bounded] [--secs 8] [--repeats 3]

    light     50 robots x 1 Hz x 100 clients: age of a message, one worker alone and through Redis
    paid      200 robots x 5 Hz, one client: CPU of two workers, each for itself and through Redis
    bounded   200 robots x 5 Hz x 200 clients, each worker allowed --share of a core: events a second of one worker
              alone, of one and of two through Redis. The bound makes workers the limit on a machine whose cores the
              load needs (Linux's CPU controller, version 1, as root; left out where that cannot be had).

Prints one JSON line a run: that of load.py, the CPU of each worker over the whole run, and of Redis its CPU, its memory
and the bytes it took and gave for each update.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
from measuring import CpuWatch, process_tree
from systems import LOOPBACK, RedisServer, gateway, mosquitto, redis_server

HERE = Path(__file__).resolve().parent
CPU_CONTROLLER = Path("/sys/fs/cgroup/cpu")
PERIOD_US = 10_000
LIGHT = "--robots 50 --hz 1 --clients 100 --sample 10"
PAID = "--robots 200 --hz 5 --clients 1 --sample 1"
BOUNDED = "--robots 200 --hz 5 --clients 200"
RUNS: dict[str, tuple[tuple[str, int, bool], ...]] = {
    "light": (("alone", 1, False), ("through Redis", 1, True)),
    "paid": (("one alone", 1, False), ("two, each for itself", 2, False), ("two through Redis", 2, True)),
    "bounded": (("one alone", 1, False), ("one through Redis", 1, True), ("two through Redis", 2, True)),
}
OPTIONS = {"light": LIGHT, "paid": PAID, "bounded": BOUNDED}


def measure(row: str, name: str, *, workers: int, is_shared: bool, options: argparse.Namespace) -> dict[str, Any]:
    """Start everything anew, load it, and tell what was delivered at what cost."""
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto())
        server = stack.enter_context(redis_server()) if is_shared else None
        settings = {"workers": str(workers), "database_url": "none", "access_log": "off"}
        if server is not None:
            settings["redis_url"] = f"redis://{LOOPBACK}:{server.port}"
        system = stack.enter_context(gateway(broker.mqtt_port, **settings))
        if row == "bounded":
            for number, pid in enumerate(process_tree(system.pid)[1:]):
                stack.enter_context(bounded(pid, f"vda5050-bench-{os.getpid()}-{number}", share=options.share))
        watch = None if server is None else RedisWatch(server)
        each = [CpuWatch(pid) for pid in process_tree(system.pid)[1:]]
        argv = [sys.executable, str(HERE / "load.py"), "--name", name, "--pid", str(system.pid)]
        argv += ["--port", str(system.port), "--broker", str(broker.mqtt_port), *OPTIONS[row].split()]
        argv += ["--secs", str(options.secs), "--warm", "2"]
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=300, check=True)
        used = [worker.read() for worker in each]
        line: dict[str, Any] = {"row": row, **json.loads(done.stdout)}
        line["worker_cores"] = sorted((round(cpu_s / passed_s, 3) for cpu_s, passed_s in used), reverse=True)
        return line if watch is None else line | watch.read()


class RedisWatch:
    """What a Redis used since this object was made, the load's beginning and end included."""

    def __init__(self, server: RedisServer) -> None:
        self._client = redis.Redis(host=LOOPBACK, port=server.port)
        self._cpu = CpuWatch(server.pid)
        self._before = self._client.info("stats")

    def read(self) -> dict[str, Any]:
        """Tell CPU, bytes a second of updates, and memory."""
        cpu_s, passed_s = self._cpu.read()
        after, updates = self._client.info("stats"), int(self._client.hget("{vda5050}:head", "offset") or 0)
        taken = after["total_net_input_bytes"] - self._before["total_net_input_bytes"]
        given = after["total_net_output_bytes"] - self._before["total_net_output_bytes"]
        figures = {
            "redis_cores": round(cpu_s / passed_s, 3),
            "redis_updates": updates,
            "redis_in_bytes_per_update": round(taken / max(1, updates)),
            "redis_out_bytes_per_update": round(given / max(1, updates)),
            "redis_memory_MB": round(self._client.info("memory")["used_memory"] / 1e6, 1),
            "redis_stream_MB": round((self._client.memory_usage("{vda5050}:stream", samples=0) or 0) / 1e6, 2),
        }
        self._client.close()
        return figures


@contextmanager
def bounded(pid: int, name: str, *, share: float) -> Iterator[None]:
    """Allow a process `share` of a core as long as the block lasts. Raises OSError where that is not to be had."""
    group = CPU_CONTROLLER / name
    group.mkdir()
    try:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(int(share * PERIOD_US)))
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for left in (group / "cgroup.procs").read_text().split():
            (CPU_CONTROLLER / "cgroup.procs").write_text(left)
        time.sleep(0.1)
        group.rmdir()


def main() -> None:
    """Run what is wanted and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(RUNS), help="rows (default: %(default)s)")
    parser.add_argument("--secs", type=float, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.15, help="of a core, for each worker of the row bounded")
    options = parser.parse_args()
    for row in options.only.split(",") * options.repeats:
        for name, workers, is_shared in RUNS[row]:
            try:
                line = measure(row, name, workers=workers, is_shared=is_shared, options=options)
            except OSError as error:
                line = {"row": row, "name": name, "left_out": str(error)}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
