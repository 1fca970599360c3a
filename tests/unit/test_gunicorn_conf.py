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


@pytest.mark.parametrize("code", [None, "The gateway cannot start: ..."], ids=["usable", "not usable"])
def test_reload_that_would_end_the_gateway(monkeypatch: pytest.MonkeyPatch, code: str | None) -> None:
    """A reload goes on only where reading all that it reads has not ended in gunicorn's exit; else nothing changes."""
    monkeypatch.chdir(CONFIGURATION.parent)
    server = Mock()
    reload, configuration = server.reload, server.cfg
    server.app.reload.side_effect = None if code is None else SystemExit(code)
    runpy.run_path(str(CONFIGURATION))["when_ready"](server)

    server.reload()

    assert reload.call_count == (code is None)
    assert server.log.error.call_count == (code is not None)
    assert code is None or server.app.cfg is configuration
