"""Addresses, networks, hosts and origins are read as they are written, and nothing else is taken for one."""

import pytest

from vda5050.addresses import Networks, host_name, is_host_pattern, is_origin, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:80", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("localhost:80", None),
        ("192.0.2.7.example", None),
        ("192.0.2", None),
        ("3221225991", None),
        ("[192.0.2.7", "192.0.2.7"),
    ],
)
def test_address(text: str, address: str | None) -> None:
    """An address may have a port; whatever else is there is none."""
    assert str(parse_address(text)) == str(address)


def test_networks() -> None:
    """An address is in the networks it is in, also written as IPv6."""
    networks = Networks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])

    assert all(text in networks for text in ("10.255.0.1", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.1"))
    assert not any(text in networks for text in ("11.0.0.1", "192.0.2.8", "::1", "", "localhost"))


def test_a_unix_sockets_peer_has_no_address() -> None:
    """`unix` stands for it."""
    assert "" in Networks(["unix"])
    assert "" not in Networks(["127.0.0.1"])


@pytest.mark.parametrize("text", ["10.0.0.1/8", "example", "10.0.0.0/33", "*", ""])
def test_no_network(text: str) -> None:
    """A text that is no network is refused, also one whose address has bits beyond its length: that is a mistake."""
    with pytest.raises(ValueError, match=r".*"):
        Networks([text])


@pytest.mark.parametrize(
    ("host", "name"),
    [("Fleet.Example:8000", "fleet.example"), ("fleet.example.", "fleet.example"), ("[::1]:80", "[::1]"), ("a", "a")],
)
def test_host_name(host: str, name: str) -> None:
    """Names are compared without port, case and the dot at the end."""
    assert host_name(host) == name


@pytest.mark.parametrize("text", ["fleet.example", "*.example", "*", "gateway", "[::1]", "10.0.0.1"])
def test_host_pattern(text: str) -> None:
    """A host may be allowed by name, with all that is under a name, or whatever it is."""
    assert is_host_pattern(text)


@pytest.mark.parametrize("text", ["https://fleet.example", "fleet.example:80", "*example", "a b", "", "a/b", "*.*"])
def test_no_host_pattern(text: str) -> None:
    """What no host can be is a mistake, and would never match."""
    assert not is_host_pattern(text)


@pytest.mark.parametrize("text", ["https://fleet.example", "http://localhost:8000", "http://[::1]:80"])
def test_origin(text: str) -> None:
    """An origin is scheme, host and port."""
    assert is_origin(text)


@pytest.mark.parametrize(
    "text", ["*", "null", "fleet.example", "https://fleet.example/", "https://*.example", "HTTPS://A"]
)
def test_no_origin(text: str) -> None:
    """What browsers never send as an origin is a mistake; `*` would let every site in with a visitor's cookie."""
    assert not is_origin(text)
