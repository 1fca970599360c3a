"""The command line options about the broker: defaults, TLS, and where the password comes from."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from fleet_simulator.argument_types import manufacturer, seconds, serial_number, topic_filter, whole_number
from fleet_simulator.broker_options import BrokerOptions, add_broker_arguments, broker_options


def options(*arguments: str, environment: Mapping[str, str] | None = None) -> BrokerOptions:
    """Parse arguments to the options about the broker."""
    parser = argparse.ArgumentParser()
    add_broker_arguments(parser)
    return broker_options(parser, parser.parse_args(arguments), environment=environment or {})


def test_defaults_are_the_local_broker() -> None:
    """Without options: localhost:1883, nobody's name, no TLS."""
    assert options() == BrokerOptions(host="localhost", port=1883)


def test_any_tls_option_means_tls(tmp_path: Path) -> None:
    """TLS has port 8883 by default, and a file that only TLS uses turns it on."""
    file = tmp_path / "ca.pem"
    file.touch()

    assert options("--tls").port == 8883
    assert options("--ca-file", str(file)).uses_tls
    assert options("--cert-file", str(file), "--port", "9").port == 9


def test_password_comes_from_argument_file_or_environment(tmp_path: Path) -> None:
    """The argument wins over the file's first line, that over the environment, which counts only with a user."""
    file = tmp_path / "password"
    file.write_text("from file\r\nmore\n")
    environment = {"VDA5050_MQTT_PASSWORD": "from environment"}

    assert options("--user", "u", "--password", "p", "--password-file", str(file)).password == "p"
    assert options("--user", "u", "--password-file", str(file), environment=environment).password == "from file"
    assert options("--user", "u", environment=environment).password == "from environment"
    assert options(environment=environment).password is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "0"], "0"),
        (["--port", "http"], "http"),
        (["--password", "p"], "--user"),
        (["--password-file", "/nonexistent"], "/nonexistent"),
        (["--ca-file", "/nonexistent"], "--ca-file"),
        (["--key-file", "/nonexistent"], "--cert-file"),
    ],
)
def test_nonsense_is_refused(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be meant ends the program with exit code 2 and names itself."""
    with pytest.raises(SystemExit) as ended:
        options(*arguments)

    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (manufacturer, ["KUKA", "SEW Eurodrive"], ["", "a/b", "+", "#", "$SYS", "a\nb"]),
        (serial_number, ["KR_1001", "a.b:c-d"], ["", "a b", "a/b", "ä"]),
        (topic_filter, ["uagv/#", "/vda5050/+/x/state", "#", "+"], ["", "uagv/#/x", "a+", "a/b#", "a\0"]),
        (seconds(shortest=0.5, longest=9.0), ["0.5", "9"], ["0.4", "9.1", "nan", "inf", "x", ""]),
        (whole_number(least=1, most=9), ["1", "9"], ["0", "10", "-1", "1.5", "²", "x", "9" * 50]),
    ],
)
def test_argument_types(check: Callable[[str], object], good: list[str], bad: list[str]) -> None:
    """Each type takes what fits and refuses the rest with a message of its own."""
    for text in good:
        check(text)

    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError):
            check(text)
