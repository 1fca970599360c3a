"""All of history in one object, for `service` and `api`: a writer beside the stream, a reader for who asks.

Off the hub: what is written has a native thread of its own, what is read READ_THREADS others, so that nobody's long
query keeps messages from being stored.
"""

from collections.abc import Callable

from vda5050.database import Database
from vda5050.entries import Update
from vda5050.errors import DatabaseUnavailable, RejectedMessage
from vda5050.history.reader import Reader
from vda5050.history.retention import Retention
from vda5050.history.stretch import END_OF_TIME_US, Stretch
from vda5050.history.writer import Standing, Writer
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.robot_state import RobotState
from vda5050.settings import Settings

log = get_logger(__name__)

READ_THREADS = 3
_DAY_S = 86_400.0


class History:
    """The history of one process. `writer` is a `Sink`."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        metrics: Metrics,
        *,
        owner: str,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._read_lane = database.lane(threads=READ_THREADS)
        self.reader = Reader(self._read_lane)
        retention = Retention(
            metrics,
            max_age_s=settings.history_max_age_days * _DAY_S,
            max_bytes=settings.history_max_bytes,
            clock=clock,
            wall_clock=wall_clock,
        )
        self.writer = Writer(
            database,
            metrics,
            topics=settings.history_topics,
            max_buffer_bytes=settings.history_buffer_bytes,
            owner=owner,
            tend=retention.tend,
            clock=clock,
            wall_clock=wall_clock,
        )

    @property
    def is_ready(self) -> bool:
        """Tell whether messages are being stored, here or by another process."""
        return self.writer.standing in (Standing.WRITING, Standing.STANDBY)

    @property
    def detail(self) -> str:
        """Say how it stands, for a person."""
        writer = self.writer
        return f"{self._database.name}: {writer.standing.value}{f' ({writer.problem})' if writer.problem else ''}"

    def restore(self, robots: RobotState) -> None:
        """Let `robots` know what each robot said last, before the first message arrives.

        Where the database cannot be read now, the fleet is what robots say from now on.
        """
        try:
            found = self.reader.last_messages(END_OF_TIME_US, Stretch())
        except DatabaseUnavailable as error:
            log.warning("the fleet's last state could not be read from the database", problem=error.reason)
            return
        for _, record in found:
            try:
                robots.restore(Update(*record[:4]))
            except RejectedMessage as rejected:
                log.warning("not all robots of the history are shown", problem=str(rejected))
                break
        log.info("robots are known from the history", robots=len(robots))

    def start(self) -> None:
        """Start to write."""
        self.writer.start()

    def stop(self) -> None:
        """Store what waits, and close the database. May be called twice."""
        self.writer.stop()
        self._read_lane.close()
