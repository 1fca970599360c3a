"""The link to the MQTT broker.

bridge       keeps it up, and hands on what comes
client       paho's client for one connection
read_buffer  makes reading from it fast
rounds       when to read
"""

from vda5050.mqtt_bridge.bridge import LinkState, MqttBridge, Receiver

__all__ = ["LinkState", "MqttBridge", "Receiver"]
