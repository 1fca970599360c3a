"""The environment becomes settings, or a list of everything that is wrong with it."""

from dataclasses import fields
from pathlib import Path

import pytest

from vda5050.errors import SettingsError
from vda5050.settings import PREFIX, Settings

NUMBERS = sorted(knob.name for knob in fields(Settings) if isinstance(knob.default, int))
MAY_BE_OFF = ["max_failed_logins", "max_requests_per_minute", "max_stream_lifetime_s", "max_streams_per_client"]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the shell that runs the tests has set."""
    for knob in fields(Settings):
        for suffix in ("", "_FILE"):
            monkeypatch.delenv(f"{PREFIX}{knob.name.upper()}{suffix}", raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    """Read the settings from an environment with these variables, named without the prefix."""
    for name, value in variables.items():
        monkeypatch.setenv(PREFIX + name, value)
    return Settings.from_environ()


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    """Give what is wrong with such an environment."""
    with pytest.raises(SettingsError) as raised:
        read(monkeypatch, **variables)
    return raised.value.problems


def test_nothing_set() -> None:
    """Without any variable every setting has its default."""
    assert Settings.from_environ() == Settings()


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_is_read(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each number is read from the variable of its name."""
    assert getattr(read(monkeypatch, **{name.upper(): "7"}), name) == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in NUMBERS
        for value in ("0", "-1", "many", "1.5")
        if value != "0" or name not in MAY_BE_OFF
    ],
)
def test_no_number_may_be_nonsense(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A number that is none, or below the least that makes sense, is refused by the name of its variable."""
    found = problems(monkeypatch, **{name.upper(): value})

    assert len(found) == 1
    assert PREFIX + name.upper() in found[0]


@pytest.mark.parametrize("name", MAY_BE_OFF)
def test_limits_that_may_be_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Some limits are turned off with 0."""
    assert getattr(read(monkeypatch, **{name.upper(): "0"}), name) == 0


def test_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are separated by commas; blanks and empty parts do not count."""
    settings = read(monkeypatch, MQTT_TOPICS=" fts/# ,,uagv/+/ABB/# ", ALLOWED_ORIGINS="https://a.example")

    assert settings.mqtt_topics == ("fts/#", "uagv/+/ABB/#")
    assert settings.allowed_origins == ("https://a.example",)


@pytest.mark.parametrize("text", ["", " , "])
def test_no_topics_at_all(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A gateway never runs without a topic filter: empty means the default, or is refused."""
    try:
        settings = read(monkeypatch, MQTT_TOPICS=text)
    except SettingsError as error:
        assert f"{PREFIX}MQTT_TOPICS" in error.problems[0]  # noqa: PT017 - either outcome is fine
    else:
        assert settings.mqtt_topics == Settings().mqtt_topics


@pytest.mark.parametrize("topic_filter", ["uagv/#/state", "uagv/v2+/#", "uagv#"])
def test_topic_filter_that_mqtt_does_not_know(monkeypatch: pytest.MonkeyPatch, topic_filter: str) -> None:
    """A topic filter that no broker takes (MQTT 3.1.1, section 4.7.1) is refused at the start."""
    found = problems(monkeypatch, MQTT_TOPICS=topic_filter)

    assert f"{PREFIX}MQTT_TOPICS" in found[0]


def test_empty_text_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable set to nothing, as a unit file leaves it, means the default."""
    assert read(monkeypatch, MQTT_URL="", MQTT_PASSWORD="", LOG_LEVEL="", AUTH="", BIND="") == Settings()


def test_all_problems_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is wrong is told in one go, a sentence for each variable."""
    found = problems(monkeypatch, WORKERS="two", HEARTBEAT_S="0", AUTH="none", LOG_LEVEL="loud", MQTT_URL="http://x")

    names = ["WORKERS", "HEARTBEAT_S", "AUTH", "LOG_LEVEL", "MQTT_URL"]
    assert sorted(name for name in names for problem in found if PREFIX + name in problem) == sorted(names)
    assert len(found) == len(names)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_password_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ending: str) -> None:
    """A secret is what stands in the file; the line break that editors and `echo` leave is no part of it."""
    secret = tmp_path / "password"
    secret.write_bytes(f"ge heim{ending}".encode())

    settings = read(monkeypatch, MQTT_PASSWORD_FILE=str(secret), MQTT_USERNAME="gateway")
    assert (settings.mqtt.username, settings.mqtt.password) == ("gateway", "ge heim")


