"""Where the MQTT broker is: `MQTT_URL` in parts.

mqtt://user:password@host:1883
mqtts://host:8883                                     with TLS
embedded, embedded://127.0.0.1:1884                   started by the gateway, on the loopback
"""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

_PORTS = {"mqtt": 1883, "mqtts": 8883, "embedded": 1883}
_LOOPBACK = (None, "127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttUrl:
    """`MQTT_URL` in parts. `is_embedded`: this gateway starts the broker itself."""

    host: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    is_tls: bool
    is_embedded: bool

    @classmethod
    def parse(cls, text: str, *, username: str | None = None, password: str | None = None) -> "MqttUrl":
        """Read a URL; user and password are used where it names none. Raises ValueError where it names no broker."""
        try:
            url = _split(text)
            port = url.port
        except ValueError as error:
            raise ValueError("expected mqtt://host:port, mqtts://host:port or embedded") from error
        if port == 0:
            raise ValueError("the port must be 1 to 65535")
        is_embedded = url.scheme == "embedded"
        if is_embedded and url.hostname not in _LOOPBACK:
            raise ValueError(f"the embedded broker serves the loopback only, not {url.hostname}")
        return cls(
            host=url.hostname or "127.0.0.1",
            port=port or _PORTS[url.scheme],
            username=unquote(url.username) if url.username else username,
            password=unquote(url.password) if url.password else password,
            is_tls=url.scheme == "mqtts",
            is_embedded=is_embedded,
        )

    def __str__(self) -> str:
        """Write the address without secrets, for logs and `/ready`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.is_tls else 'mqtt'}://{host}:{self.port}"


def is_topic_filter(text: str) -> bool:
    """Tell whether MQTT knows such a topic filter (3.1.1, section 4.7.1)."""
    *levels, last = text.split("/")
    return all("#" not in level for level in levels) and all(
        level in ("#", "+") or not {"#", "+"} & set(level) for level in (*levels, last)
    )


def _split(text: str) -> SplitResult:
    url = urlsplit("embedded://" if text == "embedded" else text)
    if url.scheme not in _PORTS or url.path not in ("", "/") or url.query:
        raise ValueError(text)
    if url.scheme != "embedded" and not url.hostname:
        raise ValueError(text)
    return url
