"""Every update to RabbitMQ or Kafka, for programs that want a queue and not a stream.

Takes records from `replica` (it is a sink), gives the JSON object that the stream's clients get to a bus of the user's:

    amqp://user:password@host:5672/vhost?exchange=vda5050      topic exchange, routing key manufacturer.serial.topic
    kafka://host:9092,host:9092/topic?security.protocol=SSL    key manufacturer/serial, so that a robot's order holds

Delivery: at least once for what the buffer still holds, in order for each robot; a message that is sent again after an
outage carries the same id. The buffer is bounded in bytes and keeps the newest; what it gave up is counted by reason.
An outage never stalls ingest.

Reading order: events (what is handed over, and the protocol), bus (buffer and greenlet), rabbitmq, kafka.
"""

from vda5050.event_bus.bus import EventBus

__all__ = ["EventBus"]
