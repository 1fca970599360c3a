"""Topics of both layouts and of the field's dialects are read; what no robot can have sent is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vda5050.errors import RejectedMessage
from vda5050.topics import TOPICS, Address, format_topic, parse_topic

levels = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=12)
names = levels.filter(lambda level: not level.startswith("v"))
addresses = st.builds(
    Address,
    interface=st.one_of(names, names.map("/{}".format), st.lists(names, min_size=2, max_size=3).map("/".join)),
    major_version=st.one_of(st.none(), st.sampled_from(["v1", "v2", "v3", "v2.0.0", "v12"])),
    manufacturer=names,
    serial_number=levels,
    topic=st.sampled_from(sorted(TOPICS)),
)
topic_texts = st.lists(st.one_of(levels, st.sampled_from(["", "v2", "v2.1", "uagv", *sorted(TOPICS)])), max_size=9).map(
    "/".join
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("uagv/v2/KUKA/KR_1001/state", Address("uagv", "v2", "KUKA", "KR_1001", "state")),
        ("vda5050/v3/ABB/1/zoneSet", Address("vda5050", "v3", "ABB", "1", "zoneSet")),
        ("uagv/v2.0.0/m/s/order", Address("uagv", "v2.0.0", "m", "s", "order")),
        ("site/hall/uagv/v1/m/s/state", Address("site/hall/uagv", "v1", "m", "s", "state")),
        ("/uagv/v2/m/s/state", Address("/uagv", "v2", "m", "s", "state")),
        ("uagv/v1/v2/m/s/state", Address("uagv/v1", "v2", "m", "s", "state")),
    ],
)
def test_standard_layout(text: str, address: Address) -> None:
    """The level before the manufacturer is the version where it looks like one; all before it is the interface."""
    assert parse_topic(text) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/vda5050/KUKA/KR_1001/state", Address("/vda5050", None, "KUKA", "KR_1001", "state")),
        ("vda5050/m/s/connection", Address("vda5050", None, "m", "s", "connection")),
        ("vda5050/v2x/m/s/state", Address("vda5050/v2x", None, "m", "s", "state")),
        ("v2/m/s/state", Address("v2", None, "m", "s", "state")),
    ],
)
def test_flat_layout(text: str, address: Address) -> None:
    """Without a version level all before the manufacturer is the interface, a leading slash included."""
    assert parse_topic(text) == address


@pytest.mark.parametrize(("last", "topic"), [("instantAction", "instantActions"), ("connect", "connection")])
def test_dialects(last: str, topic: str) -> None:
    """A last level seen in the field is read as the standard's word."""
    assert parse_topic(f"fts/v1/ff/S1/{last}").topic == topic


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_topic_of_the_standard(topic: str) -> None:
    """Each topic that the standard defines is known by its own name."""
    assert parse_topic(f"uagv/v2/m/s/{topic}").topic == topic


def test_robot_key() -> None:
    """A robot's key is manufacturer and serial number, whatever the layout."""
    robots = {parse_topic(text).robot for text in ("uagv/v2/ABB/A.1:x/state", "/vda5050/ABB/A.1:x/order")}

    assert robots == {"ABB/A.1:x"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state",
        "KUKA/KR/state",
        "uagv/v2/KUKA/state",
        "/vda5050/v2/KUKA/state",
        "uagv/v2/KUKA/KR_1001/STATE",
        "uagv/v2/KUKA/KR_1001/state/",
        "uagv/v2//KR_1001/state",
        "uagv/v2/KUKA//state",
        "//KUKA/KR_1001/state",
        "/v2/KUKA/KR_1001/state",
        f"uagv/v2/{'m' * 201}/KR_1001/state",
        f"uagv/v2/KUKA/{'s' * 201}/state",
        "$SYS/broker/clients/connected",
    ],
)
def test_refused(text: str) -> None:
    """A topic that misses a level, has an unknown last one or an endless name is rejected as such."""
    with pytest.raises(RejectedMessage) as raised:
        parse_topic(text)

    assert raised.value.reason == "topic"


def test_longest_names() -> None:
    """Names of 200 characters are taken."""
    assert parse_topic(f"uagv/v2/{'m' * 200}/{'s' * 200}/state").robot == f"{'m' * 200}/{'s' * 200}"


def test_refusal_does_not_repeat_an_endless_level() -> None:
    """What is said about a refused topic stays short enough for a log line."""
    with pytest.raises(RejectedMessage) as raised:
        parse_topic("uagv/v2/KUKA/KR_1001/" + "x" * 60_000)

    assert len(raised.value.detail) < 200


@given(addresses)
def test_written_and_read_again(address: Address) -> None:
    """An address written as a topic is read back as the same address."""
    assert parse_topic(format_topic(address)) == address


@given(topic_texts)
def test_read_and_written_again(text: str) -> None:
    """Any text is either rejected or read as an address that its own topic is read back as."""
    try:
        address = parse_topic(text)
    except RejectedMessage as rejected:
        assert rejected.reason == "topic"  # noqa: PT017 - either outcome is fine
    else:
        assert parse_topic(format_topic(address)) == address
