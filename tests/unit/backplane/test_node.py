"""What a worker does when the stream is to begin again."""

from collections.abc import Iterator

import pytest

from tests.unit.backplane.model import Broker, Ledger, Server, Worker
from tests.unit.backplane.test_writer import nested, told, update
from tests.unit.builders import FakeClock
from vda5050.backplane.roles import Role
from vda5050.entries import Entry


def test_what_cannot_be_written_keeps_nobody_from_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that comes back empty is given what a worker knows, but for what cannot be written."""

    def known() -> Iterator[Entry]:
        yield told("deep", sample=nested(254))
        yield update(1)

    server = Server(FakeClock())
    worker = Worker(1, server, Broker(), Ledger())
    monkeypatch.setattr(worker.replica, "entries", known)
    for _ in range(2):  # first it learns Redis's time
        worker.node.keep_lease()

    assert worker.node.role is Role.INGESTS
    assert (len(server.state), len(server.findings)) == (1, 0)
