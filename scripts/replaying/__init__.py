"""The parts of replay.py: where recorded messages come from, and when each is due.

recordings   lines of a file or of a gateway's export -> messages with their times
schedule     times of messages -> moments to publish them, at a multiple of the speed
"""