def test_password_from_a_missing_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A secret whose file cannot be read is a problem, not an empty password."""
    found = problems(monkeypatch, MQTT_PASSWORD_FILE=str(tmp_path / "nowhere"))

    assert f"{PREFIX}MQTT_PASSWORD_FILE" in found[0]


def test_certificates_are_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that are paths are kept as paths, although their names end in _FILE."""
    settings = read(monkeypatch, MQTT_CA_FILE="/ca.pem", MQTT_CERT_FILE="/cert.pem", MQTT_KEY_FILE="/key.pem")

    assert (settings.mqtt_ca_file, settings.mqtt_cert_file, settings.mqtt_key_file) == (
        "/ca.pem",
        "/cert.pem",
        "/key.pem",
    )


@pytest.mark.parametrize(
    ("url", "host", "port", "is_tls", "is_embedded"),
    [
        ("mqtt://broker", "broker", 1883, False, False),
        ("mqtt://broker:1999/", "broker", 1999, False, False),
        ("mqtts://broker", "broker", 8883, True, False),
        ("MQTTS://Broker:1", "broker", 1, True, False),
        ("mqtt://[::1]:1884", "::1", 1884, False, False),
        ("embedded", "127.0.0.1", 1883, False, True),
        ("embedded://", "127.0.0.1", 1883, False, True),
        ("embedded://localhost:1884", "localhost", 1884, False, True),
        ("embedded://[::1]:1884", "::1", 1884, False, True),
    ],
)
def test_broker_urls(
    monkeypatch: pytest.MonkeyPatch, *, url: str, host: str, port: int, is_tls: bool, is_embedded: bool
) -> None:
    """A broker URL names scheme, host and port; what is missing is the scheme's usual."""
    broker = read(monkeypatch, MQTT_URL=url).mqtt

    assert (broker.host, broker.port, broker.is_tls, broker.is_embedded) == (host, port, is_tls, is_embedded)


def test_password_in_the_url() -> None:
    """User and password in the URL are percent-decoded, and win over those beside it."""
    settings = Settings(mqtt_url="mqtt://us%40er:p%2Fw@broker", mqtt_username="other", mqtt_password="other")

    assert (settings.mqtt.username, settings.mqtt.password) == ("us@er", "p/w")


def test_password_beside_the_url() -> None:
    """User and password beside the URL complete it."""
    settings = Settings(mqtt_url="mqtt://user@broker", mqtt_username="other", mqtt_password="secret")

    assert (settings.mqtt.username, settings.mqtt.password) == ("user", "secret")


