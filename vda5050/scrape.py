"""One scrape for all workers of an instance: whichever is asked gathers the metrics of all.

Every worker has a registry of its own, and the kernel gives a scrape's connection to any of them. So each worker shows
its metrics on a Unix socket too, in a folder that the master made for this instance alone, and the worker that is asked
over HTTP reads them all and writes them as one text, each sample with the label `worker`. Asked all at once, each with
a deadline: a worker that hangs is missing in the scrape (`vda5050_workers` tells how many there should be).

With one worker none of that happens, and there is no label. docs/adr/0007-logs-and-metrics.md has the alternatives.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer

from vda5050.metrics import Metrics

ANSWER_WITHIN_S = 1.0
MAX_ANSWER_BYTES = 16_777_216
_SUFFIX = ".metrics"
_END = b"# EOF\n"
"""Ends what a worker tells its siblings, so that half of it is noticed. A comment to Prometheus."""


class Scrape:
    """The metrics of this worker and, once it has joined them, of its siblings."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._folder: Path | None = None
        self._worker = ""
        self._server: StreamServer | None = None

    def join(self, folder: Path, worker: str) -> None:
        """Show this worker's metrics to its siblings in `folder`, as `worker`, a short name that no other one has."""
        path = folder / f"{worker}{_SUFFIX}"
        path.unlink(missing_ok=True)  # of a worker that was killed
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(16)
        listener.setblocking(False)
        self._server = StreamServer(listener, self._answer, spawn=Pool(4))
        self._server.start()
        self._folder, self._worker = folder, worker

    def leave(self) -> None:
        """Show them no more. May be called twice."""
        server, self._server = self._server, None
        if server is not None and self._folder is not None:
            server.stop(timeout=0)
            (self._folder / f"{self._worker}{_SUFFIX}").unlink(missing_ok=True)
            self._folder = None

    def render(self) -> bytes:
        """Write the metrics of all workers that answer in time, in Prometheus' text format."""
        if self._folder is None:
            return self._metrics.render()
        others = {
            path.name.removesuffix(_SUFFIX): gevent.spawn(_ask, path)
            for path in sorted(self._folder.glob(f"*{_SUFFIX}"))
            if path.name != f"{self._worker}{_SUFFIX}"
        }
        gevent.joinall(list(others.values()))
        texts = {worker: asked.value for worker, asked in others.items() if asked.value}
        return merge({self._worker: self._metrics.render(), **texts})

    def _answer(self, sock: socket.socket, _address: object) -> None:
        with suppress(OSError), gevent.Timeout(ANSWER_WITHIN_S, exception=False):  # type: ignore[arg-type]  # as in read_buffer
            sock.sendall(self._metrics.render() + _END)


def _ask(path: Path) -> bytes:
    """Read a sibling's metrics; nothing where it is gone or does not answer in time."""
    parts: list[bytes] = []
    size = 0
    with (
        suppress(OSError),
        gevent.Timeout(ANSWER_WITHIN_S, exception=False),  # type: ignore[arg-type]
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock,
    ):
        sock.connect(str(path))
        while (part := sock.recv(262_144)) and size < MAX_ANSWER_BYTES:
            parts.append(part)
            size += len(part)
    text = b"".join(parts)
    return text if text.endswith(_END) else b""


def merge(texts: Mapping[str, bytes]) -> bytes:
    """Write the metrics of several workers as one text: each family once, each sample with the label `worker`."""
    heads: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for worker, text in texts.items():
        family = ""
        for line in text.decode().split("\n"):
            if line.startswith(("# HELP ", "# TYPE ")):
                family = line.split(" ", 3)[2]
                head = heads.setdefault(family, [])
                if line not in head:
                    head.append(line)
            elif line and not line.startswith("#"):
                samples.setdefault(family, []).append(_labelled(line, worker))
    lines = [line for family, head in heads.items() for line in (*head, *samples.get(family, []))]
    return "\n".join([*lines, ""]).encode()


def _labelled(sample: str, worker: str) -> str:
    """Add the label `worker`, which is the first one then."""
    name, brace, rest = sample.partition("{")
    if brace:
        return f'{name}{{worker="{worker}",{rest}'
    name, _, value = sample.partition(" ")
    return f'{name}{{worker="{worker}"}} {value}'
