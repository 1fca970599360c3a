"""paho's client on a `ReadBuffer`, made for one connection: protocol, credentials and TLS as the settings say."""

import logging
import ssl
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from vda5050.mqtt_bridge.read_buffer import ReadBuffer
from vda5050.settings import Settings

CONNECT_TIMEOUT_S = 4.0


class Client(mqtt.Client):
    """paho's client with a `ReadBuffer` below it. `refusal`: why the broker does not want us, once it has said so.

    `_create_socket` is paho's private seam for its transports (TCP, TLS, WebSocket); there is no public one. The lock
    file pins paho, and tests/live would fail at once if the seam moved.
    """

    buffer: ReadBuffer | None = None
    refusal: str | None = None

    def _create_socket(self) -> Any:
        self.buffer = ReadBuffer(super()._create_socket())
        return self.buffer

    def close(self) -> None:
        """Close the socket, whatever state the protocol is in. May be called twice."""
        if self.buffer is not None:
            self.buffer.close()


def new_client(settings: Settings) -> Client:
    """Make a client for one connection. Raises OSError and ValueError where a file of the settings cannot be used."""
    broker = settings.mqtt
    client = Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311, reconnect_on_failure=False)
    client.enable_logger(logging.getLogger("paho"))
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.max_queued_messages_set(1_000)
    client.manual_ack_set(True)
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.is_tls:
        for path in (settings.mqtt_ca_file, settings.mqtt_cert_file, settings.mqtt_key_file):
            if path is not None:
                Path(path).read_bytes()  # ssl's own error does not say which file it is about
        client.tls_set(settings.mqtt_ca_file, settings.mqtt_cert_file, settings.mqtt_key_file,
                       cert_reqs=ssl.CERT_REQUIRED)  # fmt: skip
    return client
