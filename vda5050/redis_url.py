"""Where Redis is: `REDIS_URL` in parts, whatever it stands behind.

redis://:password@host:6379/0                                            one server; rediss:// with TLS
redis+sentinel://:password@sentinel1:26379,sentinel2:26379/service/0     whoever is master; ?sentinel_password=
redis+cluster://:password@node1:6379,node2:6379                          a cluster; one slot holds all
"""

from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qsl, unquote, urlsplit


class Topology(Enum):
    """What stands at the address."""

    SERVER = "redis"
    SENTINEL = "redis+sentinel"
    CLUSTER = "redis+cluster"


_PORTS = {Topology.SERVER: 6379, Topology.SENTINEL: 26379, Topology.CLUSTER: 6379}


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUrl:
    """`REDIS_URL` in parts. `service` is the name under which sentinels know the master."""

    topology: Topology
    hosts: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None = field(repr=False)
    sentinel_password: str | None = field(repr=False)
    is_tls: bool
    service: str
    database: int

    @classmethod
    def parse(cls, text: str) -> "RedisUrl":
        """Read a URL. Raises ValueError where it names no Redis."""
        url = urlsplit(text)
        is_tls = url.scheme.startswith("rediss")
        try:
            topology = Topology(url.scheme.replace("rediss", "redis", 1))
        except ValueError as error:
            raise ValueError(
                "expected redis://, rediss://, redis+sentinel:// or redis+cluster:// (rediss+... with TLS)"
            ) from error
        user, _, hosts = url.netloc.rpartition("@")
        username, _, password = user.partition(":")
        addresses = tuple(_address(host, _PORTS[topology]) for host in hosts.split(",") if host)
        if not addresses or (topology is Topology.SERVER and len(addresses) > 1):
            raise ValueError("one host is expected, or for sentinels and clusters some")
        service, database = _path(url.path, topology)
        return cls(
            topology=topology,
            hosts=addresses,
            username=unquote(username) or None,
            password=unquote(password) or None,
            sentinel_password=dict(parse_qsl(url.query)).get("sentinel_password"),
            is_tls=is_tls,
            service=service,
            database=database,
        )

    def __str__(self) -> str:
        """Write the address without secrets, for logs and `/ready`."""
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        path = "/".join(filter(None, (self.service, str(self.database) if self.database else "")))
        return f"{self.topology.value}://{hosts}{'/' if path else ''}{path}{' with TLS' if self.is_tls else ''}"


def _path(text: str, topology: Topology) -> tuple[str, int]:
    """Read the sentinels' service name, and the number of the database."""
    parts = [unquote(part) for part in text.split("/") if part]
    service = ""
    if topology is Topology.SENTINEL:
        if not parts:
            raise ValueError("the sentinels' service name is missing: redis+sentinel://host:26379/service")
        service = parts.pop(0)
    if topology is Topology.CLUSTER and parts:
        raise ValueError("a cluster has no numbered databases")
    if len(parts) > 1 or not all(part.isdecimal() for part in parts):
        raise ValueError("the database is a number")
    return service, int(parts[0]) if parts else 0


def _address(host: str, default_port: int) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = host, str(default_port)
    if not name or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"{host} is no host:port")
    return name.strip("[]"), int(port)
