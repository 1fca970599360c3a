"""The broker goes, hangs, refuses or is another than it claims: the gateway says so, keeps its state, comes back."""

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.certificates import make_certificates
from tests.live.mqtt_packets import FakeBroker, Publisher
from tests.live.sequence_checker import Witness
from tests.live.stream_client import SseClient, WebSocketClient, descriptors
from tests.live.tcp_proxy import TcpProxy
from tests.services import LOOPBACK, Answer, Gateway, Service, gateway, mosquitto, require, wait_until

ROBOT = "ACME/R1"
TOPIC = f"uagv/v2/{ROBOT}/state"
CONNECTION = f"uagv/v2/{ROBOT}/connection"
MESSAGES = "vda5050_messages_total"
PASSWORD = "correct-horse-battery"
BACK_WITHIN_S = 5.0
CONNECTS = "vda5050_broker_connects_total"


def robot_entry(running: Gateway) -> dict[str, object]:
    """Ask for the robot."""
    entry: dict[str, object] = running.get(f"/robots/{ROBOT}").json()
    return entry


def publish_state(broker: Service, header_id: int) -> None:
    """Publish a state, on a connection of its own."""
    with Publisher(broker.port) as robot:
        robot.publish(TOPIC, json.dumps({"headerId": header_id}))


def not_ready(running: Gateway) -> Answer:
    """Wait until `/ready` says no; give what it says."""
    wait_until(lambda: not running.has("/ready"), what="/ready is not 200", deadline_s=15)
    return running.get("/ready")


def assert_says_so(answer: Answer) -> str:
    """Check that `/ready` tells in the agreed shape that the broker is missing; give its reason."""
    body = answer.json()
    assert answer.status == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == 503
    assert body["code"] == "not_ready"
    assert "broker" in body["detail"]
    assert body["dependencies"]["service"]["ready"] is True
    assert body["dependencies"]["broker"]["ready"] is False
    detail: str = body["dependencies"]["broker"]["detail"]
    return detail


def seconds_until_ready(running: Gateway, begin: float) -> float:
    """Wait until `/ready` is 200; give the seconds since `begin` (monotonic)."""
    wait_until(lambda: running.has("/ready"), what="/ready is 200 again", deadline_s=3 * BACK_WITHIN_S)
    return time.monotonic() - begin


def kill_and_restart(broker: Service, running: Gateway, streams: Sequence[SseClient | WebSocketClient]) -> None:
    """Kill the broker for as long as the longest back-off, restart it; check all that is promised meanwhile and after.

    `streams` have been opened, nothing of them was read yet.
    """
    witnesses = [Witness(f"stream {number}") for number in range(len(streams))]
    for witness, stream in zip(witnesses, streams, strict=True):
        witness.connected(None)
        witness.saw(stream.next())
    killed_at = time.monotonic()

    broker.kill()

    detail = assert_says_so(not_ready(running))
    assert f"not connected to mqtt://{LOOPBACK}:{broker.port}" in detail
    entry = robot_entry(running)
    assert entry["is_stale"] is True
    assert entry["payload"] == {"headerId": 1}
    for witness, stream in zip(witnesses, streams, strict=True):
        event = stream.next()
        witness.saw(event)
        assert event.data == {"type": "status", "data": {"broker": "disconnected"}}
    wait_until(lambda: time.monotonic() > killed_at + 3, what="the broker was away for 3 s")
    assert "ConnectionRefusedError" in assert_says_so(running.get("/ready"))

    broker.start()
    assert seconds_until_ready(running, time.monotonic()) < BACK_WITHIN_S

    assert robot_entry(running)["is_stale"] is True
    publish_state(broker, 2)
    for witness, stream in zip(witnesses, streams, strict=True):
        for _ in range(2):
            witness.saw(stream.next())
        assert not stream.is_ended
        assert (witness.statuses, witness.updates, witness.resets) == (2, 1, 0)
    assert [violation for witness in witnesses for violation in witness.violations] == []
    wait_until(lambda: robot_entry(running)["is_stale"] is False, what="the robot is fresh again")


