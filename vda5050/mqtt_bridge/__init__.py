"""The link to the MQTT broker: `bridge` keeps it up, `read_buffer` makes reading from it fast."""

from vda5050.mqtt_bridge.bridge import LinkState, MqttBridge, Receiver

__all__ = ["LinkState", "MqttBridge", "Receiver"]
