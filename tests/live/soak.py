"""A soak: robots publish, clients come, go, stall and resume, the broker is restarted again and again.

Takes a plan, gives what was seen. Each client checks every event (`sequence_checker`); all clients of one filter are
held against each other (`ledger`), because the headerIds have gaps of their own while the broker is away. The worker's
memory is looked at all the while. Queues and replay are small, so that both are full within the first minute or two;
with `warm_up` so are the history's buffers before the time begins.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.live import ledger
from tests.live.robot_fleet import RobotFleet
from tests.live.sequence_checker import (
    Count,
    Crowd,
    Promise,
    Script,
    commuter,
    sleeper,
    sse,
    traveller,
    visitor,
    websocket,
)
from tests.live.stream_client import resident_bytes
from tests.services import Gateway, Service, gateway, mosquitto, wait_until

MESSAGES = "vda5050_messages_total"
STORED = "vda5050_history_stored_total"
SAMPLE_EVERY_S = 2.0
FILLER_BYTES = 500
QUIET_S = 2.0
SMALL_BUFFER = 65_536
"""Of who stalls: as small as a real client's may be. With 4 kB, less than the loopback's packets, TCP sends no more
than 3 kB five times a second after a stall, however fast they are read (benchmarks/README.md)."""
WARM_UP_HZ = 10.0
FILTERS = ("*", "*/AGV_01*", "*/AGV_02*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do. Every `restart_every_s` the broker ends, killed and stopped by turns, for `away_s`.

    `warm_up`: messages before it all begins. `stall_s`: short enough not to be taken for gone.
    """

    seconds: float
    clients: int
    robots: int = 100
    rate_hz: float = 1.0
    restart_every_s: float = 60.0
    away_s: float = 2.0
    stall_s: float = 30.0
    warm_up: int = 0
    seed: int = 5050


@dataclass(slots=True)
class Outcome:
    """What was seen: broken promises, and what was asked of the gateway meanwhile."""

    violations: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, int]] = field(default_factory=list)
    """Seconds since the begin, and resident bytes of the worker then."""

    def memory_between(self, begin: float, end: float) -> float:
        """Give the median of the memory in a part of the time, from 0 to 1."""
        until = self.memory[-1][0]
        return statistics.median(size for at, size in self.memory if begin * until <= at <= end * until)


def run(plan: Plan, say: Callable[[str], None] = lambda _text: None) -> Outcome:
    """Run a plan; `say` is told once a minute how it goes."""
    outcome = Outcome()
    with (
        mosquitto(config_lines=["max_queued_messages 1000000"]) as broker,
        gateway(broker, max_queue_bytes=131_072, replay_bytes=2_000_000) as service,
        warmed_up(service, broker, plan),
        RobotFleet(broker.port, robots=plan.robots, rate_hz=plan.rate_hz, filler_bytes=FILLER_BYTES) as fleet,
        Crowd() as crowd,
    ):
        taken = service.metric(MESSAGES)
        wait_until(lambda: service.metric(MESSAGES) > taken + plan.robots, what="the robots are known", deadline_s=30)
        filters = add_clients(crowd, service.port, plan)
        begin = time.monotonic()
        for number in range(1, int(plan.seconds / plan.restart_every_s) + 1):
            watch(service, outcome, begin, until=number * plan.restart_every_s - plan.away_s)
            restart(broker, is_killed=number % 2 == 1, away_s=plan.away_s)
            outcome.counts["broker restarts"] += 1
            say(f"{time.monotonic() - begin:.0f} s: {outcome.memory[-1][1] / 1e6:.1f} MB, {crowd.violations()[:3]}")
        wait_until(lambda: service.has("/ready"), what="the broker is there", deadline_s=30)
        watch(service, outcome, begin, until=max(plan.seconds, time.monotonic() - begin + 4 / plan.rate_hz))
        fleet.stop()
        newest = newest_known(service)
        outcome.counts["last states that never came in"] = fleet.sent - sum(newest.values())
        crowd.settle(newest, deadline_s=60)
        outcome.violations = crowd.violations()
        for wanted in FILTERS:
            trails = [w.trail for w in crowd.witnesses if filters[w.name] == wanted]
            outcome.missing += [f"{wanted}: {text}" for text in ledger.missing(trails)]
        count(outcome.counts, crowd, service, fleet)
    return outcome


@contextmanager
def warmed_up(service: Gateway, broker: Service, plan: Plan) -> Iterator[None]:
    """Let the same robots speak fast, before all else, until so much has been stored."""
    if plan.warm_up:
        with RobotFleet(broker.port, robots=plan.robots, rate_hz=WARM_UP_HZ, filler_bytes=FILLER_BYTES):
            wait_until(lambda: service.metric(STORED) >= plan.warm_up, what="the warm-up is stored", deadline_s=300)
        wait_until_quiet(service)
    yield


