"""One MQTT connection for a script: connect, serve, reconnect, end.

Takes `BrokerOptions` and an `Endpoint`, which says what to publish on connecting and takes what arrives. A session
belongs to one thread, which alone sends and receives; there is no network thread besides, so publishing writes at once
and no queue grows. `serve()` returns when its time is over, or at once when the stop signal is set, and connects again
after a growing, jittered delay when the broker has gone. It uses select: fine below 1,024 descriptors.
MQTT 3.1.1, clean session, keep-alive 15 s (VDA 5050, "Topic connection").
"""

from __future__ import annotations

import random
import secrets
import select
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

try:
    from paho.mqtt import client as paho
    from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
except ImportError:
    sys.exit("paho-mqtt 2 is needed: pip install 'paho-mqtt>=2'")

from fleet_simulator.broker_options import BrokerOptions
from fleet_simulator.mqtt_message import Message
from fleet_simulator.stop_signal import StopSignal

_KEEPALIVE_S = 15
_CONNECT_TIMEOUT_S = 5.0
_ANSWER_TIMEOUT_S = 10.0
_FAREWELL_TIMEOUT_S = 3.0
_LONGEST_WAIT_S = 1.0
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 15.0


class BrokerError(Exception):
    """The broker cannot be used; the text says which, why, and what to do."""


