"""Clients whose machine is gone without a word, over a real network between two namespaces."""

import time
from pathlib import Path

from tests.far_machine import far_machine
from tests.live.robot_fleet import RobotFleet
from tests.services import LOOPBACK, Gateway, Service, free_port, require, running, wait_until

STREAMS = "vda5050_streams"
PEER_TIMEOUT_S = 6


def test_client_that_vanished_is_noticed_in_time(broker: Service, tmp_path: Path) -> None:
    """Without FIN or RST, busy and idle streams of a machine that vanished are gone within PEER_TIMEOUT_S.

    So are those of clients that connected as soon as gunicorn listened, before there was a worker.
    """
    settings: dict[str, object] = {
        "mqtt_url": f"mqtt://{LOOPBACK}:{broker.port}",
        "auth": "off",
        "heartbeat_s": 2,
        "peer_timeout_s": PEER_TIMEOUT_S,
    }
    with (
        far_machine() as far,
        running(Gateway(port=free_port(), log=tmp_path / "log", settings=settings, host=far.address)) as service,
        RobotFleet(broker.port, robots=10, filler_bytes=100),
    ):
        assert isinstance(service, Gateway)
        base = f"http://{far.address}:{service.port}/stream"
        paths = [base, f"{base}?robots=NOBODY/*", f"{base}/ACME/unheard"]
        clients = [far.start([require("curl"), "-sN", "--compressed", path]) for path in paths]
        try:
            wait_until(lambda: service.metric(STREAMS) == len(paths), what="the streams are open")

            far.vanish()
            vanished_at = time.monotonic()

            wait_until(lambda: service.metric(STREAMS) == 0, what="the streams are gone", deadline_s=20)
            noticed_after_s = time.monotonic() - vanished_at
        finally:
            for client in clients:
                client.kill()
                client.wait()

    assert "Traceback" not in service.output()
    print(f"noticed after {noticed_after_s:.1f} s")  # noqa: T201 - pytest -s shows it
    assert noticed_after_s < PEER_TIMEOUT_S + 1.5  # the kernel's timers are coarse, and the machine is shared
