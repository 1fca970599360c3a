"""redis-py's clients, as the backplane uses them: one that writes, one that waits for what is new.

Made when first used, since a cluster's client connects as it is made. Each failure is told at once and tried again by
whoever asked (see `backplane`): redis-py's own retries would hide how long Redis is away. Protocol 2, because nothing
of 3 is needed. Under gevent the sockets cooperate, so a client that waits holds up nobody.
"""

from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

from vda5050.redis_url import RedisUrl, Topology

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 2.0


def client_maker(url: RedisUrl, *, name: str, longest_wait_s: float = 0.0) -> Callable[[], Any]:
    """Give what makes a client; an answer may take `longest_wait_s` because it was asked to wait for something."""
    options: dict[str, Any] = {
        "username": url.username,
        "password": url.password,
        "ssl": url.is_tls,
        "socket_timeout": ANSWER_TIMEOUT_S + longest_wait_s,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "client_name": f"vda5050-{name}",
    }

    def make() -> Any:
        match url.topology:
            case Topology.SERVER:
                ((host, port),) = url.hosts
                return Redis(host=host, port=port, db=url.database, **options)
            case Topology.SENTINEL:
                asked: dict[str, Any] = {"password": url.sentinel_password, "ssl": url.is_tls, "protocol": 2}
                asked |= {"socket_timeout": ANSWER_TIMEOUT_S, "socket_connect_timeout": CONNECT_TIMEOUT_S}
                sentinel = Sentinel(  # type: ignore[no-untyped-call]
                    list(url.hosts), sentinel_kwargs=asked, db=url.database, **options
                )
                return sentinel.master_for(url.service)  # type: ignore[no-untyped-call]
            case Topology.CLUSTER:
                nodes = [ClusterNode(host, port) for host, port in url.hosts]  # type: ignore[no-untyped-call]
                return RedisCluster(startup_nodes=nodes, **options)

    return make
