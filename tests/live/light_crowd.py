"""Hundreds of clients: what `sequence_checker` checks, at a tenth of its cost.

Every event's id and every state's robot and headerId are told from the bytes by one regular expression; only snapshots
are parsed. For `RobotFleet`'s states over plain SSE. Clients come back with their Last-Event-ID whenever the server
closes or refuses, as a browser's EventSource does not and a careful program does.
"""

import json
import re
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import pytest

from tests.live.sequence_checker import RECONNECT_S
from tests.live.stream_client import SITE
from tests.services import LOOPBACK

_READ_BYTES = 262_144
_EVENT = re.compile(
    rb'(?:id: ?(\S*)\n)?data: \{"type":"(\w+)"'
    rb'(?:,"data":\{"topic":"([^"]+)","type":"state","payload":\{"headerId": (\d+))?'
)


class LightClient:
    """One client over all its connections; of one robot, or of all."""

    def __init__(self, robot: str | None) -> None:
        self.robot = robot
        self.violations: list[str] = []
        self.updates = self.snapshots = self.resets = self.resumes = 0
        self.last_event_id = b""
        self.header_ids: dict[bytes, int] = {}
        self._awaits_snapshot = True
        self._rest = b""

    def connected(self) -> None:
        """Note that a connection begins."""
        self.resumes += bool(self.last_event_id)
        self._rest = b""

    def is_at(self, header_ids: dict[bytes, int]) -> bool:
        """Tell whether the client knows these headerIds of the robots it watches."""
        if self.robot is None:
            return self.header_ids == header_ids
        robot = self.robot.encode()
        return self.header_ids.get(robot) == header_ids[robot]

    def read(self, data: bytes) -> None:
        """Judge what came."""
        whole, blank, self._rest = (self._rest + data).rpartition(b"\n\n")
        for event in _EVENT.finditer(whole + blank):
            self._saw(event, whole)

    def _saw(self, event: re.Match[bytes], text: bytes) -> None:
        event_id, kind, robot, header_id = event.groups()
        if kind == b"reset":
            self.resets += 1
            self._awaits_snapshot, self.last_event_id = True, b""
        elif kind == b"snapshot":
            self.snapshots += 1
            self._blame_unless(self._awaits_snapshot, event)
            self._awaits_snapshot, self.last_event_id = False, event_id
            robots = json.loads(text[event.start() :].partition(b"data: ")[2].partition(b"\n")[0])["data"]
            self.header_ids = {name.encode(): r["messages"]["state"]["headerId"] for name, r in robots.items()}
        elif event_id is not None:
            epoch, _, offset = event_id.partition(b"-")
            last_epoch, _, last_offset = self.last_event_id.partition(b"-")
            self._blame_unless(epoch == last_epoch and int(offset) > int(last_offset or 0), event)
            self.last_event_id = event_id
            if robot is not None:
                self.updates += 1
                number = int(header_id)
                self._blame_unless(self.header_ids.get(robot, number - 1) == number - 1, event)
                self.header_ids[robot] = number

    def _blame_unless(self, is_right: bool, event: re.Match[bytes]) -> None:  # noqa: FBT001 - a claim
        if not is_right and len(self.violations) < 3:
            known = self.header_ids.get(event[3])
            self.violations.append(f"{event[1]!r}: {event[3]!r} {event[4]!r} after {known}, {self.last_event_id!r}")


class LightCrowd:
    """Clients of a proxy in one thread, as long as the `with` block; one for each of `robots`, for all where None."""

    def __init__(self, port: int, tls: ssl.SSLContext, robots: Iterable[str | None]) -> None:
        self.clients = [LightClient(robot) for robot in robots]
        self.hang_ups = 0
        self._port = port
        self._tls = tls
        self._selector = selectors.DefaultSelector()
        self._to_open = [(0.0, client) for client in self.clients]
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="light crowd", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._is_stopping = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, ssl.SSLSocket)
            key.fileobj.close()
        self._selector.close()

    def settle(self, header_ids: dict[str, int], *, deadline_s: float) -> None:
        """Wait until every client knows these headerIds. Fails the test for those that do not in time."""
        wanted = {robot.encode(): number for robot, number in header_ids.items()}
        end = time.monotonic() + deadline_s
        while missing := sum(not client.is_at(wanted) for client in self.clients):
            if time.monotonic() > end:
                pytest.fail(f"{missing} clients are not at the newest state in {deadline_s:g} s: {self.violations()}")
            time.sleep(0.02)

    def violations(self) -> list[str]:
        """All broken promises."""
        return [violation for client in self.clients for violation in client.violations]

    def _run(self) -> None:
        while not self._is_stopping:
            for key, _events in self._selector.select(0.02):
                sock = key.fileobj
                assert isinstance(sock, ssl.SSLSocket)
                self._read(sock, key.data)
            now = time.monotonic()
            due = [client for at, client in self._to_open if at <= now]
            self._to_open = [(at, client) for at, client in self._to_open if at > now]
            for client in due:
                self._open(client)

    def _read(self, sock: ssl.SSLSocket, client: LightClient) -> None:
        try:
            while data := sock.recv(_READ_BYTES):
                client.read(data)
        except ssl.SSLWantReadError:
            return
        except OSError:
            pass
        self._selector.unregister(sock)
        sock.close()
        self._come_back(client)

    def _open(self, client: LightClient) -> None:
        try:
            plain = socket.create_connection((LOOPBACK, self._port), timeout=5)
            sock = self._tls.wrap_socket(plain, server_hostname=SITE)
            resume = b"Last-Event-ID: %b\r\n" % client.last_event_id if client.last_event_id else b""
            path = b"/stream" if client.robot is None else b"/stream/" + client.robot.encode()
            sock.sendall(b"GET %b HTTP/1.0\r\nHost: %b\r\n%b\r\n" % (path, SITE.encode(), resume))
            sock.setblocking(False)
        except OSError:
            self._come_back(client)
            return
        client.connected()
        self._selector.register(sock, selectors.EVENT_READ, client)

    def _come_back(self, client: LightClient) -> None:
        self.hang_ups += 1
        self._to_open.append((time.monotonic() + RECONNECT_S, client))
