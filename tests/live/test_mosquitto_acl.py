"""deploy/mosquitto.conf and its rules, run for real: a robot can be nobody but itself, and a stranger nobody."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import make_certificates
from tests.nginx import replaced
from tests.services import LOOPBACK, PROJECT, Gateway, Service, free_port, gateway, require, running, wait_until

PASSWORDS = {"gateway": "g-secret", "R1": "r1-secret", "R2": "r2-secret", "fleet-control": "f-secret"}
ROBOTS = {
    "standard": "uagv/v2/ACME/{}/{}",
    "3.0": "vda5050/v3/ACME/{}/{}",
    "flat": "/vda5050/ACME/{}/{}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make certificates and the password file that the configuration names."""
    folder = make_certificates(tmp_path_factory.mktemp("mosquitto"), {"broker": "localhost"})
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    for user, password in PASSWORDS.items():
        command = [require("mosquitto_passwd"), "-b", str(passwords), user, password]
        subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[Service]:
    """Run mosquitto with the deployment's configuration."""
    port = free_port()
    text = replaced(
        (PROJECT / "deploy" / "mosquitto.conf").read_text(),
        {
            "listener 8883": f"listener {port} {LOOPBACK}",
            "/etc/mosquitto/certs/ca.pem": f"{folder}/authority.pem",
            "/etc/mosquitto/certs/broker.pem": f"{folder}/broker.pem",
            "/etc/mosquitto/certs/broker.key": f"{folder}/broker.key",
            "/etc/mosquitto/passwords": f"{folder}/passwords",
            "/etc/mosquitto/mosquitto.acl": f"{PROJECT}/deploy/mosquitto.acl",
            "/var/lib/mosquitto/": f"{folder}/",
        },
    )
    if os.geteuid() == 0:
        text += "user root\n"  # else it changes to a user that cannot read this folder
    (folder / "mosquitto.conf").write_text(text)
    service = Service([require("mosquitto"), "-c", folder / "mosquitto.conf"], port=port, log=folder / "output.log")
    with running(service):
        yield service


@pytest.fixture(scope="module")
def watching(broker: Service, folder: Path) -> Iterator[Gateway]:
    """Run the gateway on that broker, with its password in a file."""
    secret = folder / "gateway.password"
    secret.write_text(PASSWORDS["gateway"] + "\n")
    with gateway(
        broker,
        mqtt_url=f"mqtts://localhost:{broker.port}",
        mqtt_username="gateway",
        mqtt_password_file=secret,
        mqtt_ca_file=folder / "authority.pem",
    ) as service:
        yield service


def client(program: str, broker: Service, folder: Path, user: str) -> list[str]:
    """Give the command line of mosquitto's client for a user."""
    return [
        require(program), "-h", "localhost", "-p", str(broker.port), "--cafile", str(folder / "authority.pem"),
        "-u", user, "-P", PASSWORDS[user],
    ]  # fmt: skip


def say(broker: Service, folder: Path, user: str, topic: str, header_id: int) -> None:
    """Publish as a user; return when the broker has taken it, or dropped it without a word, as MQTT 3.1.1 has it."""
    payload = json.dumps({"headerId": header_id})
    command = [*client("mosquitto_pub", broker, folder, user), "-q", "1", "-t", topic, "-m", payload]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("layout", ROBOTS.values(), ids=ROBOTS)
def test_robot_cannot_speak_for_another(broker: Service, folder: Path, watching: Gateway, layout: str) -> None:
    """What a robot publishes in another's name reaches nobody; what it publishes in its own does."""
    say(broker, folder, "R2", layout.format("R2", "state"), 1)
    wait_until(lambda: watching.has("/robots/ACME/R2"), what="the other robot is known")
    before = watching.get("/robots/ACME/R2").json()["payload"]

    for topic in ("state", "connection", "factsheet", "visualization"):
        say(broker, folder, "R1", layout.format("R2", topic), 666)
    say(broker, folder, "R1", layout.format("R1", "order"), 666)
    say(broker, folder, "R1", layout.format("R1", "state"), 2)

    wait_until(lambda: watching.has("/robots/ACME/R1"), what="the robot's own state has come")
    entry = watching.get("/robots/ACME/R1").json()
    assert entry["messages"]["state"]["headerId"] == 2
    assert "order" not in entry["messages"]
    assert watching.get("/robots/ACME/R2").json()["payload"] == before == {"headerId": 1}


@pytest.mark.parametrize("layout", ROBOTS.values(), ids=ROBOTS)
def test_robot_reads_its_own_orders_only(broker: Service, folder: Path, layout: str) -> None:
    """A robot that subscribes to everything is given its own orders, nobody else's, none by the gateway; no state."""
    everything = layout.partition("{}")[0].rstrip("/") + "/#"
    command = [*client("mosquitto_sub", broker, folder, "R1"), "-t", everything, "-v", "-C", "3", "-W", "30"]
    listener = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        while listener.poll() is None:  # when its subscription stands cannot be seen from here
            say(broker, folder, "R2", layout.format("R2", "state"), 1)
            say(broker, folder, "fleet-control", layout.format("R2", "order"), 1)
            say(broker, folder, "gateway", layout.format("R1", "order"), 666)
            say(broker, folder, "fleet-control", layout.format("R1", "order"), 7)
        heard, _errors = listener.communicate()
    finally:
        listener.kill()
        listener.wait()

    assert heard.splitlines() == [f"{layout.format('R1', 'order')} " + '{"headerId": 7}'] * 3


def test_nobody_gets_in_without_a_password(broker: Service, folder: Path) -> None:
    """A client without a user, or with a wrong password, is refused."""
    wrong = [*client("mosquitto_pub", broker, folder, "R1")[:-1], "wrong", "-t", "uagv/v2/ACME/R1/state", "-m", "{}"]
    nobody = [*wrong[:7], "-t", "uagv/v2/ACME/R1/state", "-m", "{}"]

    for command in (wrong, nobody):
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert result.returncode != 0
        assert "not authorised" in result.stderr.lower()
