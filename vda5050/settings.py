"""Every knob: name, type, default, unit and why it exists.

Takes the process environment, gives one frozen `Settings`. A field `max_streams` is read from `VDA5050_MAX_STREAMS`;
a secret also from the file named by `VDA5050_MQTT_PASSWORD_FILE`. Nothing else in the package reads the environment.
The README's table is compared with these fields by a test.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import unquote, urlsplit

from environs import EnvError, FileAwareEnv

from vda5050.addresses import Networks, is_host_pattern, is_origin
from vda5050.bus_url import BusUrl
from vda5050.errors import SettingsError
from vda5050.mqtt_url import MqttUrl, is_topic_filter
from vda5050.redis_url import RedisUrl, Topology
from vda5050.topics import TOPICS

PREFIX = "VDA5050_"
MAX_KEEPALIVE_S = 65_535
NO_DATABASE = "none"
MIN_SECRET_CHARS = 32
_CHOICES = {
    "auth": ("api-key", "off"),
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("auto", "console", "json"),
    "access_log": ("on", "off"),
}
_DATABASE_SCHEMES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")


def _knob(default: Any, why: str, *, is_secret: bool = False, may_be_off: bool = False) -> Any:
    return field(default=default, metadata={"why": why, "may_be_off": may_be_off}, repr=not is_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one gateway process; see the metadata of each field for the reason it exists."""

    mqtt_url: str = _knob("mqtt://localhost:1883", "mqtt://, mqtts:// or embedded[://127.0.0.1:PORT]", is_secret=True)
    mqtt_topics: tuple[str, ...] = _knob(("uagv/#", "vda5050/#", "/vda5050/#"), "topic filters, comma separated")
    mqtt_username: str | None = _knob(None, "user, where it is not in the URL")
    mqtt_password: str | None = _knob(
        None, "password, where it is not in the URL (or MQTT_PASSWORD_FILE)", is_secret=True
    )
    mqtt_ca_file: str | None = _knob(None, "PEM file of the authority that signed the broker's certificate")
    mqtt_cert_file: str | None = _knob(None, "PEM file of this gateway's client certificate")
    mqtt_key_file: str | None = _knob(None, "PEM file of the client certificate's key")
    mqtt_keepalive_s: int = _knob(15, "seconds; a broker silent for two of these is taken for gone")
    bind: str = _knob("127.0.0.1:8000", "host:port that gunicorn listens on")
    auth: str = _knob(
        "api-key", "`api-key`: requests need a key once one was made; `off`: everybody is let in, on purpose"
    )
    session_secret: str | None = _knob(
        None, "signs the login cookie; without it one in the database, which all instances share", is_secret=True
    )
    workers: int = _knob(1, "gunicorn workers; with redis_url one of all ingests, without it each for itself")
    max_streams: int = _knob(10_000, "open streams a worker takes; beyond it 503 with Retry-After")
    max_streams_per_client: int = _knob(
        2_000, "of these, one key or address may have so many; beyond it 429; 0: all", may_be_off=True
    )
    max_requests_per_minute: int = _knob(
        12_000, "requests of one key or address; beyond it 429; 0: no limit", may_be_off=True
    )
    max_failed_logins: int = _knob(
        20, "wrong keys of one address in 5 minutes; beyond it 429 for wrong ones; 0: no limit", may_be_off=True
    )
    limits_redis_url: str | None = _knob(
        None, "redis://..., where requests and failed logins are counted for all; without it REDIS_URL", is_secret=True
    )
    body_timeout_s: int = _knob(10, "seconds in which a request's body must arrive once it is read; beyond it 408")
    max_robots: int = _knob(10_000, "robots held in memory; messages of further ones are rejected and counted")
    max_kept_bytes: int = _knob(
        536_870_912,
        "bytes of last messages held in memory; half is shared out equally to as many robots as there may be",
    )
    max_payload_bytes: int = _knob(1_048_576, "bytes; a larger MQTT payload is skipped and counted")
    max_queue_bytes: int = _knob(4_194_304, "bytes a stream may lag behind before it is reset to a fresh snapshot")
    replay_bytes: int = _knob(67_108_864, "bytes of past updates held for clients that resume with Last-Event-ID")
    max_batch_interval_ms: int = _knob(100, "milliseconds; how long updates are gathered at most under load")
    heartbeat_s: int = _knob(15, "seconds between comment lines on a stream; below every proxy's idle timeout")
    peer_timeout_s: int = _knob(
        60, "seconds after which a client that takes nothing is disconnected (TCP_USER_TIMEOUT)"
    )
    max_stream_lifetime_s: int = _knob(
        14_400, "seconds (0: no end) after which a stream is told to come back, each at 0.75 to 1.25", may_be_off=True
    )
    drain_s: int = _knob(3, "seconds over which streams are ended when the gateway stops, so that not all come at once")
    stale_after_s: int = _knob(
        45, "seconds without a message of its own after which a robot is stale (standard: one in 30 s)"
    )
    trusted_proxies: tuple[str, ...] = _knob(
        (),
        "networks of proxies whose X-Forwarded-* and X-Request-ID are believed, comma separated; unix: a Unix socket's",
    )
    allowed_hosts: tuple[str, ...] = _knob(
        (), "further names that the gateway answers for, comma separated (*.example, * for any): against DNS rebinding"
    )
    allowed_origins: tuple[str, ...] = _knob(
        (), "further origins whose pages may use the API (CORS) and open /ws, comma separated"
    )
    redis_url: str | None = _knob(
        None, "what workers and machines share one stream through (or REDIS_URL_FILE)", is_secret=True
    )
    event_bus_url: str | None = _knob(
        None, "amqp://, amqps:// or kafka://host:9092/topic: every update goes there too", is_secret=True
    )
    event_bus_buffer_bytes: int = _knob(
        67_108_864, "bytes of updates held while the event bus is away; then the oldest are given up and counted"
    )
    database_url: str = _knob(
        "sqlite:///var/vda5050.db",
        "sqlite:///path of a file, postgresql://user@host/name, or none: no keys and no history (or DATABASE_URL_FILE)",
        is_secret=True,
    )
    layout_file: str | None = _knob(None, "LIF file (VDMA): ways, nodes and stations drawn on the maps its nodes name")
    floor_plans_file: str | None = _knob(None, "JSON file: the floor plan of each map, with scale and origin")
    history_topics: tuple[str, ...] = _knob(
        tuple(sorted(TOPICS - {"visualization"})), "topics kept in the history, comma separated"
    )
    history_max_age_days: int = _knob(30, "days that messages are kept")
    history_max_bytes: int = _knob(10_737_418_240, "bytes that the history may take; beyond it the oldest go")
    history_buffer_bytes: int = _knob(67_108_864, "bytes of messages held while the database is away")
    log_level: str = _knob("info", "debug, info, warning or error")
    log_format: str = _knob("auto", "console (for people), json (for machines), or auto: by whether it is a terminal")
    access_log: str = _knob("on", "`off`: no line in the log for each request and for each stream that ends")

    @classmethod
    def from_environ(cls) -> "Settings":
        """Read `os.environ`. Raises SettingsError that names every variable that cannot be used."""
        env = FileAwareEnv(prefix=PREFIX)
        values: dict[str, Any] = {}
        problems = []
        for knob in fields(cls):
            try:
                values[knob.name] = _read(env, knob.name.upper(), knob.default)
            except (EnvError, ValueError) as error:
                problems.append(str(error))
        settings = cls(**values)
        problems += settings._problems()
        if problems:
            raise SettingsError(problems)
        return settings

    @property
    def mqtt(self) -> MqttUrl:
        """The parts of `mqtt_url`, completed by `mqtt_username` and `mqtt_password`."""
        return MqttUrl.parse(self.mqtt_url, username=self.mqtt_username, password=self.mqtt_password)

    @property
    def redis(self) -> RedisUrl | None:
        """The parts of `redis_url`; None where there is none."""
        return RedisUrl.parse(self.redis_url) if self.redis_url else None

    @property
    def event_bus(self) -> BusUrl | None:
        """The parts of `event_bus_url`; None where there is none."""
        return BusUrl.parse(self.event_bus_url) if self.event_bus_url else None

    @property
    def secrets(self) -> frozenset[str]:
        """What must never show: every secret setting, of a URL its password, as written and decoded."""
        values = {knob.name: getattr(self, knob.name) or "" for knob in fields(self) if not knob.repr}
        secrets = {_password_of(text) if name.endswith("_url") else text for name, text in values.items()}
        return frozenset({*secrets, *map(unquote, secrets)} - {""})

    @property
    def binds_loopback_only(self) -> bool:
        """True where only programs of this machine can reach the gateway, and by TCP: a Unix socket is for a proxy."""
        return binds_loopback_only(self.bind.rpartition(":")[0])

    def _problems(self) -> Iterator[str]:
        yield from self._url_problems()
        if self.mqtt_keepalive_s > MAX_KEEPALIVE_S:
            yield f"{PREFIX}MQTT_KEEPALIVE_S: MQTT knows at most {MAX_KEEPALIVE_S} seconds"
        if not self.mqtt_topics or not all(map(is_topic_filter, self.mqtt_topics)):
            yield f"{PREFIX}MQTT_TOPICS: expected MQTT topic filters (# last, # and + alone in their level)"
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                yield f"{PREFIX}{name.upper()}: must be {least} or greater"
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                yield f"{PREFIX}{name.upper()}: must be {', '.join(choices[:-1])} or {choices[-1]}"
        if self.session_secret is not None and len(self.session_secret) < MIN_SECRET_CHARS:
            yield f"{PREFIX}SESSION_SECRET: must have at least {MIN_SECRET_CHARS} characters; without it one is made"
        if unknown := sorted(set(self.history_topics) - TOPICS):
            yield f"{PREFIX}HISTORY_TOPICS: unknown: {', '.join(unknown)}; known are {', '.join(sorted(TOPICS))}"
        yield from self._address_problems()

    def _url_problems(self) -> Iterator[str]:
        for name in ("mqtt", "redis", "event_bus"):
            try:
                getattr(self, name)
            except ValueError as error:
                yield f"{PREFIX}{name.upper()}_URL: {error}"
        if self.database_url != NO_DATABASE and not self.database_url.startswith(_DATABASE_SCHEMES):
            yield f"{PREFIX}DATABASE_URL: expected sqlite:///path/of/file.db, postgresql://user@host/name or none"

    def _address_problems(self) -> Iterator[str]:
        try:
            is_usable = not self.limits_redis_url or RedisUrl.parse(self.limits_redis_url).topology is Topology.SERVER
        except ValueError:
            is_usable = False
        if not is_usable:
            yield f"{PREFIX}LIMITS_REDIS_URL: expected redis:// or rediss:// and one server"
        try:
            Networks(self.trusted_proxies)
        except ValueError as error:
            yield f"{PREFIX}TRUSTED_PROXIES: expected addresses, networks (10.0.0.0/8) or unix: {error}"
        for host in self.allowed_hosts:
            if not is_host_pattern(host.lower()):
                yield f"{PREFIX}ALLOWED_HOSTS: expected host names without port, not {host!r}"
        for origin in self.allowed_origins:
            if not is_origin(origin):
                yield f"{PREFIX}ALLOWED_ORIGINS: expected origins as https://dashboard.example:8443, not {origin!r}"


def binds_loopback_only(host: str) -> bool:
    """Tell whether a listening address is one that only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_LEAST = {
    knob.name: 0 if knob.metadata["may_be_off"] else 1 for knob in fields(Settings) if isinstance(knob.default, int)
}


def _read(env: FileAwareEnv, name: str, default: Any) -> Any:
    if isinstance(default, int):
        return env.int(name, default=default)
    if isinstance(default, tuple):
        text = env.str(name, default=",".join(default))
        return tuple(part.strip() for part in text.split(",") if part.strip())
    text = env.str(name, default=default)
    return text.rstrip("\r\n") or default if text else default  # a secret's file ends with a line break


def _password_of(url: str) -> str:
    """Read a URL's password; nothing where it has none, or is no URL."""
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