def test_broker_is_killed_and_restarted() -> None:
    """A dead broker shows in /ready, on every stream and at every robot, ends nothing, and is back within 5 s."""
    with mosquitto() as broker, gateway(broker) as running:
        publish_state(broker, 1)
        wait_until(lambda: running.has(f"/robots/{ROBOT}"), what="the robot is known")
        with (
            SseClient(running.port) as plain,
            SseClient(running.port, is_gzip=True) as gzip,
            WebSocketClient(running.port) as websocket,
        ):
            kill_and_restart(broker, running, [plain, gzip, websocket])
        assert running.metric(CONNECTS) == 2


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Let this process, and the gateway that it starts, have thousands of descriptors open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_broker_is_restarted_with_more_than_1024_descriptors_open() -> None:
    """All of that holds while the worker has 1,100 streams open, where `select` would fail."""
    with mosquitto() as broker, gateway(broker) as running, ExitStack() as clients:
        publish_state(broker, 1)
        wait_until(lambda: running.has(f"/robots/{ROBOT}"), what="the robot is known")
        streams = [clients.enter_context(SseClient(running.port, is_gzip=True)) for _ in range(1_100)]
        wait_until(lambda: running.metric("vda5050_streams") == 1_100, what="all streams are open", deadline_s=30)
        assert descriptors(running.worker_pid) > 1_100

        kill_and_restart(broker, running, streams)


def assert_hung_broker_is_noticed(running: Gateway, stream: SseClient) -> None:
    """Check that a broker that says nothing any more, with a keepalive of 1 s, is given up and told about."""
    began_at = time.monotonic()
    assert_says_so(not_ready(running))
    assert time.monotonic() - began_at < 4
    assert stream.next("status").data["data"] == {"broker": "disconnected"}


def test_hanging_broker_is_noticed() -> None:
    """A broker whose process stands still is given up after two keepalives, and taken up again when it goes on."""
    with mosquitto() as broker, gateway(broker, mqtt_keepalive_s=1) as running, SseClient(running.port) as stream:
        stream.next("snapshot")

        broker.pause()
        assert_hung_broker_is_noticed(running, stream)
        broker.resume()

        assert seconds_until_ready(running, time.monotonic()) < BACK_WITHIN_S
        assert stream.next("status").data["data"] == {"broker": "connected"}


def test_silent_network_is_noticed() -> None:
    """A connection over which nothing comes any more is given up after two keepalives, and made again."""
    with (
        mosquitto() as broker,
        TcpProxy(broker.port) as proxy,
        gateway(proxy, mqtt_keepalive_s=1) as running,
        SseClient(running.port) as stream,
    ):
        stream.next("snapshot")

        proxy.silence()
        assert_hung_broker_is_noticed(running, stream)
        proxy.speak()

        assert seconds_until_ready(running, time.monotonic()) < BACK_WITHIN_S
        assert stream.next("status").data["data"] == {"broker": "connected"}
        connects = running.metric(CONNECTS)
        publish_state(broker, 1)
        assert stream.next("update").data["data"]["payload"] == {"headerId": 1}
        assert running.metric(CONNECTS) == connects


def test_idle_link_is_kept() -> None:
    """With the shortest keepalive and no message at all, the link stands: the gateway pings in time."""
    with mosquitto() as broker, gateway(broker, mqtt_keepalive_s=1) as running:
        begin = time.monotonic()
        wait_until(lambda: time.monotonic() > begin + 4, what="four keepalives have passed")

        assert running.metric(CONNECTS) == 1
        assert running.has("/ready")


@pytest.fixture(scope="module", autouse=True)
def unanswered() -> Iterator[tuple[FakeBroker, Gateway]]:
    """Run a gateway whose broker accepts and says nothing; from the start of the module, for it takes a while."""
    with FakeBroker() as broker, gateway(broker, until="/health") as running:
        yield broker, running


