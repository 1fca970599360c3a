"""gunicorn's entry, `wsgi:app`: one worker process is one service, started here, after the fork."""

from gevent import monkey

monkey.patch_all()

from gunicorn import util  # type: ignore[import-untyped] # noqa: E402 - nothing may be imported before the patch

from app import create_app  # noqa: E402
from vda5050.api import EXTENSION  # noqa: E402
from vda5050.api.refusals import write_problem  # noqa: E402

util.write_error = write_problem
app = create_app()
app.extensions[EXTENSION].start()
