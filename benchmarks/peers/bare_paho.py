"""Peer for ingest: paho as its documentation has it, `loop_forever` in a greenlet of a patched process, and a counter.

    python bare_paho.py BROKER_PORT HTTP_PORT

Does nothing with a message but count it. `GET /` answers the count.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 - nothing may be imported before the patch
from collections.abc import Callable, Iterator  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import paho.mqtt.client as mqtt  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402
from paho.mqtt.enums import CallbackAPIVersion  # noqa: E402


class Counter:
    """How many messages came."""

    def __init__(self) -> None:
        self.count = 0

    def on_message(self, _client: mqtt.Client, _data: Any, _message: mqtt.MQTTMessage) -> None:
        """Count one."""
        self.count += 1

    def answer(self, _environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        """Serve the count as WSGI."""
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield str(self.count).encode()


def main(broker_port: int, http_port: int) -> None:
    """Count until the process is ended."""
    counter = Counter()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("uagv/#", 0)
    client.on_message = counter.on_message
    client.connect("127.0.0.1", broker_port)
    gevent.spawn(client.loop_forever)
    WSGIServer(("127.0.0.1", http_port), counter.answer, log=None).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
