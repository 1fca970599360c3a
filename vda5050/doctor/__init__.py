"""The doctor: says live what is wrong with what each robot (and its master control) sends.

Takes every accepted message in order, and the time now and then; gives findings. Pure: no socket, no clock of its own,
no greenlet. A rule is a small function with an id, a severity and the clause it rests on (see `rules`):

    header_rules   header ids, identity, clocks
    timing_rules   late, silent, talking while offline, ghosts; these need the time, not a message
    value_rules    what the schemas say (`validation`), impossible and contradictory values
    order_rules    orders and their updates, as they pass and as the robot takes them up
    action_rules   actions and instant actions
    calm           messages that say nothing new, for which no rule needs to be asked

What a rule says of one robot again and again is one `Finding` that counts (see `findings`). Bounded: so many findings a
robot, so many actions remembered.
"""

from vda5050.doctor.doctor import RULES, Doctor
from vda5050.doctor.findings import MAX_FINDINGS_A_ROBOT, Finding, Severity, summarize
from vda5050.doctor.records import Observation
from vda5050.doctor.rules import Rule

__all__ = ["MAX_FINDINGS_A_ROBOT", "RULES", "Doctor", "Finding", "Observation", "Rule", "Severity", "summarize"]
