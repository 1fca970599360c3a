"""What a rule is, and how a function becomes one.

A message rule is called with every live message of its topics that has something new to tell (see `calm`), before that
message is remembered; a timed rule with the time, about once a second. Both answer with what is wrong, or nothing, and
change nothing. A rule that every state is judged by returns a tuple or a list: a generator costs 0.2 us even where it
yields nothing, which is nearly always.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from vda5050.doctor.findings import Severity
from vda5050.doctor.records import Observation, RobotRecord


class Complaint(NamedTuple):
    """What a rule has to say: `message` for a person, `place` to tell complaints of one rule apart.

    `severity` and `clause` stand for the rule's own where given. `place` comes from a bounded set of words: every one
    of them is a finding of its own.
    """

    message: str
    place: str = ""
    severity: Severity | None = None
    contradicts: str | None = None
    clause: str | None = None


MessageCheck = Callable[[RobotRecord, Observation], Iterable[Complaint]]
TimedCheck = Callable[[RobotRecord, float], Iterable[Complaint]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a stable id, how bad a breach is, and the clause it rests on.

    `clause` names sections of VDA 5050 2.1.0, and after "3.0.0:" where that version says it. `meaning` is one sentence
    for people. A timed rule has one topic, the one whose message is missing or the matter of which it is.
    """

    id: str
    severity: Severity
    clause: str
    topics: frozenset[str]
    meaning: str
    message_check: MessageCheck | None = None
    timed_check: TimedCheck | None = None


def on_message(severity: Severity, clause: str, *topics: str) -> Callable[[MessageCheck], Rule]:
    """Make a function a rule for the messages of `topics`; its name is the rule's id, its docstring the meaning."""

    def make(check: MessageCheck) -> Rule:
        return Rule(check.__name__, severity, clause, frozenset(topics), _meaning(check), message_check=check)

    return make


def on_time(severity: Severity, clause: str, topic: str) -> Callable[[TimedCheck], Rule]:
    """Make a function a rule that is asked as time passes; its findings name `topic`."""

    def make(check: TimedCheck) -> Rule:
        return Rule(check.__name__, severity, clause, frozenset({topic}), _meaning(check), timed_check=check)

    return make


def _meaning(check: MessageCheck | TimedCheck) -> str:
    return (check.__doc__ or "").partition("\n")[0]
