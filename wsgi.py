"""gunicorn's entry, `wsgi:app`: one worker process is one service, started here, after the fork."""

from gevent import monkey

monkey.patch_all()

import gc  # noqa: E402 - nothing may be imported before the patch
import sys  # noqa: E402

from gunicorn import util  # type: ignore[import-untyped] # noqa: E402

from app import create_app  # noqa: E402
from vda5050.api import EXTENSION  # noqa: E402
from vda5050.api.refusals import write_problem  # noqa: E402

# The hub gives the interpreter's lock up at every read and write, and gets it back from a busy native thread (one that
# reads the history) only after this many seconds: with Python's 0.005 the stalls of one that wrote added up to 0.2 s.
sys.setswitchinterval(0.0002)
util.write_error = write_problem
app = create_app()
app.extensions[EXTENSION].start()
# What is here now stays. Looking through all of it, as each full collection did, held every stream up for 0.1 s.
gc.collect()
gc.freeze()
