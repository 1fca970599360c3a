"""A machine that can vanish: a network namespace of its own, joined to this one by a cable (veth).

Only root can make one. `vanish` lets it answer nothing any more, neither FIN nor RST nor an acknowledgement, while the
cable stays: what a client does whose battery is empty, or that drives out of range.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.services import require, unavailable


class FarMachine:
    """A running one. `address` is this machine's, as seen from there."""

    def __init__(self, name: str, address: str) -> None:
        self.address = address
        self._name = name

    def start(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program there."""
        command = [require("ip"), "netns", "exec", self._name, *argv]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def vanish(self) -> None:
        """Let nothing come from there any more."""
        _ip("netns", "exec", self._name, "ip", "route", "replace", "blackhole", f"{self.address}/32")


@contextmanager
def far_machine() -> Iterator[FarMachine]:
    """Make one; without permission the test is skipped, in CI it fails."""
    number = os.getpid() % 65_536
    name, net = f"far{number}", f"10.{100 + number % 100}.{number // 256}"
    try:
        _ip("netns", "add", name)
    except subprocess.CalledProcessError as error:
        unavailable(f"no network namespace can be made here: {error.stderr.decode().strip()}")
    try:
        _ip("link", "add", f"near{number}", "type", "veth", "peer", "name", "far", "netns", name)
        _ip("addr", "add", f"{net}.1/24", "dev", f"near{number}")
        _ip("link", "set", f"near{number}", "up")
        _ip("netns", "exec", name, "ip", "addr", "add", f"{net}.2/24", "dev", "far")
        _ip("netns", "exec", name, "ip", "link", "set", "far", "up")
        yield FarMachine(name, f"{net}.1")
    finally:
        _ip("netns", "del", name)  # and the cable with it


def _ip(*arguments: str) -> None:
    subprocess.run([require("ip"), *arguments], check=True, capture_output=True)
