"""How a gunicorn worker ends: told, not cut.

gunicorn ends a worker with SIGTERM and then waits for its connections, which streams would never close. So the signal
is taken here instead, after gunicorn has set its own handlers (`end_in_order`):

    SIGTERM -> /ready is 503, new streams get 503 -> streams end, spread over drain_s, while updates go on
            -> who has not taken the end is cut off -> MQTT is left -> gunicorn closes and exits

gunicorn also ends a worker that way when another takes over (SIGHUP, fewer workers). Then nothing is refused, since a
browser's EventSource gives up at a 503: the worker stops listening at once, the others get all who come, and the
streams are told to come back soon. The two are told apart by the master's sockets: it closes them before it stops.

After `alive` is False gunicorn exits once no connection is open, with no streams within a second, whatever else is not
done: handing over to another worker, writing the last of the history. So its `worker_exit` hook waits for that.

    second   0 ... drain_s   + PATIENCE_S    + up to 1 (gunicorn's round)   + up to its keepalive
             streams end     cut the rest    the socket is closed             idle connections end
"""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import gevent

from vda5050.logs import get_logger

log = get_logger(__name__)

PATIENCE_S = 1.0
"""How long a stream that was told its end may take to go."""
EXIT_S = 1.0
"""How long the process takes to be gone after that, where no idle connection holds it."""
LONGEST_WAIT_S = 20.0
"""How long a worker without connections is kept for what is not done: a hand-over takes up to 11 s, where it fails, and
after it the event bus and the history up to 3 s each."""


class Listener(Protocol):
    """A listening socket."""

    def fileno(self) -> int: ...


class Worker(Protocol):
    """What is used of gunicorn's worker: its loop goes on, and it accepts connections, while `alive`."""

    alive: bool
    ppid: int

    @property
    def sockets(self) -> Sequence[Listener]: ...


class Service(Protocol):
    """What is used of `service.Service`, which gunicorn's master must not import: it is not patched."""

    is_stopping: bool

    @property
    def stream_count(self) -> int: ...

    def announce_stop(self, in_s: float) -> None: ...

    def drain(self, over_s: float, *, back_after_s: float, patience_s: float) -> None: ...

    def stop(self) -> None: ...


def end_in_order(worker: Worker, service: Service, *, over_s: float) -> Callable[[], None]:
    """Let SIGTERM end the streams, spread over `over_s` seconds, and then the worker. To be called in its process.

    Returns what is to be called before the process exits: it waits until an end that has begun is done.
    """
    begun: list[gevent.Greenlet[..., None]] = []

    def told_to_stop() -> None:
        if not service.is_stopping and worker.alive:  # gunicorn may say it again
            _end(worker, service, over_s)

    def handler() -> None:
        greenlet = gevent.Greenlet(told_to_stop)
        greenlet.name = "end_in_order"
        greenlet.link_exception(lambda dead: _give_up(worker, dead.exception))
        greenlet.start()
        begun.append(greenlet)

    def wait() -> None:
        if len(gevent.joinall(begun, timeout=LONGEST_WAIT_S)) < len(begun):
            log.warning("the end took too long, what is not done is left")

    gevent.signal_handler(signal.SIGTERM, handler)
    return wait


def _end(worker: Worker, service: Service, over_s: float) -> None:
    count = service.stream_count
    if _master_listens(worker):
        log.info("another worker takes over, streams end", streams=count, within_s=over_s)
        worker.alive = False
        service.drain(over_s, back_after_s=0.0, patience_s=PATIENCE_S)
    else:
        log.info("the gateway stops, streams end", streams=count, within_s=over_s)
        gone_after_s = over_s + PATIENCE_S + EXIT_S
        service.announce_stop(gone_after_s)
        service.drain(over_s, back_after_s=gone_after_s, patience_s=PATIENCE_S)
    service.stop()
    worker.alive = False


def _give_up(worker: Worker, error: Any) -> None:
    log.critical("the streams could not be ended in order", exc_info=error)
    worker.alive = False


def _master_listens(worker: Worker) -> bool:
    """Tell whether gunicorn's master holds a listening socket of ours open; also where that cannot be seen."""
    ours = {f"socket:[{os.fstat(listener.fileno()).st_ino}]" for listener in worker.sockets}
    try:
        descriptors = list(Path(f"/proc/{worker.ppid}/fd").iterdir())
    except OSError:  # the master is another user's
        return True
    return any(_target(descriptor) in ours for descriptor in descriptors)


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed meanwhile
        return ""
