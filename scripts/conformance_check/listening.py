"""Messages from a running broker, for as long as is asked for.

Takes a broker's URL and how to get in, gives what `Examination` found. A connection that breaks comes back by itself;
robots are judged anew from then on, and the losses are counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleet_simulator.broker_options import BrokerOptions
from fleet_simulator.mqtt_message import Message as SentMessage
from fleet_simulator.mqtt_session import BrokerError, MqttSession
from fleet_simulator.stop_signal import StopSignal

from conformance_check.examination import Examination
from conformance_check.recordings import Message
from vda5050.errors import RejectedMessage
from vda5050.settings import Settings
from vda5050.topics import parse_topic

_TICK_S = 1.0

__all__ = ["BrokerError", "Listener", "TlsFiles", "broker_of_url", "listen"]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files; any of them turns TLS on."""

    ca_file: str | None
    cert_file: str | None
    key_file: str | None


def broker_of_url(url: str, *, user: str | None, password: str | None, files: TlsFiles) -> BrokerOptions:
    """Read the URL as the gateway does. Raises ValueError where it names no broker elsewhere."""
    broker = Settings(mqtt_url=url, mqtt_username=user, mqtt_password=password).mqtt
    if broker.is_embedded:
        raise ValueError("embedded is the gateway's own broker; while it runs, it is at mqtt://127.0.0.1:1883")
    return BrokerOptions(
        host=broker.host,
        port=broker.port,
        user=broker.username,
        password=broker.password,
        uses_tls=broker.is_tls or any((files.ca_file, files.cert_file, files.key_file)),
        ca_file=files.ca_file,
        cert_file=files.cert_file,
        key_file=files.key_file,
    )


class Listener:
    """Hands what arrives to the examination; an `Endpoint` of the session."""

    def __init__(self, examination: Examination, filters: Sequence[str], is_wanted: Callable[[str], bool]) -> None:
        self._examination = examination
        self._filters = filters
        self._is_wanted = is_wanted
        self._arrived = 0
        self.noise = 0
        self.losses = 0

    def subscriptions(self) -> Sequence[str]:
        """Return the filters asked for."""
        return self._filters

    def last_will(self) -> SentMessage | None:
        """Return none: this is no robot."""
        return None

    def greeting(self) -> Sequence[SentMessage]:
        """Return nothing, since this only listens; but being asked means that the connection stands."""
        self._examination.set_link(is_up=True, at=time.monotonic())
        return ()

    def connection_lost(self) -> None:
        """Count it, and let nobody be blamed for what is missed."""
        self.losses += 1
        self._examination.set_link(is_up=False, at=time.monotonic())

    def receive(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Judge a message."""
        self._arrived += 1
        try:
            address = parse_topic(topic)
        except RejectedMessage:
            self.noise += 1
            return
        if self._is_wanted(address.robot):
            message = Message(
                address=address,
                payload=payload,
                place=self._arrived,
                is_retained=is_retained,
                at=time.monotonic(),
                wall=time.time(),
            )
            self._examination.take(message)

    def pass_time(self) -> None:
        """Let the rules see how late it is; to be called about every second."""
        self._examination.tick(time.monotonic(), time.time())


def listen(
    options: BrokerOptions, listener: Listener, *, seconds: float, stop: StopSignal, say: Callable[[str], None]
) -> None:
    """Listen for so long, or until the stop signal. Raises BrokerError where the broker cannot be used at first."""
    session = MqttSession(options, listener, say=say)
    session.open(stop)
    say(f"connected to {options.address}, listening for {seconds:g} s; Ctrl-C ends earlier")
    end = time.monotonic() + seconds
    while not stop.is_set and (now := time.monotonic()) < end:
        session.serve(min(end, now + _TICK_S), stop)
        listener.pass_time()
    session.close()
