"""gunicorn's configuration: every value with its reason. See docs/architecture.md for the life of a worker.

Run as a program it says whether gunicorn could read it: exit code 1, and why, where settings cannot be used. Reading it
changes nothing outside of the process.
"""

import itertools
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]

from vda5050 import logs
from vda5050.broadcast import set_tcp_options
from vda5050.embedded_broker import EmbeddedBroker, EmbeddedBrokerError
from vda5050.errors import SettingsError
from vda5050.life_cycle import end_in_order
from vda5050.settings import Settings, binds_loopback_only
from vda5050.site_maps import GivenMaps

try:
    settings = Settings.from_environ()
    GivenMaps.from_settings(settings)  # a file that cannot be used is told here, not by each worker
except SettingsError as error:
    sys.exit("\n".join(["The gateway cannot start:", *error.problems]))

# Bytes of a request's first line. A filter may have 2,000 characters, three times as many where they are encoded.
limit_request_line = 8190
# Sent with every answer; the server's make is nobody's business. gunicorn has no setting for it.
wsgi.SERVER = "gateway"

bind = settings.bind
workers = settings.workers
worker_class = "gevent"
# The pool of greenlets. A full pool stops accept() without a word, health checks included, so it is larger than what
# the app lets in: the app itself answers 503 beyond max_streams.
worker_connections = settings.max_streams + 500
# Connections that wait for accept(): a thousand clients may come back in one second.
backlog = 4096
# Seconds the main greenlet may be silent before the worker is killed with all its streams.
timeout = 60
# Seconds from SIGTERM to SIGKILL. The app ends its streams within drain_s + 1; the rest is for idle connections.
graceful_timeout = settings.drain_s + 6
# Seconds an idle connection between two requests is kept, and in which the head of a request must have come: both are
# read under this one timeout (tests/live/test_hostile_clients.py). A stream is one request. A worker that is told to
# stop waits for idle connections too, so this is short.
keepalive = 2
# A worker that restarts loses all its streams: never on purpose.
max_requests = 0
# Greenlets and sockets must be made after the fork.
preload_app = False
# gunicorn 25 and later open a Unix socket to be controlled by; nothing here uses it.
control_socket_disable = True
# Whom to believe is decided in vda5050/api/proxies.py. By default gunicorn lets every client on the loopback choose the
# scheme, and the path at which the app believes to be.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
loglevel = settings.log_level
# The app logs requests itself: by route and not by URL, streams apart (vda5050/api/requests.py).
accesslog = None
# No handler of gunicorn's own; see OneLog.
errorlog = None


class OneLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Sends gunicorn's lines, the master's too, through the gateway's one handler (vda5050/logs.py)."""

    def setup(self, cfg: Config) -> None:
        """Run at the start and at every reload."""
        super().setup(cfg)
        self.error_log.propagate = True
        self.error_log.setLevel(max(self.loglevel, self.LOG_LEVELS["info"]))  # its debug lines are one per connection
        logs.configure(level=cfg.loglevel, format_=settings.log_format, secrets=settings.secrets)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Write a stack, but not for a client that the kernel gave up (ETIMEDOUT): gunicorn knows only who left."""
        if not isinstance(sys.exc_info()[1], TimeoutError):
            super().exception(msg, *args, **kwargs)


logger_class = OneLog


def on_starting(server: Any) -> None:
    """In the master: check the addresses, raise the descriptor limit for all workers, start the embedded broker.

    What lives longer than this file, which SIGHUP reads again, is kept at gunicorn's `server`.
    """
    # From gunicorn, since its command line may name others than our setting does.
    shared = [name for address in server.cfg.address if (name := _shared_address(address))]
    if shared and settings.auth != "off" and (problem := _why_not_listen(shared)):
        sys.exit(f"The gateway cannot start: {problem}")
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server.metrics_folder = Path(tempfile.mkdtemp(prefix="vda5050-metrics-"))
    server.embedded_broker = EmbeddedBroker(settings.mqtt)
    if settings.mqtt.is_embedded:
        try:
            server.embedded_broker.start()
        except EmbeddedBrokerError as error:
            sys.exit(f"The gateway cannot start: {error}")


def _shared_address(address: Any) -> str | None:
    """Name an address that is not this machine's own: a Unix socket or an inherited descriptor is for a proxy."""
    if not isinstance(address, tuple):
        return f"{'descriptor' if isinstance(address, int) else 'unix:'}{address}"
    return None if binds_loopback_only(address[0]) else f"{address[0]}:{address[1]}"


def _why_not_listen(addresses: list[str]) -> str | None:
    """Ask whether there are keys, in a process of its own (see there); None where the gateway may listen."""
    command = [sys.executable, "-m", "vda5050.api_keys.start_check", *addresses]
    folder = Path(__file__).parent
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, timeout=90, check=False)  # noqa: S603 - own module
    if done.returncode == 0:
        return None
    return done.stdout.strip() or f"the check of the keys ended with code {done.returncode}"


def when_ready(server: Any) -> None:
    """In the master: refuse a reload (SIGHUP) with a file that cannot be used, at which gunicorn would end them all.

    Reading it all once before gunicorn does finds every reason: settings, the files they name, this file's own code.
    """
    reload = server.reload

    def reload_if_usable() -> None:
        try:
            server.app.reload()
        except SystemExit as refused:
            server.app.cfg = server.cfg
            server.log.error("The reload is refused, and the workers go on: %s", refused.code)  # noqa: TRY400 - no fault
        else:
            reload()

    server.reload = reload_if_usable


def pre_fork(server: Any, worker: Any) -> None:
    """In the master: give the worker the lowest number that is free; one that replaces another may get its number."""
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in itertools.count(1) if number not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """In a new worker: the embedded broker is the master's; where the workers find each other's metrics is not."""
    server.embedded_broker.leave_to_parent()
    worker.metrics_folder = server.metrics_folder


def on_exit(server: Any) -> None:
    """In the master: stop the embedded broker after the last worker."""
    server.embedded_broker.stop()
    shutil.rmtree(server.metrics_folder, ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """In a worker, when gunicorn has set its signal handlers: let streams end in order, and dead clients be noticed."""
    service = worker.wsgi.extensions["vda5050"]
    for sock in worker.sockets:
        set_tcp_options(sock, timeout_s=settings.peer_timeout_s, heartbeat_s=settings.heartbeat_s)
    if settings.workers > 1:
        service.scrape.join(worker.metrics_folder, str(worker.number))
    worker.wait_for_end = end_in_order(worker, service, over_s=settings.drain_s)


def worker_exit(_server: Any, worker: Any) -> None:
    """In a worker that exits (and in the master, of one that is gone): let what its end began be done."""
    getattr(worker, "wait_for_end", lambda: None)()
