"""Start Redis for tests: one server, one under a sentinel, a cluster of one node; each on loopback ports of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.services import LOOPBACK, Service, free_port, require, running, wait_until


class RedisServer(Service):
    """A server that keeps nothing on disk unless told: after `kill()` and `start()` it is empty."""

    @property
    def url(self) -> str:
        """What goes into `redis_url`."""
        return f"redis://{LOOPBACK}:{self.port}"

    def client(self) -> "redis.Redis":
        """Connect to it; to be closed."""
        return redis.Redis(host=LOOPBACK, port=self.port, protocol=2)


@contextmanager
def redis_server(*, port: int | None = None, options: tuple[str, ...] = ()) -> Iterator[RedisServer]:
    """Run a server; `options` are redis-server's own, such as `--appendonly yes`."""
    executable = require("redis-server")
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        argv = [executable, "--port", str(port), "--bind", LOOPBACK, "--save", "", "--dir", folder, *options]
        with running(RedisServer(argv, port=port, log=Path(folder, "output.log"))) as server:
            assert isinstance(server, RedisServer)
            yield server


@contextmanager
def sentinel(master: RedisServer, *, service: str) -> Iterator[Service]:
    """Run a sentinel that watches `master` alone, and fails over half a second after it is gone."""
    executable = require("redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="sentinel-") as folder:
        config = Path(folder, "sentinel.conf")
        config.write_text(
            f"port {port}\nbind {LOOPBACK}\ndir {folder}\n"
            f"sentinel monitor {service} {LOOPBACK} {master.port} 1\n"
            f"sentinel down-after-milliseconds {service} 500\n"
            f"sentinel failover-timeout {service} 2000\n"
        )
        argv: list[str | Path] = [executable, config, "--sentinel"]
        with running(Service(argv, port=port, log=Path(folder, "output.log"))) as watcher:
            yield watcher


@contextmanager
def redis_cluster() -> Iterator[RedisServer]:
    """Run a cluster of one node that has all slots."""
    with redis_server(options=("--cluster-enabled", "yes")) as node:
        with node.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)

            def is_formed() -> bool:
                return b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO")

            wait_until(is_formed, what="the cluster is formed")
        yield node
