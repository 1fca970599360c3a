"""Where the event bus is: `EVENT_BUS_URL` in parts."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

_PORTS = {"amqp": 5672, "amqps": 5671, "kafka": 9092}
_DEFAULT_TARGET = "vda5050"


@dataclass(frozen=True, slots=True, kw_only=True)
class BusUrl:
    """`EVENT_BUS_URL` in parts. `target`: exchange or Kafka topic. `options`: what stands after `?`."""

    scheme: str
    hosts: tuple[str, ...]
    username: str | None
    password: str | None = field(repr=False)
    virtual_host: str
    target: str
    options: dict[str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "BusUrl":
        """Read a URL. Raises ValueError where it names no bus."""
        url = urlsplit(text)
        if url.scheme not in _PORTS:
            raise ValueError("expected amqp://, amqps:// or kafka://")
        user, _, hosts = url.netloc.rpartition("@")
        username, _, password = user.partition(":")
        names = tuple(_with_port(host, _PORTS[url.scheme]) for host in hosts.split(",") if host)
        if not names:
            raise ValueError("no host is given")
        path = unquote(url.path.removeprefix("/"))
        options = dict(parse_qsl(url.query))
        is_kafka = url.scheme == "kafka"
        if "/" in path and is_kafka:
            raise ValueError("a Kafka topic holds no /")
        target = path if is_kafka else options.pop("exchange", "")
        return cls(
            scheme=url.scheme,
            hosts=names,
            username=unquote(username) or None,
            password=unquote(password) or None,
            virtual_host="/" if is_kafka or not path else path,
            target=target or _DEFAULT_TARGET,
            options=options,
        )

    def __str__(self) -> str:
        """Write the address without secrets, for logs and `/ready`."""
        return (
            f"{self.scheme}://{','.join(self.hosts)}, {'topic' if self.scheme == 'kafka' else 'exchange'} {self.target}"
        )


def _with_port(host: str, default: int) -> str:
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        return f"{host}:{default}"
    if not name or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"{host} is no host:port")
    return host
