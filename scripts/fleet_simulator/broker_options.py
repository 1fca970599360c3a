"""Where the MQTT broker is and how to get in: the command line options all scripts share.

Gives `BrokerOptions` from an argparse parser that went through `add_broker_arguments()`. The password may come from
a file or the environment, so that it need not stand on a command line that others can read.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet_simulator.argument_types import whole_number

ENVIRONMENT_NAME = "VDA5050_MQTT_PASSWORD"
_PLAIN_PORT = 1883
_TLS_PORT = 8883


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOptions:
    """One broker; `uses_tls` is true as soon as any TLS option is given."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    uses_tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @property
    def address(self) -> str:
        """The host and port as people write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def add_broker_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options about the broker."""
    group = parser.add_argument_group("broker (MQTT 3.1.1)")
    group.add_argument("--host", default="localhost", help="the broker's name or address (default: %(default)s)")
    group.add_argument(
        "--port",
        type=whole_number(least=1, most=65535),
        help=f"its TCP port (default: {_PLAIN_PORT}, with TLS {_TLS_PORT})",
        metavar="PORT",
    )
    group.add_argument("--user", help="user name (default: none)")
    group.add_argument("--password", help="password; others on this machine can read it there (default: none)")
    group.add_argument(
        "--password-file",
        metavar="FILE",
        help=f"file whose first line is the password (default: the environment variable {ENVIRONMENT_NAME}, if set)",
    )
    group.add_argument("--tls", action="store_true", help="encrypt, and check the broker's certificate")
    group.add_argument(
        "--ca-file", metavar="FILE", help="PEM certificates to trust (default: the system's); means --tls"
    )
    group.add_argument("--cert-file", metavar="FILE", help="PEM client certificate (default: none); means --tls")
    group.add_argument("--key-file", metavar="FILE", help="its PEM private key (default: in the certificate's file)")


def broker_options(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, *, environment: Mapping[str, str]
) -> BrokerOptions:
    """Return the broker the arguments name; ends the program with a usage message where they do not fit together."""
    uses_tls = bool(arguments.tls or arguments.ca_file or arguments.cert_file or arguments.key_file)
    if arguments.key_file and not arguments.cert_file:
        parser.error("--key-file needs --cert-file")
    for option in ("ca_file", "cert_file", "key_file"):
        name = getattr(arguments, option)
        if name and not Path(name).is_file():
            parser.error(f"--{option.replace('_', '-')}: there is no file {name}")
    password = arguments.password or _password_in_file(parser, arguments.password_file)
    if password is None:
        password = environment.get(ENVIRONMENT_NAME) if arguments.user else None
    if password is not None and not arguments.user:
        parser.error("a password needs --user")
    return BrokerOptions(
        host=arguments.host,
        port=arguments.port or (_TLS_PORT if uses_tls else _PLAIN_PORT),
        user=arguments.user,
        password=password,
        uses_tls=uses_tls,
        ca_file=arguments.ca_file,
        cert_file=arguments.cert_file,
        key_file=arguments.key_file,
    )


def _password_in_file(parser: argparse.ArgumentParser, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return Path(name).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeError) as error:
        parser.error(f"--password-file: {error}")
