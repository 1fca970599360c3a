"""Many workers and machines show one stream: through Redis, whatever happens to the workers and to Redis.

Each test has a broker, a Redis and gateways of its own, since each takes some of them away. What clients see is judged
by the sequence checker: no gap without `reset`, no duplicate, no step backwards, in the stream's ids and in the robots'
own numbers.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from redis import Redis

from tests.live.light_crowd import LightCrowd
from tests.live.robot_fleet import RobotFleet
from tests.live.sequence_checker import Count, Crowd, Promise, Witness, sse, websocket
from tests.nginx import nginx
from tests.redis_server import RedisServer, redis_cluster, redis_server, sentinel
from tests.services import LOOPBACK, Gateway, Service, gateway, mosquitto, wait_until

AFTER_A_GAP = Promise(header_ids=Count.RISING)
"""Where nobody ingested for a while: clients are told by `reset` and `status`, and robots have numbered on."""


class Fleet(ExitStack):
    """A broker, a Redis, two gateways on them, robots and a crowd; all end with the `with` block."""

    def __init__(self, redis: RedisServer, broker: Service, *, robots: int = 20, drain_s: int = 1) -> None:
        super().__init__()
        self.drain_s = drain_s
        self.redis = redis
        self.broker = broker
        self.gateways: list[Gateway] = [self.gateway() for _ in range(2)]
        self.robots = self.enter_context(RobotFleet(broker.port, robots=robots, rate_hz=5.0, filler_bytes=100))
        self.crowd = self.enter_context(Crowd())

    def gateway(self, **settings: object) -> Gateway:
        """Add a gateway."""
        settings = {"redis_url": self.redis.url, "drain_s": self.drain_s, "database_url": "none", **settings}
        settings = {"trusted_proxies": LOOPBACK, "auth": "off", **settings}
        return self.enter_context(gateway(self.broker, until="/ready", **settings))

    @property
    def holder(self) -> Gateway:
        """The gateway that ingests."""
        (found,) = [one for one in self.gateways if is_ingesting(one)]
        return found

    @property
    def other(self) -> Gateway:
        """One that does not."""
        return next(one for one in self.gateways if not is_ingesting(one))

    def add_clients(self, count: int = 3, *, promise: Promise | None = None) -> list[Witness]:
        """Let clients of each wire come to each gateway."""
        return [
            self.crowd.add(f"{wire} {number} of {one.port}", connect, promise=promise)
            for one in self.gateways
            for number in range(count)
            for wire, connect in (
                ("plain", sse(one.port)), ("gzip", sse(one.port, is_gzip=True)), ("websocket", websocket(one.port))
            )
        ]  # fmt: skip

    def run_on(self, states: int = 300) -> None:
        """Let the robots send so many states more."""
        run_on(self.robots, states)

    def settle(self) -> None:
        """Stop the robots; every client gets to the newest state."""
        self.robots.stop()
        self.crowd.settle(self.robots.last_header_ids, deadline_s=30)


def is_ingesting(one: Gateway) -> bool:
    """Tell whether it holds the lease; False also where it does not answer."""
    try:
        return one.is_running and b"this worker ingests" in one.get("/ready", timeout_s=5).body
    except OSError:
        return False


def run_on(robots: RobotFleet, states: int) -> None:
    """Let the robots send so many states more."""
    before = robots.sent
    wait_until(lambda: robots.sent >= before + states, what="the robots send", deadline_s=30)


def wait_until_ready(one: Gateway) -> None:
    """Wait until a gateway says that it is ready."""
    wait_until(lambda: one.has("/ready"), what="/ready is 200", deadline_s=40)


def wait_until_unready(one: Gateway) -> None:
    """Wait until a gateway says that it is not."""
    wait_until(lambda: not one.has("/ready"), what="/ready is 503", deadline_s=20)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """Run a Redis that keeps nothing on disk."""
    with redis_server() as server:
        yield server


@pytest.fixture
def fleet(redis: RedisServer) -> Iterator[Fleet]:
    """Run two gateways on one broker and one Redis, with robots and without clients."""
    with mosquitto(config_lines=["max_queued_messages 100000"]) as broker, Fleet(redis, broker) as running:
        yield running


def test_rolling_restart_behind_nginx(redis: RedisServer) -> None:
    """Both instances are restarted, one after the other, under 300 clients: all resume, 0 gaps, duplicates, resets.

    A tenth of the clients take the whole stream, the others a robot each: all of them all would be 150,000 events a
    second, which the clients, in Python, cannot check on the machine that also runs everything else.
    """
    with (
        mosquitto(config_lines=["max_queued_messages 100000"]) as broker,
        Fleet(redis, broker, robots=100, drain_s=3) as fleet,
        nginx(fleet.gateways) as proxy,
        ExitStack() as stack,
    ):
        watched = [None if number % 10 == 0 else f"ACME/AGV_{number // 3:03}" for number in range(300)]
        crowd = stack.enter_context(LightCrowd(proxy.port, proxy.tls, watched))
        wait_until(lambda: all(client.updates for client in crowd.clients), what="all clients read", deadline_s=60)
        fleet.run_on(500)
        for one in fleet.gateways:
            one.stop()
            fleet.run_on(500)
            one.start()
            wait_until_ready(one)
            fleet.run_on(500)
        fleet.robots.stop()
        crowd.settle(fleet.robots.last_header_ids, deadline_s=60)
        lost = sum(one.metric("vda5050_lost_messages_total") for one in fleet.gateways)

    assert crowd.violations() == []
    assert {(client.resets, client.snapshots) for client in crowd.clients} == {(0, 1)}
    assert all(client.resumes for client in crowd.clients)  # each was at an instance that was restarted
    assert lost == 0
    resumes = sum(client.resumes for client in crowd.clients)
    print(f"{fleet.robots.sent} states, {resumes} resumes, {crowd.hang_ups} hang-ups")  # noqa: T201 - to be seen


def test_reload_of_a_worker_without_streams(fleet: Fleet) -> None:
    """SIGHUP of the gateway that ingests hands the lease over, though gunicorn has no connection to wait for."""
    holder, other = fleet.holder, fleet.other
    client = fleet.crowd.add("client", sse(other.port))
    fleet.run_on()
    os.kill(holder.pid, signal.SIGHUP)
    wait_until(lambda: "Worker exiting" in holder.output(), what="the old worker is gone", deadline_s=30)
    fleet.run_on()
    fleet.settle()

    assert "handed the lease over" in holder.output()
    assert fleet.crowd.violations() == []
    assert (client.resets, holder.metric("vda5050_lost_messages_total")) == (0, 0)


def test_kill_of_the_worker_that_ingests(fleet: Fleet) -> None:
    """After kill -9 of the holder another ingests within 5 s; clients are told by `reset`, and see no gap besides."""
    clients = fleet.add_clients(promise=AFTER_A_GAP)
    wait_until(lambda: all(w.updates for w in clients), what="clients read", deadline_s=20)
    fleet.run_on()
    killed, left = fleet.holder, fleet.other
    os.kill(killed.pid, signal.SIGSTOP)  # else gunicorn starts another worker, which may be the first to take the lease
    os.kill(killed.worker_pid, signal.SIGKILL)
    begin = time.monotonic()
    taken_before = left.metric("vda5050_messages_total")
    wait_until(lambda: left.metric("vda5050_messages_total") > taken_before, what="the other ingests", deadline_s=20)
    took_s = time.monotonic() - begin
    killed.resume()
    fleet.run_on()
    fleet.settle()

    assert took_s < 5
    assert fleet.crowd.violations() == []
    assert {w.resets for w in clients} == {1}
    print(f"ingested again after {took_s:.2f} s")  # noqa: T201 - a figure to be seen


def test_worker_that_was_stopped_and_wakes_up(fleet: Fleet) -> None:
    """A holder that stood still (SIGSTOP) while another took the lease appends nothing when it wakes, and follows."""
    clients = fleet.add_clients(1, promise=AFTER_A_GAP)
    fleet.run_on()
    stopped, left = fleet.holder, fleet.other
    worker = stopped.worker_pid
    os.kill(worker, signal.SIGSTOP)
    try:
        wait_until(lambda: is_ingesting(left), what="the other ingests", deadline_s=20)
        fleet.run_on()
    finally:
        os.kill(worker, signal.SIGCONT)
    wait_until(lambda: b"another worker ingests" in stopped.get("/ready").body, what="it follows", deadline_s=20)
    fleet.run_on()
    fleet.settle()

    assert fleet.crowd.violations() == []
    assert all(w.resets <= 1 for w in clients)
    assert is_ingesting(left)


def test_redis_is_killed_and_comes_back_empty(fleet: Fleet) -> None:
    """While Redis is away each instance says so, streams stay open; back and empty, all begin anew by themselves."""
    clients = fleet.add_clients(1)
    fleet.run_on()
    fleet.redis.kill()
    for one in fleet.gateways:
        wait_until_unready(one)
        assert b"not connected to redis://127.0.0.1" in one.get("/ready").body
        assert len(one.get("/robots").json()) == 20
    fleet.run_on()
    assert fleet.crowd.hang_ups == 0

    fleet.redis.start()
    for one in fleet.gateways:
        wait_until_ready(one)
    fleet.run_on()
    fleet.settle()

    assert fleet.crowd.violations() == []
    assert fleet.crowd.hang_ups == 0
    assert all(w.resets == 1 for w in clients)


def test_redis_hangs_and_goes_on(fleet: Fleet) -> None:
    """A Redis that stands still for longer than the lease costs time and nothing else: no reset, no message lost."""
    clients = fleet.add_clients(1)
    fleet.run_on()
    fleet.redis.pause()
    for one in fleet.gateways:
        wait_until_unready(one)
    fleet.run_on(500)
    fleet.redis.resume()
    for one in fleet.gateways:
        wait_until_ready(one)
    fleet.run_on()
    fleet.settle()

    assert fleet.crowd.violations() == []
    assert [w.resets for w in clients] == [0] * len(clients)
    assert sum(one.metric("vda5050_lost_messages_total") for one in fleet.gateways) == 0


def test_everything_is_the_same_everywhere(fleet: Fleet) -> None:
    """Robots, their links, findings and ids are the same whomever one asks; one gateway alone has taken messages in."""
    fleet.run_on(100)
    fleet.robots.stop()
    holder, other = fleet.holder, fleet.other

    def facts(one: Gateway) -> dict[str, tuple[object, ...]]:
        robots = one.get("/robots").json()
        return {name: (r["payload"]["headerId"], r["is_stale"], r["last_seen"]) for name, r in robots.items()}

    wait_until(lambda: facts(holder) == facts(other) != {}, what="both know the same")
    assert {f[0] for f in facts(other).values()} == set(fleet.robots.last_header_ids.values())
    assert not any(f[1] for f in facts(other).values())

    def rules(one: Gateway) -> set[tuple[str, str, str]]:
        return {(f["robot"], f["rule"], f["place"]) for f in one.get("/conformance").json()["findings"]}

    wait_until(lambda: rules(holder) == rules(other) != set(), what="both know the same findings")
    assert holder.metric("vda5050_messages_total") == fleet.robots.sent
    assert other.metric("vda5050_messages_total") == 0
    assert (holder.metric("vda5050_ingesting"), other.metric("vda5050_ingesting")) == (1, 0)

    late = fleet.gateway()
    assert facts(late) == facts(other)
    assert rules(late) == rules(other)


def test_two_workers_of_one_gateway(redis: RedisServer) -> None:
    """With WORKERS=2 and Redis one of the two ingests, and a client may come back to either."""
    with mosquitto() as broker, Fleet(redis, broker) as fleet:
        both = fleet.gateway(workers=2)
        clients = [fleet.crowd.add(f"client {n}", sse(both.port)) for n in range(12)]
        wait_until(lambda: all(w.updates for w in clients), what="clients read", deadline_s=20)
        for _ in range(3):
            fleet.run_on(100)
            fleet.crowd.hang_up()
        wait_until(lambda: sum(w.resumes for w in clients) == 36, what="each client has come back three times")
        fleet.settle()
        assert fleet.crowd.violations() == []
        assert sum(w.resets for w in clients) == 0


def test_two_workers_without_redis() -> None:
    """Without Redis each worker ingests for itself, says so, and who comes back to the other one is reset."""
    with (
        mosquitto() as broker,
        gateway(broker, workers=2, drain_s=1, database_url="none") as both,
        RobotFleet(broker.port, robots=20, rate_hz=5.0) as robots,
        Crowd() as crowd,
    ):
        clients = [crowd.add(f"client {n}", sse(both.port)) for n in range(12)]
        wait_until(lambda: all(w.updates for w in clients), what="clients read", deadline_s=20)
        for _ in range(3):
            run_on(robots, 100)
            crowd.hang_up()
        robots.stop()
        crowd.settle(robots.last_header_ids)
        assert "each worker ingests for itself" in both.output()

    assert crowd.violations() == []
    assert sum(w.resets for w in clients) > 0


def test_cluster() -> None:
    """A Redis cluster's URL does as well."""
    with redis_cluster() as node, mosquitto() as broker, gateway(
        broker, redis_url=node.url.replace("redis://", "redis+cluster://"), drain_s=1, database_url="none"
    ) as one, RobotFleet(broker.port, robots=5) as robots, Crowd() as crowd:  # fmt: skip
        client = crowd.add("client", sse(one.port))
        wait_until(lambda: client.updates > 100, what="updates come through the cluster")
        robots.stop()
        crowd.settle(robots.last_header_ids)

        assert crowd.violations() == []
        assert (client.resets, is_ingesting(one)) == (0, True)


