"""create_app(): the gateway as a Flask application; run as a program it serves on gevent's server, to try things."""

from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402 - nothing may be imported before the patch
import sys  # noqa: E402

from flask import Flask  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402

from vda5050.api import EXTENSION, create_flask_app  # noqa: E402
from vda5050.errors import SettingsError  # noqa: E402
from vda5050.service import Service  # noqa: E402
from vda5050.settings import Settings  # noqa: E402


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application; `settings` default to the environment's. The service in it is not started.

    Raises SettingsError.
    """
    settings = settings or Settings.from_environ()
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    return create_flask_app(Service(settings))


def main() -> None:
    """Serve on `VDA5050_BIND` until Ctrl-C; without WebSocket, which needs gunicorn."""
    try:
        app = create_app()
    except SettingsError as error:
        sys.exit("\n".join(error.problems))
    service: Service = app.extensions[EXTENSION]
    service.start()
    try:
        WSGIServer(service.settings.bind, app).serve_forever()
    except KeyboardInterrupt:
        service.stop()


if __name__ == "__main__":
    main()
