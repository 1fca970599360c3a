"""All of history in one object, for `service` and `api`: a writer beside the stream, a reader for who asks.

Off the hub: what is written has a process of its own, what is read READ_THREADS native threads.
"""

from collections.abc import Callable

from vda5050.database import Database
from vda5050.entries import Update
from vda5050.errors import DatabaseUnavailable, RejectedMessage
from vda5050.history.courier import Courier
from vda5050.history.reader import Reader
from vda5050.history.stretch import END_OF_TIME_US, Stretch
from vda5050.history.writer import Standing
from vda5050.logs import get_logger
from vda5050.metrics import Metrics
from vda5050.robot_state import RobotState
from vda5050.settings import Settings

log = get_logger(__name__)

READ_THREADS = 3


class History:
    """The history of one process. `courier` is a `Sink`."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        metrics: Metrics,
        *,
        owner: str,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._read_lane = database.lane(threads=READ_THREADS)
        self.reader = Reader(self._read_lane)
        self.courier = Courier(settings, metrics, owner=owner, clock=clock)

    @property
    def is_ready(self) -> bool:
        """Tell whether messages are being stored, here or by another process."""
        return self.courier.standing in (Standing.WRITING, Standing.STANDBY)

    @property
    def detail(self) -> str:
        """Say how it stands, for a person."""
        courier = self.courier
        return f"{self._database.name}: {courier.standing.value}{f' ({courier.problem})' if courier.problem else ''}"

    def restore(self, robots: RobotState) -> None:
        """Let `robots` know what each robot said last, before the first message arrives.

        Where the database cannot be read now, the fleet is what robots say from now on. No message keeps a gateway
        from starting, whatever is in it.
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
            except Exception:
                log.exception("a message of the history cannot be shown", robot=record.address.robot)
        log.info("robots are known from the history", robots=len(robots))

    def start(self) -> None:
        """Start to write."""
        self.courier.start()

    def stop(self) -> None:
        """Store what waits, and close the database. May be called twice."""
        self.courier.stop()
        self._read_lane.close()
