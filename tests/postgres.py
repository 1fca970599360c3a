"""Start Debian's PostgreSQL for tests: a cluster of its own in a temporary folder, on a loopback port."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import LOOPBACK, Service, free_port, require, running, unavailable, wait_until

_INSTALLED = Path("/usr/lib/postgresql")
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "50",
    "log_min_messages": "warning",
}


def _binaries() -> Path:
    """Return the folder of initdb and postgres, which Debian keeps out of PATH."""
    require("pg_ctlcluster")
    versions = sorted(_INSTALLED.glob("*/bin"), key=lambda path: float(path.parent.name))
    if not versions:
        unavailable("PostgreSQL's server is not installed; on Debian: apt-get install postgresql")
    return versions[-1]


class Postgres(Service):
    """A PostgreSQL server; `url` is that of its one database."""

    @property
    def url(self) -> str:
        return f"postgresql://gateway@{LOOPBACK}:{self.port}/postgres"

    @property
    def name(self) -> str:
        return "postgres"

    def stop(self) -> None:
        """End it with SIGINT: at SIGTERM it waits until its clients have left."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it with SIGKILL, and return when its children, which follow by themselves, let it be started again."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split() if self.is_running else []
        super().kill()
        wait_until(lambda: not any(map(_is_alive, children)), what="PostgreSQL's processes end")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server that trusts the user `gateway`; it refuses to run as root, so then it runs as Debian's postgres."""
    binaries = _binaries()
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        data, log = Path(folder, "data"), Path(folder, "output.log")
        user: list[str | Path] = []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        options = ["--username=gateway", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
        initdb = [*user, binaries / "initdb", "--pgdata", data, *options]
        subprocess.run(initdb, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        port = free_port()
        argv = [*user, binaries / "postgres", "-D", data, f"--port={port}", *settings]
        server = Postgres(argv, port=port, log=log, cwd=Path(folder))
        with running(server):
            yield server


def _is_alive(pid: str) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
