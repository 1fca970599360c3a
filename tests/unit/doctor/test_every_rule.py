"""Every rule has a stream that breaks it and one that just does not."""

from tests.unit.doctor import (
    test_action_rules,
    test_header_rules,
    test_order_rules,
    test_timing_rules,
    test_value_rules,
)
from tests.unit.doctor.streams import BREAKS, KEEPS
from vda5050.doctor import RULES
from vda5050.topics import TOPICS

MODULES = (test_action_rules, test_header_rules, test_order_rules, test_timing_rules, test_value_rules)


def test_every_rule_is_broken_and_kept() -> None:
    """A rule without both tests, and a test of a rule that is no more, fail here."""
    ids = {rule.id for rule in RULES}

    assert set(BREAKS) == ids
    assert set(KEEPS) == ids
    assert all(any(hasattr(module, name) for module in MODULES) for name in (*BREAKS.values(), *KEEPS.values()))


def test_rules_have_what_people_need() -> None:
    """Ids are unique; each rule says what it means and rests on a clause of 2.1.0; its topics exist."""
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.meaning.endswith("."), rule.id
        assert rule.clause.startswith("6."), rule.id
        assert rule.topics, rule.id
        assert rule.topics <= TOPICS, rule.id
        assert rule.timed_check is None or len(rule.topics) == 1, rule.id


def test_connection_is_judged_by_content_and_name_only() -> None:
    """No rule on headers and clocks hears of connection messages: a will is outdated by its nature."""
    assert {rule.id for rule in RULES if "connection" in rule.topics and rule.message_check} == {
        "schema",
        "header_topic_mismatch",
    }