class Endpoint(Protocol):
    """What a session connects to the broker. All calls come from the session's thread."""

    def subscriptions(self) -> Sequence[str]:
        """Return the topic filters to subscribe to after each connect."""

    def last_will(self) -> Message | None:
        """Return the message the broker publishes if the connection breaks; asked before each connect."""

    def greeting(self) -> Iterable[Message]:
        """Return what to publish after each connect."""

    def connection_lost(self) -> None:
        """Take note that an established connection has broken."""

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Take a message that arrived. It must not raise."""


class MqttSession:
    """A connection that comes back. `say` tells people of losses and returns."""

    def __init__(self, options: BrokerOptions, endpoint: Endpoint, *, say: Callable[[str], None]) -> None:
        self._options = options
        self._endpoint = endpoint
        self._say = say
        self._client = self._make_client()
        self.is_connected = False
        self._is_ending = False
        self._must_greet = False
        self._problem: str | None = None
        self._delay_s = _FIRST_DELAY_S
        self._retry_at = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether publishing makes sense: connected, and what was published before has left."""
        return self.is_connected and not self._client.want_write()

    def open(self, stop: StopSignal) -> None:
        """Connect for the first time. Raises BrokerError if the broker cannot be reached or refuses."""
        deadline = time.monotonic() + _ANSWER_TIMEOUT_S
        try:
            self._connect()
        except (OSError, ValueError) as error:
            raise BrokerError(self._unreachable(error)) from error
        while not self.is_connected and not stop.is_set:
            if self._client.socket() is None or time.monotonic() > deadline:
                raise BrokerError(self._refused())
            self._exchange(_LONGEST_WAIT_S, stop)
        self._greet()

    def serve(self, until: float, stop: StopSignal) -> None:
        """Receive and send until that moment of time.monotonic(), or until the stop signal."""
        while not stop.is_set:
            left = until - time.monotonic()
            if self._client.socket() is None:
                self._reconnect_if_due()
                left = min(left, max(self._retry_at - time.monotonic(), 0.0))
            self._exchange(min(max(left, 0.0), _LONGEST_WAIT_S), stop)
            self._greet()
            if time.monotonic() >= until:
                return

    def publish(self, messages: Iterable[Message]) -> int:
        """Send the messages and return how many went out; none do while the broker is away."""
        infos = [self._publish(message) for message in messages]
        return sum(info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS for info in infos)

    def close(self, farewell: Iterable[Message] = ()) -> None:
        """Publish the last messages, wait a moment for the broker's receipt, and disconnect. May run twice."""
        self._is_ending = True
        if self.is_connected:
            deadline = time.monotonic() + _FAREWELL_TIMEOUT_S
            infos = [self._publish(message) for message in farewell]
            while time.monotonic() < deadline and not all(_is_settled(info) for info in infos):
                self._exchange(0.1)
                if self._client.socket() is None:
                    break
        self._client.disconnect()
        self._exchange(0.0)

    def _publish(self, message: Message) -> paho.MQTTMessageInfo:
        return self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.is_retained)

    def _make_client(self) -> paho.Client:
        options = self._options
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"vda5050-{secrets.token_hex(6)}",
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        # No limit: the ONLINE of a hundred robots must not wait behind receipts while their states go out.
        client.max_inflight_messages_set(0)
        if options.user is not None:
            client.username_pw_set(options.user, options.password)
        if options.uses_tls:
            try:
                client.tls_set(ca_certs=options.ca_file, certfile=options.cert_file, keyfile=options.key_file)
            except (OSError, ValueError) as error:
                raise BrokerError(f"the TLS files cannot be used: {error}") from error
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _connect(self) -> None:
        self._problem = None
        will = self._endpoint.last_will()
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=will.qos, retain=will.is_retained)
        self._client.connect(self._options.host, self._options.port, keepalive=_KEEPALIVE_S)

    def _reconnect_if_due(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        try:
            self._connect()
        except (OSError, ValueError):
            self._plan_retry()

    def _plan_retry(self) -> None:
        """Wait longer each time, and not all programs the same time."""
        self._retry_at = time.monotonic() + self._delay_s * random.uniform(0.7, 1.3)
        self._delay_s = min(self._delay_s * 2.0, _LONGEST_DELAY_S)

    def _exchange(self, timeout_s: float, stop: StopSignal | None = None) -> None:
        """Wait until there is something to read or write, and do it."""
        sock: Any = self._client.socket()
        waiting = [] if stop is None else [stop]
        if sock is None:
            select.select(waiting, [], [], timeout_s)
            return
        has_rest = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        writers = [sock] if self._client.want_write() else []
        readable, writable, _ = select.select([sock, *waiting], writers, [], 0.0 if has_rest else timeout_s)
        if sock in readable or has_rest:
            self._client.loop_read()
        if writable and self._client.socket() is not None:
            self._client.loop_write()
        self._client.loop_misc()

    def _greet(self) -> None:
        if not self._must_greet:
            return
        self._must_greet = False
        filters = [(topic_filter, 0) for topic_filter in self._endpoint.subscriptions()]
        if filters:
            self._client.subscribe(filters)
        self.publish(self._endpoint.greeting())

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._problem = str(reason)
            if self._retry_at:
                self._say(f"the broker at {self._options.address} refuses the connection: {reason}")
            return
        if self._retry_at:
            self._say(f"back at {self._options.address}")
        self.is_connected = self._must_greet = True
        self._delay_s, self._retry_at = _FIRST_DELAY_S, 0.0

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        was_connected, self.is_connected = self.is_connected, False
        if self._is_ending:
            return
        self._plan_retry()
        if was_connected:
            self._endpoint.connection_lost()
            self._say(f"lost the broker at {self._options.address}, trying again")

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._say(f"the broker at {self._options.address} refuses a subscription: look at its access list")

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as error:
            topic = error.object.decode("utf-8", "backslashreplace")
        self._endpoint.receive(topic, bytes(message.payload), is_retained=message.retain)

    def _unreachable(self, error: Exception) -> str:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return (
            f"cannot reach an MQTT broker at {self._options.address}: {reason}.\n"
            f"Start one there (for example: mosquitto -p {self._options.port}), or name another with --host and --port."
        )

    def _refused(self) -> str:
        if self._problem is not None:
            return (
                f"the broker at {self._options.address} refuses the connection: {self._problem}.\n"
                "Look at --user and --password-file."
            )
        hint = "Does it really want --tls?" if self._options.uses_tls else "Does it want --tls?"
        return f"{self._options.address} does not answer as an MQTT broker. {hint}"


def _is_settled(info: paho.MQTTMessageInfo) -> bool:
    """Whether the broker has the message, or never will."""
    return info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS or info.is_published()