def test_retained_message_alone_does_not_make_a_robot_fresh() -> None:
    """What the broker had kept shows the robot, but not as seen; after a reconnect neither, until it speaks itself."""
    with mosquitto() as broker, TcpProxy(broker.port) as proxy, Publisher(broker.port) as robot:
        robot.publish(CONNECTION, '{"connectionState":"ONLINE"}', qos=1, is_retained=True)

        with gateway(proxy) as running, SseClient(running.port) as stream:
            wait_until(lambda: running.has(f"/robots/{ROBOT}"), what="the retained message has come")
            entry = robot_entry(running)
            assert entry["connection_state"] == "ONLINE"
            assert entry["is_stale"] is True
            assert entry["last_seen"] is None

            robot.publish(TOPIC, '{"headerId":1}')
            wait_until(lambda: "state" in str(robot_entry(running)["messages"]), what="the state has come")
            fresh = robot_entry(running)
            assert fresh["is_stale"] is False
            assert fresh["last_seen"] is not None

            proxy.cut()
            stream.next_that(lambda e: e.data.get("data") == {"broker": "connected"}, what="the link is back")
            wait_until(
                lambda: running.metric("vda5050_odd_messages_total", reason="old_retained") == 1,
                what="the retained message again",
            )
            after = robot_entry(running)
            assert after["is_stale"] is True
            assert after["last_seen"] == fresh["last_seen"]

            robot.publish(TOPIC, '{"headerId":2}')
            wait_until(lambda: robot_entry(running)["is_stale"] is False, what="the robot is fresh again")


def password_file(folder: Path, password: str) -> Path:
    """Write mosquitto's password file for the user `gateway`."""
    path = folder / "passwords"
    path.touch(mode=0o600)
    subprocess.run([require("mosquitto_passwd"), "-b", path, "gateway", password], check=True, capture_output=True)
    return path


@pytest.mark.parametrize("settings", ["url", "beside the url", "file"])
def test_wrong_password_is_said_and_tried_again(tmp_path: Path, settings: str) -> None:
    """/ready and the log say that the broker refuses, never with which password; when it is put right, all is well."""
    passwords = password_file(tmp_path, "another one")
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    with mosquitto(config_lines=["allow_anonymous false", f"password_file {passwords}"]) as broker:
        url = f"mqtt://{LOOPBACK}:{broker.port}"
        given = {
            "url": {"mqtt_url": f"mqtt://gateway:{PASSWORD}@{LOOPBACK}:{broker.port}"},
            "beside the url": {"mqtt_url": url, "mqtt_username": "gateway", "mqtt_password": PASSWORD},
            "file": {"mqtt_url": url, "mqtt_username": "gateway", "mqtt_password_file": str(secret)},
        }[settings]
        with gateway(broker, until="/health", log_level="debug", **given) as running:
            wait_until(
                lambda: "refused" in assert_says_so(running.get("/ready")), what="/ready says that the broker refuses"
            )
            answer = running.get("/ready")
            assert "uthori" in assert_says_so(answer)  # Not authorized, authorised, authorization
            assert "the broker refused" in running.output()

            password_file(tmp_path, PASSWORD)
            os.kill(broker.pid, signal.SIGHUP)  # it reads its passwords again

            assert seconds_until_ready(running, time.monotonic()) < BACK_WITHIN_S
            for said in (running.output(), answer.body.decode(), running.get("/ready").body.decode()):
                assert PASSWORD not in said


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make two authorities, and of the first a certificate for the name `localhost` and one for a client."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), {"broker": "localhost", "client": "gateway"})


@pytest.fixture
def tls_broker(certificates: Path, request: pytest.FixtureRequest) -> Iterator[Service]:
    """Run mosquitto with TLS; a parameter is a further line of its configuration."""
    lines = [f"cafile {certificates}/authority.pem", f"certfile {certificates}/broker.pem",
             f"keyfile {certificates}/broker.key", *getattr(request, "param", [])]  # fmt: skip
    with mosquitto(config_lines=lines) as broker:
        yield broker


def test_tls_broker(certificates: Path, tls_broker: Service, tmp_path: Path) -> None:
    """Over mqtts:// to a broker of an own authority every message comes, at once, be it small, large or in a burst."""
    url = f"mqtts://localhost:{tls_broker.port}"
    with (
        gateway(tls_broker, mqtt_url=url, mqtt_ca_file=certificates / "authority.pem") as running,
        SseClient(running.port) as stream,
    ):
        stream.next("snapshot")
        burst = tmp_path / "burst"
        burst.write_text("".join(json.dumps({"headerId": n, "x": "y" * (n % 7 * 3_000)}) + "\n" for n in range(500)))
        publish_lines = ["mosquitto_pub", "-h", "localhost", "-p", str(tls_broker.port), "-t", TOPIC, "-l",
                         "--cafile", str(certificates / "authority.pem")]  # fmt: skip
        with burst.open("rb") as lines:
            subprocess.run([require(publish_lines[0]), *publish_lines[1:]], stdin=lines, check=True)

        for number in range(500):
            assert stream.next("update", deadline_s=5).data["data"]["payload"]["headerId"] == number


