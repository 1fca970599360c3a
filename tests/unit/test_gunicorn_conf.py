"""What gunicorn's configuration does beside setting values."""

import errno
import runpy
from pathlib import Path
from unittest.mock import Mock

import pytest

CONFIGURATION = Path(__file__).resolve().parents[2] / "gunicorn.conf.py"


@pytest.mark.parametrize(
    ("error", "stacks"),
    [(TimeoutError(errno.ETIMEDOUT, "Connection timed out"), 0), (OSError(errno.EBADF, "Bad file descriptor"), 1)],
    ids=["given up by the kernel", "our own fault"],
)
def test_client_that_was_given_up_is_no_fault(monkeypatch: pytest.MonkeyPatch, error: OSError, stacks: int) -> None:
    """A write that fails because the client took nothing for too long leaves no stack in the log; others do."""
    monkeypatch.chdir(CONFIGURATION.parent)
    one_log = runpy.run_path(str(CONFIGURATION))["OneLog"]
    log = one_log.__new__(one_log)
    log.error_log = Mock()

    try:
        raise error
    except OSError:
        log.exception("Socket error processing request.")

    assert log.error_log.exception.call_count == stacks
