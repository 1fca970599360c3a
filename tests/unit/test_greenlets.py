"""Greenlets of the process: named, and not silent when they die."""

import gevent
import pytest

from vda5050.greenlets import start


def test_death_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """What ends a greenlet is in the log as critical, with its name and the stack."""

    def run() -> None:
        raise ValueError("a fault")

    greenlet = start(run, name="broadcast_flush")
    greenlet.join(timeout=5)
    gevent.sleep(0)

    (record,) = caplog.records
    assert record.levelname == "CRITICAL"
    assert isinstance(record.msg, dict)
    told = {name: record.msg[name] for name in ("event", "greenlet", "exc_info")}
    assert told == {"event": "a greenlet died", "greenlet": "broadcast_flush", "exc_info": greenlet.exception}


def test_end_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """A greenlet that comes to its end, or is killed, is no news."""
    greenlets = [start(lambda: None, name="done"), start(lambda: gevent.sleep(60), name="killed")]
    gevent.sleep(0)
    gevent.killall(greenlets)
    gevent.sleep(0)

    assert all(greenlet.dead for greenlet in greenlets)
    assert caplog.records == []
