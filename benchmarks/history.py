"""What the history costs and how fast it answers: bytes a message, messages a second, milliseconds a question.

    python benchmarks/history.py keep --url sqlite:////tmp/h.db --rows 500000
    python benchmarks/history.py keep --url postgresql://me@127.0.0.1/db --rows 10000000
    python benchmarks/history.py stream --rate 5000                        SQLite; with --url another database

`keep` stores states of 200 robots at 1 Hz, made by `fleet.py` (2.2 kB), through the gateway's own store in batches of
2,000, then asks: one robot's hour (its first page of 100, and all of it), the fleet at a time, the newest page of all.
Prints a JSON line: rows_per_s of the store alone (making the states is not counted), bytes_per_row with indexes,
milliseconds of each question (median and worst of 20).

`stream` loads a gateway with `--rate` states a second and a few clients, without and with a history, in turn; prints
the clients' ages (see load.py) with what was stored and lost.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gevent import monkey

monkey.patch_all()

from fleet import MANUFACTURER, SimulatedRobot  # noqa: E402 - nothing may be imported before the patch
from measuring import CpuWatch, quantile  # noqa: E402
from sqlalchemy import Connection, text  # noqa: E402
from systems import ROOT, gateway, mosquitto  # noqa: E402

sys.path.insert(0, str(ROOT))

from vda5050.database import Database, Lane  # noqa: E402
from vda5050.history import Reader, Stretch, fleet_at  # noqa: E402
from vda5050.history.retention import measure as measure_size  # noqa: E402
from vda5050.history.store import Store  # noqa: E402
from vda5050.history.stretch import MICROSECONDS  # noqa: E402
from vda5050.robot_selection import RobotSelection  # noqa: E402
from vda5050.sinks import Record  # noqa: E402
from vda5050.topics import parse_topic  # noqa: E402

ROBOTS = 200
BATCH = 2_000
BEGIN_S = 1_760_000_000
QUESTIONS = 20
HOUR_US = 3_600 * MICROSECONDS


def records(rows: int) -> Iterator[list[Record]]:
    """Make states in batches, each robot once a second."""
    robots = [SimulatedRobot(f"R{number:05d}") for number in range(ROBOTS)]
    addresses = [parse_topic(f"uagv/v2/{MANUFACTURER}/{robot.serial_number}/state") for robot in robots]
    for start in range(0, rows, BATCH):
        yield [
            Record(addresses[n % ROBOTS], robots[n % ROBOTS].next_state(), BEGIN_S + n / ROBOTS, False, "bench", n + 1)
            for n in range(start, min(rows, start + BATCH))
        ]


def keep(url: str, rows: int) -> dict[str, Any]:
    """Store states, then ask."""
    lane, store, kept, seconds = Database(url).lane(threads=1), Store(), 0, 0.0
    lane.write(store.load)
    for batch in records(rows):
        began = time.perf_counter()
        kept += _stored(lane, store, batch)
        seconds += time.perf_counter() - began
    used, _ = lane.read(lambda connection: measure_size(connection, 1 << 60))
    figures = {"rows": kept, "rows_per_s": round(kept / seconds), "bytes_per_row": round(used / kept, 1)}
    lane.write(_analyze, timeout_s=600)
    return figures | answers(Reader(lane), rows // ROBOTS)


def _stored(lane: Lane, store: Store, batch: list[Record]) -> int:
    ids = store.number(batch)
    added = lane.write(lambda connection: store.write(connection, batch, ids), timeout_s=120)
    store.note_kept()
    if store.is_trial_due and (found := lane.read(lambda _connection: store.candidates())):
        store.use(lane.write(lambda connection: store.keep(connection, found, time.time())))
    return added


def _analyze(connection: Connection) -> None:
    """Do what PostgreSQL's autovacuum does sooner or later."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE messages"))


