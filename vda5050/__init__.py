"""The live gateway between a VDA 5050 robot fleet and everything that watches it.

    robots --MQTT--> broker --> mqtt_bridge -> ingest -> replica: robot_state -> frames -> broadcast -> api.stream (SSE)
                                (1 greenlet,   |   ^              (last message   (encode   (batch once,  api.websocket
                                 paho)         |   |               per robot       once)     a gevent     api.robots
                                               |   | findings      and topic)                queue per
                                               v   |                                         client)
                                               conformance -> doctor (rules)

The words used throughout: a *robot* is named `manufacturer/serial_number`; a *message* is what it published; an
*update* is one accepted message; updates, findings and changes of the link are *entries*, applied in one order; a
*frame* is an entry encoded for the stream and numbered by its *offset*; a *batch* is a run of frames for all who share
a *filter*; a *subscription* is one client's queue of batches; a *sink* is given every update beside the stream; a
*view* is a robot as one shape for every version; a *finding* is what the doctor has against it.

Reading order: errors, settings, logs, greenlets, database, topics, payloads, entries, robot_state, frames, broadcast,
sinks, replica, stencil, message_reader, ingest, mqtt_bridge, api_keys, readiness, service, api; then schemas,
validation, robot_view, doctor, conformance, event_bus, life_cycle, site_maps, history, backplane, acknowledgements,
log_outlet.

A module imports only from layers to the right of its own (checked by import-linter, see pyproject.toml): api > service
> readiness > ingest | conformance | backplane | event_bus | history | mqtt_bridge | embedded_broker | api_keys |
life_cycle | loop_watch | scrape | site_maps > replica > broadcast > frames > robot_state | doctor | acknowledgements |
message_reader > stencil > robot_view | validation > schemas > entries | sinks | payloads > settings | metrics |
database > greenlets > addresses | bus_url | mqtt_url | redis_url | logs | robot_selection | topics | version > errors |
log_outlet. Only mqtt_bridge imports paho, only api imports flask.
"""