@pytest.mark.parametrize(
    "url",
    [
        "broker:1883",
        "mqtt://",
        "mqtt://:1883",
        "http://broker",
        "mqtt://broker/path",
        "mqtt://broker?x=1",
        "mqtt://broker:99999",
        "mqtt://broker:0",
        "mqtt://broker:port",
        "mqtt://[::1",
        "embedded://0.0.0.0",
        "embedded://broker.example",
        "embedded://:0",
    ],
)
def test_refused_broker_urls(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A URL that names no broker, or an embedded one that others could reach, is refused."""
    found = problems(monkeypatch, MQTT_URL=url)

    assert len(found) == 1
    assert f"{PREFIX}MQTT_URL" in found[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("MQTT_URL", "mqtt://user:geheim@broker:99999"), ("MQTT_URL", "http://user:geheim@broker"), ("WORKERS", "geheim")],
)
def test_problems_hold_no_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """What is told about a bad value does not repeat it: it may be a password in the wrong place."""
    assert "geheim" not in "".join(problems(monkeypatch, **{name: value}))


def test_shown_settings_hold_no_secret() -> None:
    """Settings that end up in a log or a traceback do not show the password, wherever it was given."""
    beside = Settings(mqtt_password="geheim", database_url="postgresql://u:geheim@h/n")
    inside = Settings(mqtt_url="mqtt://user:geheim@broker")

    shown = [repr(beside), repr(inside), repr(beside.mqtt), repr(inside.mqtt), str(beside.mqtt), str(inside.mqtt)]
    assert [text for text in shown if "geheim" in text] == []


def test_shown_broker_can_be_read() -> None:
    """The broker's address for logs is a URL, an IPv6 host in brackets as such."""
    urls = [str(Settings(mqtt_url=url).mqtt) for url in ("mqtts://broker", "mqtt://u:p@h:1", "mqtt://[fe80::1]:1884")]

    assert urls == ["mqtts://broker:8883", "mqtt://h:1", "mqtt://[fe80::1]:1884"]


@pytest.mark.parametrize("url", ["none", "sqlite:///a.db", "postgresql://u:p@h/n", "postgresql+psycopg://h/n"])
def test_databases(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A file, a PostgreSQL server, or no database at all can be named."""
    assert read(monkeypatch, DATABASE_URL=url).database_url == url


@pytest.mark.parametrize("url", ["mysql://u:geheim@h/n", "sqlite://", "var/vda5050.db", "off"])
def test_refused_databases(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Another database is refused at the start, and the address, which may hold a password, is not repeated."""
    (found,) = problems(monkeypatch, DATABASE_URL=url)

    assert f"{PREFIX}DATABASE_URL" in found
    assert "geheim" not in found


@pytest.mark.parametrize("bind", ["127.0.0.1:80", "127.8.0.1:80", "localhost:80", "[::1]:80"])
def test_loopback(bind: str) -> None:
    """An address that only this machine's programs can reach needs no key."""
    assert Settings(bind=bind).binds_loopback_only


@pytest.mark.parametrize(
    "bind",
    ["0.0.0.0:80", "[::]:80", ":80", "80", "192.168.0.7:80", "host.example:80", "fd://3", "unix:/run/gateway.sock"],
)
def test_other_interfaces(bind: str) -> None:
    """An address that others may reach, a Unix socket's proxy among them, is none of the loopback."""
    assert not Settings(bind=bind).binds_loopback_only


def test_session_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that signs cookies is long, and a short one is not repeated."""
    (found,) = problems(monkeypatch, SESSION_SECRET="geheim")

    assert f"{PREFIX}SESSION_SECRET" in found
    assert "geheim" not in found
    assert read(monkeypatch, SESSION_SECRET="x" * 32).session_secret == "x" * 32


def test_every_setting_says_why() -> None:
    """Each setting has its reason beside it."""
    assert [knob.name for knob in fields(Settings) if len(knob.metadata["why"]) < 10] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "nginx"),
        ("LIMITS_REDIS_URL", "http://redis"),
        ("LIMITS_REDIS_URL", "redis+cluster://redis"),
        ("ALLOWED_HOSTS", "https://fleet.example"),
        ("ALLOWED_HOSTS", "fleet.example:8000"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "fleet.example"),
        ("ALLOWED_ORIGINS", "https://fleet.example/"),
    ],
)
def test_addresses_that_would_never_match(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A network, host or origin that no request can have is refused at start, and locks nobody out in silence."""
    monkeypatch.setenv(PREFIX + name, value)

    with pytest.raises(SettingsError, match=PREFIX + name):
        Settings.from_environ()