def answers(reader: Reader, seconds: int) -> dict[str, Any]:
    """Ask each question QUESTIONS times, of other robots and times each time."""
    dice = random.Random(5050)

    def hour() -> Stretch:
        start_us = BEGIN_S * MICROSECONDS + dice.randrange(max(1, seconds - 3_600)) * MICROSECONDS
        robot = f"{MANUFACTURER}/R{dice.randrange(ROBOTS):05d}"
        return Stretch(start_us, start_us + HOUR_US, RobotSelection(one=robot))

    def fleet() -> None:
        at_us = hour().start_us
        then = fleet_at(at_us, reader.last_messages(at_us, Stretch()), stale_after_s=45)
        then.robots.get_robots()

    return {
        "hour_first_page_ms": _timed(lambda: reader.page(hour(), limit=100)),
        "hour_ms": _timed(lambda: reader.page(hour(), limit=3_600)),
        "fleet_at_ms": _timed(fleet),
        "newest_page_ms": _timed(lambda: reader.page(Stretch(), limit=100, is_newest_first=True)),
    }


def _timed(ask: Callable[[], object]) -> list[float | None]:
    times = []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        ask()
        times.append(round((time.perf_counter() - began) * 1_000, 1))
    times.sort()
    return [quantile(times, 0.5), times[-1]]


def stream(url: str, rate: float, *, clients: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure the stream without and with a history, twice in turn."""
    with tempfile.TemporaryDirectory(prefix="bench-history-") as folder:
        for number, database in enumerate(("none", "", "none", "")):
            database = database or url or f"sqlite:///{folder}/{number}.db"  # noqa: PLW2901 - filled in
            with mosquitto() as broker, gateway(broker.mqtt_port, database_url=database) as system:
                watch = CpuWatch(system.pid)
                argv = [sys.executable, str(Path(__file__).with_name("load.py")), "--pid", str(system.pid)]
                argv += ["--port", str(system.port), "--broker", str(broker.mqtt_port), "--robots", str(ROBOTS)]
                argv += ["--hz", str(rate / ROBOTS), "--clients", str(clients), "--sample", "1", "--secs", str(seconds)]
                done = subprocess.run(argv, capture_output=True, text=True, check=True)
                line = json.loads(done.stdout)
                metrics = _metrics(system.port)
                yield {
                    "history": database.partition(":")[0],
                    **{name: line[name] for name in ("pub_per_s", "delivered", "p50_ms", "p99_ms", "cpu_cores")},
                    **metrics,
                    "cpu_s": round(watch.read()[0], 1),
                }


def _metrics(port: int) -> dict[str, float]:
    """Read what was stored, once nothing waits any more."""
    for _ in range(100):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = [line.rpartition(" ") for line in answer.read().decode().splitlines() if "vda5050_" in line]
        found = {name: float(value) for name, _, value in lines if not name.startswith("#")}
        if not found.get("vda5050_history_buffer_bytes"):
            break
        time.sleep(0.1)
    lost = sum(value for name, value in found.items() if name.startswith("vda5050_history_lost_total"))
    return {"stored": found.get("vda5050_history_stored_total", 0.0), "lost": lost}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["keep", "stream"])
    parser.add_argument("--url", default="", help="the database; `keep` needs an empty one")
    parser.add_argument("--rows", type=int, default=500_000, help="of `keep`")
    parser.add_argument("--rate", type=float, default=5_000, help="states a second, of `stream`")
    parser.add_argument("--clients", type=int, default=5, help="of `stream`")
    parser.add_argument("--secs", type=float, default=8, help="seconds counted, of `stream`")
    options = parser.parse_args()
    if options.what == "stream":
        for line in stream(options.url, options.rate, clients=options.clients, seconds=options.secs):
            print(json.dumps(line), flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="bench-history-") as folder:
        print(json.dumps(keep(options.url or f"sqlite:///{folder}/history.db", options.rows)), flush=True)


if __name__ == "__main__":
    main()
