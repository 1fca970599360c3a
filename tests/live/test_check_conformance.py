"""check_conformance.py as people and CI run it: a subprocess in a strange folder, on files and on a real mosquitto."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.services import LOOPBACK, PROJECT, free_port, mosquitto, wait_until
from tests.unit.builders import connection, state

SCRIPT = PROJECT / "scripts" / "check_conformance.py"
TOPIC = "uagv/v2/KUKA/KR_1001/state"
CLEAN = f"{TOPIC} {orjson.dumps(state(headerId=1)).decode()}\n"
WARNING = CLEAN + f"{TOPIC} {orjson.dumps(state(headerId=9)).decode()}\n"
ERROR = CLEAN + f"{TOPIC} {orjson.dumps(state(headerId=2, driving='no')).decode()}\n"


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start the script; what it prints can be read from it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("VDA5050_")}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        env={**clean, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str, given: str = "") -> tuple[int, str, str]:
    """Run the script to its end; give exit code and what it printed."""
    with start(folder, *arguments) as process:
        out, err = process.communicate(given, timeout=30)
        return process.returncode, out, err


@contextmanager
def publishing(port: int) -> Iterator[paho.Client]:
    """Give a connected client."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect(LOOPBACK, port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def send(client: paho.Client, topic: str, document: dict[str, Any], *, retain: bool = False) -> None:
    """Publish a message and wait until it has gone out."""
    client.publish(topic, orjson.dumps(document), qos=1, retain=retain).wait_for_publish(5)


@pytest.mark.parametrize(
    ("recording", "arguments", "code"),
    [
        (CLEAN, (), 0),
        (WARNING, (), 0),
        (WARNING, ("--fail-on", "warning"), 1),
        (WARNING, ("--fail-on", "info"), 1),
        (ERROR, (), 1),
        (ERROR, ("--fail-on", "warning"), 1),
        (ERROR, ("--fail-on", "never"), 0),
        (ERROR, ("--robot", "ABB/*"), 2),
        ("nothing here\n", (), 2),
        ("", ("--fail-on", "never"), 2),
    ],
)
def test_exit_code(tmp_path: Path, recording: str, arguments: Sequence[str], code: int) -> None:
    """0: nothing as bad as asked for; 1: something; 2: nothing could be judged."""
    (tmp_path / "robots.log").write_text(recording)

    assert run(tmp_path, "robots.log", *arguments)[0] == code


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("missing.log",),
        (".",),
        ("robots.log", "--url", "mqtt://localhost"),
        ("robots.log", "--junit", "no/such/folder.xml"),
        ("--url", "http://localhost"),
        ("--url", "embedded"),
        ("--url", "mqtt://localhost", "--password-file", "missing"),
        ("--url", f"mqtt://{LOOPBACK}:1"),
        ("--url", "mqtt://localhost", "--seconds", "no"),
    ],
)
def test_could_not_run(tmp_path: Path, arguments: Sequence[str]) -> None:
    """What cannot be run says why in words, without a stack, and ends with 2."""
    (tmp_path / "robots.log").write_text(CLEAN)
    code, _, err = run(tmp_path, *arguments)

    assert code == 2
    assert err
    assert "Traceback" not in err


def test_report_of_a_recording(tmp_path: Path) -> None:
    """From standard input: the report tells of noise, time, robots and findings, and files are written."""
    code, out, err = run(tmp_path, "-", "--junit", "j.xml", "--sarif", "s.json", given=f"INFO: start\n{ERROR}")

    assert (code, err) == (1, "")
    assert out.startswith("standard input: 2 messages of 1 robot\nskipped: 1 line ")
    assert "KUKA/KR_1001 (2.1.0, 2 messages)" in out
    assert "last in line 3" in out
    assert ET.parse(tmp_path / "j.xml").getroot().get("failures") == "1"  # noqa: S314 - our own
    (result,) = json.loads((tmp_path / "s.json").read_text())["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("schema", "error")


def test_output_may_be_cut_off(tmp_path: Path) -> None:
    """`| head` is no error of ours: files are written and the exit code is that of the findings."""
    (tmp_path / "robots.log").write_text(ERROR)
    with start(tmp_path, "robots.log", "--sarif", "s.json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(30) == 1
        assert process.stderr.read() == ""

    assert (tmp_path / "s.json").exists()


def test_help_is_complete(tmp_path: Path) -> None:
    """--help shows every option with its default, the forms of a recording, the exit codes and examples."""
    code, out, _ = run(tmp_path, "--help")

    assert code == 0
    assert out.count("(default") >= 11
    assert all(word in out for word in ("mosquitto_sub -v", "exit code:", "examples:", "--fail-on", "retained"))


def test_running_broker(tmp_path: Path) -> None:
    """On a broker: what is sent in that time is judged, what is retained is judged by its content only."""
    with mosquitto(config_lines=["log_type all"]) as broker, publishing(broker.port) as robot:
        send(robot, "uagv/v2/KUKA/KR_1001/connection", connection(), retain=True)
        url = f"mqtt://{LOOPBACK}:{broker.port}"
        with start(tmp_path, "--url", url, "--seconds", "4", "--sarif", "s.json") as process:
            wait_until(lambda: "Sending SUBACK to vda5050-" in broker.output(), what="the subscription")
            for header_id in (1, 2, 3):
                send(robot, TOPIC, state(headerId=header_id, driving="no"))
            send(robot, "uagv/v2/KUKA/KR_1001/speed", {})
            out, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert f"{LOOPBACK}:{broker.port}: 4 messages of 1 robot\nskipped: 1 message with no VDA 5050 message\n" in out
    assert "schema on state: 3 times, last in message 4" in out
    assert "time of 4 messages: as received" in out
    assert f"connected to {LOOPBACK}:{broker.port}" in err
    (run_log,) = json.loads((tmp_path / "s.json").read_text())["runs"]
    assert all("physicalLocation" not in result["locations"][0] for result in run_log["results"])


def test_port_without_broker(tmp_path: Path) -> None:
    """Where nobody listens, the address is named."""
    port = free_port()
    code, _, err = run(tmp_path, "--url", f"mqtt://user:secret@{LOOPBACK}:{port}")

    assert code == 2
    assert f"{LOOPBACK}:{port}" in err
    assert "secret" not in err
