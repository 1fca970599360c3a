"""gunicorn's entry, `wsgi:app`: one worker process is one service, started here, after the fork."""

from gevent import monkey

monkey.patch_all()

from app import create_app  # noqa: E402 - nothing may be imported before the patch
from vda5050.api import EXTENSION  # noqa: E402

app = create_app()
app.extensions[EXTENSION].start()