@pytest.mark.parametrize("tls_broker", [["require_certificate true"]], indirect=True, ids=["client certificate"])
def test_tls_broker_that_wants_a_client_certificate(certificates: Path, tls_broker: Service) -> None:
    """The gateway proves who it is where it is given a certificate; without one it is kept out, and says so."""
    authority: dict[str, object] = {
        "mqtt_url": f"mqtts://localhost:{tls_broker.port}",
        "mqtt_ca_file": certificates / "authority.pem",
    }
    key = {"mqtt_cert_file": certificates / "client.pem", "mqtt_key_file": certificates / "client.key"}

    with gateway(tls_broker, until="/ready", **(authority | key)) as running:
        assert running.has("/ready")
    with gateway(tls_broker, until="/health", **authority) as running:
        wait_until(lambda: "certificate" in assert_says_so(running.get("/ready")), what="the reason is said")
        assert running.metric(CONNECTS) == 0


@pytest.mark.parametrize(
    ("host", "ca_file", "reason"),
    [
        ("localhost", "stranger.pem", "certificate verify failed"),
        ("localhost", None, "certificate verify failed"),
        (LOOPBACK, "authority.pem", "IP address mismatch"),
    ],
    ids=["wrong authority", "no authority", "wrong host name"],
)
def test_broker_that_is_not_who_it_should_be_is_refused(
    certificates: Path, tls_broker: Service, host: str, ca_file: str | None, reason: str
) -> None:
    """A certificate of another authority or for another name: no connection, a clear reason, and further tries."""
    settings: dict[str, object] = {"mqtt_url": f"mqtts://{host}:{tls_broker.port}"}
    if ca_file is not None:
        settings["mqtt_ca_file"] = certificates / ca_file
    with gateway(tls_broker, until="/health", **settings) as running:
        wait_until(lambda: reason in assert_says_so(running.get("/ready")), what="the reason is said")

        tries = tls_broker.output().count(" connection from")  # "New" or "Client", as far as the handshake came
        wait_until(lambda: tls_broker.output().count(" connection from") > tries, what="it tries again", deadline_s=30)
        assert running.metric(CONNECTS) == 0
        assert running.output().count(reason) == 1  # said once, not at every try
        assert "Traceback" not in running.output()


def test_missing_authority_file_is_said() -> None:
    """A file that is not there is named in /ready."""
    with mosquitto() as broker:
        settings = {"mqtt_url": f"mqtts://localhost:{broker.port}", "mqtt_ca_file": "/nowhere/authority.pem"}
        with gateway(broker, until="/health", **settings) as running:
            assert "/nowhere/authority.pem" in assert_says_so(not_ready(running))


def test_broker_that_never_answers_is_tried_again(unanswered: tuple[FakeBroker, Gateway]) -> None:
    """A broker that accepts a connection and says nothing is given up; when it has come to its senses, it is used."""
    broker, running = unanswered
    wait_until(lambda: "did not answer" in assert_says_so(running.get("/ready")), what="given up", deadline_s=20)

    broker.accept()

    wait_until(lambda: running.has("/ready"), what="connected at the next try")


def test_old_retained_messages_after_a_reconnect() -> None:
    """What was retained before the robot's later messages comes again with a new connection, and changes nothing."""
    order = f"uagv/v2/{ROBOT}/order"
    with mosquitto() as broker, TcpProxy(broker.port) as proxy, Publisher(broker.port) as robot:
        robot.publish(TOPIC, '{"headerId":1}', qos=1, is_retained=True)
        robot.publish(order, '{"headerId":1}', qos=1, is_retained=True)
        with gateway(proxy) as running:
            wait_until(lambda: running.metric(MESSAGES) == 2, what="the retained messages have come")
            robot.publish(TOPIC, '{"headerId":2}', qos=1)
            wait_until(lambda: running.metric(MESSAGES) == 3, what="the state has come")
            with SseClient(running.port) as stream:
                stream.next("snapshot")
                proxy.cut()
                wait_until(lambda: running.metric(MESSAGES) == 5, what="the retained messages again")
                robot.publish(TOPIC, '{"headerId":3}', qos=1)

                update = stream.next_that(lambda e: e.type == "update", what="the first update")
                assert update.data["data"]["payload"] == {"headerId": 3}
