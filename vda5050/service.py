"""One process's gateway: builds every object from the settings, starts and stops them in order.

`Service(settings)` builds, `start` begins to serve, `stop` ends every stream and leaves the broker. Nothing is global:
two services can live in one process.
"""

import secrets
import socket
import time

import gevent

from vda5050.acknowledgements import Acknowledgements
from vda5050.api_keys import KeyRing
from vda5050.backplane import Backplane
from vda5050.broadcast import Broadcaster, Pace
from vda5050.conformance import TICK_S, Conformance
from vda5050.database import Database
from vda5050.doctor import Doctor
from vda5050.entries import LinkChange, Sequencer
from vda5050.event_bus import EventBus
from vda5050.greenlets import start
from vda5050.history import History
from vda5050.ingest import Ingest
from vda5050.logs import get_logger, lost_lines, write_waiting
from vda5050.loop_watch import LoopWatch
from vda5050.metrics import Metrics
from vda5050.mqtt_bridge import MqttBridge, Receiver
from vda5050.readiness import Dependency, dependencies_of
from vda5050.replica import Replica
from vda5050.robot_state import RobotState
from vda5050.scrape import Scrape
from vda5050.settings import NO_DATABASE, Settings
from vda5050.sinks import Sink
from vda5050.site_maps import SiteMaps

__all__ = ["Dependency", "Service", "new_epoch"]

log = get_logger(__name__)