def test_sentinel_fails_over() -> None:
    """When the master dies and a sentinel makes the replica master, all go on there; clients are reset, not left."""
    with redis_server() as master, redis_server() as replica, mosquitto() as broker, ExitStack() as stack:
        with replica.client() as client:
            client.replicaof("127.0.0.1", master.port)
            wait_until(lambda: client.info("replication")["master_link_status"] == "up", what="the replica follows")
        watcher = stack.enter_context(sentinel(master, service="main"))
        with Redis(port=watcher.port, protocol=2) as asked:
            wait_until(lambda: asked.sentinel_master("main")["num-slaves"] == 1, what="the sentinel knows the replica",
                       deadline_s=30)  # fmt: skip
        one = stack.enter_context(
            gateway(broker, redis_url=f"redis+sentinel://127.0.0.1:{watcher.port}/main", drain_s=1, database_url="none")
        )
        robots = stack.enter_context(RobotFleet(broker.port, robots=5))
        crowd = stack.enter_context(Crowd())
        witness = crowd.add("client", sse(one.port), promise=AFTER_A_GAP)
        wait_until(lambda: witness.updates > 100, what="updates come")
        master.kill()
        wait_until_unready(one)
        wait_until_ready(one)
        seen = witness.updates
        wait_until(lambda: witness.updates > seen + 100, what="updates come again", deadline_s=20)
        robots.stop()
        crowd.settle(robots.last_header_ids)

    assert crowd.violations() == []
