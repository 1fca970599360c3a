"""What the scripts beside this folder share: simulated robots, their messages, and a session with a broker.

Standard library and paho-mqtt only; nothing of the gateway, so that each side tests the other.

    route_graph, transport_order, order_dispatch, robot_types, robot_motion, robot_battery, robot_warnings,
    simulated_robot, instant_actions         the robot: pure, time is passed in
    dialects, vda5050_messages, path_messages, factsheets, robot_reporter, mqtt_message
                                             its messages in every version of the standard, and when they are due
    arrivals, message_lines, console         received messages, shown to people
    broker_options, simulator_options, argument_types, mqtt_session, robot_worker, stop_signal
                                             command line, connection, threads, Ctrl-C
"""