class Service:
    """Everything one worker process has, put together."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.is_running = False
        self.is_stopping = False
        """True from when the end is announced: `/ready` says so, and no stream is admitted any more."""
        self.metrics = Metrics()
        self.scrape = Scrape(self.metrics)
        self.loop_watch = LoopWatch(self.metrics, clock=time.monotonic)
        self.robots = _robots(settings)
        self.database = None if settings.database_url == NO_DATABASE else Database(settings.database_url)
        self.keys = _keys(settings, self.database)
        self.broadcaster = _broadcaster(settings, self.robots, self.metrics)
        self.event_bus = _event_bus(settings, self.metrics)
        self.site_maps = SiteMaps(settings, self.database)
        self.history = None if self.database is None else _history(self.database, settings, self.metrics)
        self.doctor = Doctor()
        self.acknowledgements = Acknowledgements(wall_clock=time.time)
        self._watch()
        self._build_chain()
        self._ticker: gevent.Greenlet[..., None] | None = None

    def _watch(self) -> None:
        """Let the metrics read what is found out at a scrape."""
        self.metrics.watch_robots(self.robots)
        self.metrics.watch_dependencies(self._readiness)
        self.metrics.watch_log(lost_lines)
        self.metrics.robots_limit.set(self.settings.max_robots)
        self.metrics.kept_bytes.set_function(lambda: self.robots.kept_bytes)
        self.metrics.workers.set(self.settings.workers)

    def _build_chain(self) -> None:
        """Put together what a message goes through, from its end to the bridge."""
        sinks: list[Sink] = [] if self.history is None else [self.history.courier]
        own_sinks: list[Sink] = [] if self.event_bus is None else [self.event_bus]
        self.replica = Replica(
            self.robots,
            self.broadcaster,
            self.doctor,
            sinks=sinks,
            own_sinks=own_sinks,
            wall_clock=time.time,
        )
        self.backplane = self._backplane()
        self.sequencer: Sequencer = self.backplane or self.replica
        self.conformance = Conformance(
            self.doctor, self.sequencer, self.metrics, clock=time.monotonic, wall_clock=time.time
        )
        self.ingest = Ingest(
            self.robots,
            self.sequencer,
            self.metrics,
            examiner=self.conformance,
            max_payload_bytes=self.settings.max_payload_bytes,
            clock=time.monotonic,
            wall_clock=time.time,
        )
        self.bridge = self.backplane.attach(self.ingest, self._bridge) if self.backplane else self._bridge(self.ingest)

    def start(self) -> None:
        """Begin to ingest and to serve."""
        self.is_running = True
        self.loop_watch.start()
        self.keys.start()
        self.broadcaster.start()
        self._ticker = start(self._tick_for_ever, name="every_second")
        if self.history is not None:
            self.history.restore(self.robots)
            self.history.start()
        if self.event_bus is not None:
            self.event_bus.start()
        if self.backplane is not None:
            self.backplane.start()
        else:
            if self.settings.workers > 1:
                log.warning("each worker ingests for itself: there is no REDIS_URL", workers=self.settings.workers)
            self._link_changed(is_up=False)
            self.bridge.start()

    @property
    def stream_count(self) -> int:
        """Open streams."""
        return self.broadcaster.stream_count

    def announce_stop(self, in_s: float) -> None:
        """Say in `/ready`, and to who wants a stream, that this process will be gone in `in_s` seconds."""
        self.is_stopping = True
        self.broadcaster.refuse(in_s)

    def drain(self, over_s: float, *, back_after_s: float, patience_s: float) -> None:
        """End all streams, one after the other, while updates go on; see `Broadcaster.drain`."""
        if self.backplane is not None:
            self.backplane.begin_to_leave()
        self.broadcaster.drain(over_s, back_after_s=back_after_s, patience_s=patience_s)

    def stop(self) -> None:
        """End ingest, then every stream. May be called twice."""
        if self.is_running:
            self.is_running = False
            if self.backplane is not None:
                self.backplane.leave()
            self.bridge.stop()
            if self._ticker is not None:
                self._ticker.kill()
            self.broadcaster.stop()
            if self.backplane is not None:
                self.backplane.stop()
            self.loop_watch.stop()
            self.scrape.leave()
            self.keys.stop()
            if self.event_bus is not None:
                self.event_bus.stop()
            if self.history is not None:
                self.history.stop()
            self.site_maps.close()

    def dependencies(self) -> dict[str, Dependency]:
        """How each thing that the gateway stands on is, by name; what is turned off is not among them."""
        return dependencies_of(self)

    def _readiness(self) -> dict[str, int]:
        return {name: int(dependency.is_ready) for name, dependency in self.dependencies().items()}

    def _tick_for_ever(self) -> None:
        while True:
            gevent.sleep(TICK_S)
            try:
                if self.backplane is None or self.backplane.is_ingesting:
                    self.conformance.tick()
            except Exception:
                log.exception("the doctor's round failed; the next one goes on")
            write_waiting()

    def _link_changed(self, *, is_up: bool) -> None:
        self._doctor_listens(is_up)
        if self.backplane is not None:
            self.backplane.link_changed(is_up=is_up)
        else:
            self.replica.put(LinkChange(is_up, time.time()))

    def _doctor_listens(self, is_up: bool) -> None:  # noqa: FBT001 - told by name or by place
        self.doctor.set_link(is_up=is_up, at=time.monotonic())

    def _bridge(self, receiver: Receiver) -> MqttBridge:
        """Build the bridge; it waits for the streams of this worker where there are no others."""
        return MqttBridge(
            self.settings,
            receiver,
            self.metrics,
            on_link=self._link_changed,
            pace=self.broadcaster.pace if self.settings.redis is None else Pace(0.0, is_watched=True),
            clock=time.monotonic,
        )

    def _backplane(self) -> Backplane | None:
        url = self.settings.redis
        if url is None:
            return None
        return Backplane(url, self.replica, self.metrics, new_epoch=new_epoch, on_ingest=self._doctor_listens)


def _robots(settings: Settings) -> RobotState:
    return RobotState(
        max_robots=settings.max_robots,
        max_bytes=settings.max_kept_bytes,
        stale_after_s=settings.stale_after_s,
        clock=time.monotonic,
    )


def _keys(settings: Settings, database: Database | None) -> KeyRing:
    secret = settings.session_secret.encode() if settings.session_secret else None
    return KeyRing(database, clock=time.time, session_secret=secret)


def _broadcaster(settings: Settings, robots: RobotState, metrics: Metrics) -> Broadcaster:
    return Broadcaster(
        robots,
        metrics,
        settings,
        epoch=new_epoch(),
        clock=time.monotonic,
        wall_clock=time.time,
        is_shared=settings.redis is not None,
    )


def _event_bus(settings: Settings, metrics: Metrics) -> EventBus | None:
    url = settings.event_bus
    return None if url is None else EventBus(url, metrics, max_buffer_bytes=settings.event_bus_buffer_bytes)


def _history(database: Database, settings: Settings, metrics: Metrics) -> History:
    owner = f"{socket.gethostname()[:40]}-{secrets.token_hex(6)}"
    return History(database, settings, metrics, owner=owner, clock=time.monotonic)


def new_epoch() -> str:
    """Name a numbering that begins now: the time in milliseconds and a random part, in hex.

    The random part tells workers apart that are started together; the time in front tells which epoch is newer.
    """
    return f"{time.time_ns() // 1_000_000:x}{secrets.token_hex(4)}"
