"""create_app(): the gateway as a Flask application; run as a program it serves on gevent's server, to try things."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 - nothing may be imported before the patch
from typing import Any  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402
from flask import Flask  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402

from vda5050 import logs  # noqa: E402
from vda5050.api import EXTENSION, create_flask_app  # noqa: E402
from vda5050.api_keys.start_check import why_not  # noqa: E402
from vda5050.errors import SettingsError  # noqa: E402
from vda5050.service import Service  # noqa: E402
from vda5050.settings import Settings  # noqa: E402


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application; `settings` default to the environment's. The service in it is not started.

    Raises SettingsError, or for the `flask` command what that shows a person without a stack.
    """
    try:
        settings = settings or Settings.from_environ()
    except SettingsError as error:
        if click.get_current_context(silent=True) is None:
            raise
        raise click.ClickException("\n".join(error.problems)) from error
    logs.configure(level=settings.log_level, format_=settings.log_format, secrets=settings.secrets)
    gevent.get_hub().print_exception = _log_lost_exception  # type: ignore[method-assign]
    return create_flask_app(Service(settings))


def _log_lost_exception(context: Any, t: Any, v: Any, tb: Any) -> None:
    """Log what a greenlet died of; gevent would print it, past the log and with the greenlet's arguments."""
    name = getattr(context, "name", type(context).__name__)
    logs.get_logger("gevent").error("a greenlet failed", greenlet=name, exc_info=(t, v, tb))


def main() -> None:
    """Serve on `VDA5050_BIND` until Ctrl-C; without WebSocket, which needs gunicorn."""
    try:
        app = create_app()
    except SettingsError as error:
        sys.exit("\n".join(error.problems))
    service: Service = app.extensions[EXTENSION]
    settings = service.settings
    if not settings.binds_loopback_only and (problem := why_not([settings.bind], settings)):
        sys.exit(f"The gateway cannot start: {problem}")
    service.start()
    try:
        WSGIServer(service.settings.bind, app, log=None).serve_forever()  # it would log whole URLs; `api.requests` logs
    except KeyboardInterrupt:
        service.stop()


if __name__ == "__main__":
    main()