def add_clients(crowd: Crowd, port: int, plan: Plan) -> dict[str, str]:
    """Let the clients come, a third of them for all robots; give each one's filter by its name."""
    dice = random.Random(plan.seed)
    filters = {}
    for number in range(plan.clients):
        wanted = FILTERS[number % len(FILTERS)]
        name, script = _habit(number // len(FILTERS), dice, stall_s=plan.stall_s)
        buffer = SMALL_BUFFER if name == "sleeper" else None
        path = f"/stream?robots={wanted}"
        connect = (
            sse(port, path, receive_buffer_bytes=buffer),
            sse(port, path, is_gzip=True, receive_buffer_bytes=buffer),
            websocket(port, f"robots={wanted}", receive_buffer_bytes=buffer),
        )[number // 3 % 3]
        part = wanted.strip("*")
        promise = Promise(header_ids=Count.RISING, robots=lambda robot, part=part: part in robot)  # type: ignore[misc]
        witness = crowd.add(f"{name} {number}", connect, script, promise=promise)
        filters[witness.name] = wanted
    return filters


def _habit(number: int, dice: random.Random, *, stall_s: float) -> tuple[str, Script]:
    habits = {
        "reader": iter(()),
        "commuter": commuter(dice),
        "visitor": visitor(dice),
        "sleeper": sleeper(dice, stall_s=stall_s),
        "traveller": traveller(dice, away_s=30.0),
    }
    name = list(habits)[number % len(habits)]
    return name, habits[name]


def watch(service: Gateway, outcome: Outcome, begin: float, *, until: float) -> None:
    """Look at the worker's memory until so many seconds have passed since `begin`."""
    looked_at = 0.0

    def is_over() -> bool:
        nonlocal looked_at
        now = time.monotonic()
        if now - looked_at >= SAMPLE_EVERY_S:
            looked_at = now
            outcome.memory.append((now - begin, resident_bytes(service.worker_pid)))
        return now - begin >= until

    wait_until(is_over, what="the time is over", deadline_s=max(10.0, until))


def restart(broker: Service, *, is_killed: bool, away_s: float) -> None:
    """End the broker and start it again after a while."""
    gone_at = time.monotonic()
    if is_killed:
        broker.kill()
    else:
        broker.stop()
    wait_until(lambda: time.monotonic() >= gone_at + away_s, what="the broker was away", deadline_s=away_s + 10)
    broker.start()


def newest_known(service: Gateway) -> dict[str, int]:
    """Give each robot's newest headerId once the gateway has taken in what it gets: what everybody has to end at."""
    wait_until_quiet(service)
    robots = service.get("/robots").json()
    return {robot: entry["messages"]["state"]["headerId"] for robot, entry in robots.items()}


def wait_until_quiet(service: Gateway) -> None:
    """Wait until the gateway has its broker, and has taken in no message for a while."""
    taken, since = 0.0, time.monotonic()

    def is_quiet() -> bool:
        nonlocal taken, since
        if (now_taken := service.metric(MESSAGES)) != taken:
            taken, since = now_taken, time.monotonic()
        return time.monotonic() - since > QUIET_S and service.has("/ready")

    wait_until(is_quiet, what="no message comes any more", deadline_s=60)


def count(counts: Counter[str], crowd: Crowd, service: Gateway, fleet: RobotFleet) -> None:
    """Sum up what happened, to show that the soak was about what it claims."""
    counts["states published"] = fleet.sent
    counts["hang-ups"] = crowd.hang_ups
    for witness in crowd.witnesses:
        counts["updates"] += witness.updates
        counts["resumes"] += witness.resumes
        counts["snapshots"] += witness.snapshots
        counts["resets"] += witness.resets
    for reason in ("lagging", "resume"):
        counts[f"resets: {reason}"] = int(service.metric("vda5050_stream_resets_total", reason=reason))
    for reason in ("cut", "refused", "closed", "lifetime"):
        counts[f"ends: {reason}"] = int(service.metric("vda5050_stream_ends_total", reason=reason))
    counts["streams refused"] = int(service.metric("vda5050_streams_refused_total"))
    counts["broker connects"] = int(service.metric("vda5050_broker_connects_total"))
    counts["tracebacks"] = service.output().count("Traceback")
    for line in service.output().splitlines():
        if "Traceback" in line:
            counts[f"traceback: {line[-500:]}"] += 1
