"""REDIS_URL names a server, sentinels or a cluster, or is refused with the reason."""

import pytest

from vda5050.redis_url import RedisUrl, Topology


@pytest.mark.parametrize(
    ("text", "topology", "hosts", "shown"),
    [
        ("redis://localhost", Topology.SERVER, (("localhost", 6379),), "redis://localhost:6379"),
        ("rediss://:secret@r:7/2", Topology.SERVER, (("r", 7),), "redis://r:7/2 with TLS"),
        ("redis://[::1]:7000", Topology.SERVER, (("::1", 7000),), "redis://::1:7000"),
        (
            "redis+sentinel://u:p%40@a,b:2/main/1",
            Topology.SENTINEL,
            (("a", 26379), ("b", 2)),
            "redis+sentinel://a:26379,b:2/main/1",
        ),
        ("redis+cluster://a:1,b:2", Topology.CLUSTER, (("a", 1), ("b", 2)), "redis+cluster://a:1,b:2"),
    ],
)
def test_parse(text: str, topology: Topology, hosts: tuple[tuple[str, int], ...], shown: str) -> None:
    """What is shown of it has no secret in it."""
    url = RedisUrl.parse(text)

    assert (url.topology, url.hosts, str(url)) == (topology, hosts, shown)
    assert "secret" not in repr(url)


def test_credentials() -> None:
    """User and passwords are read, percent signs resolved."""
    url = RedisUrl.parse("rediss+sentinel://u:p%40@a/main?sentinel_password=s")

    assert (url.username, url.password, url.sentinel_password, url.is_tls) == ("u", "p@", "s", True)


@pytest.mark.parametrize(
    "text",
    ["http://r", "redis://", "redis://a,b", "redis://r:0", "redis://r/x", "redis://r/1/2", "redis+sentinel://s",
     "redis+cluster://a/1", "redis://r:99999", "r:6379"],
)  # fmt: skip
def test_refused(text: str) -> None:
    """What names no Redis is refused."""
    with pytest.raises(ValueError, match=r"expected|missing|number|host"):
        RedisUrl.parse(text)
