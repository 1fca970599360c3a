"""The objects that a robot view is made of: each a schema that says what a member means and what robots call it.

motion      where the robot is, how it moves, which way it will take
order       what it was told to do: nodes, edges, actions, progress
condition   how it is: connection, battery, errors, information, loads, safety
site        what it knows about the place: maps, zones, requests for both
factsheet   what it is: type and size
"""
