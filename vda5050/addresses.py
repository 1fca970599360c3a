"""Names of machines and pages: addresses, networks, hosts, origins. Text in, values out; nothing is looked up."""

import ipaddress
import re
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
UNIX = "unix"
"""Stands for every peer of a Unix socket, which has no address."""

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?", re.ASCII)
_HOST = re.compile(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.ASCII)
_PORT = re.compile(r":\d*$", re.ASCII)


class Networks:
    """A set of addresses, from texts as `10.0.0.0/8`, `192.0.2.7`, `::1` or `unix`. Raises ValueError."""

    def __init__(self, texts: Iterable[str]) -> None:
        texts = frozenset(texts)
        self._networks = [ipaddress.ip_network(text) for text in texts - {UNIX}]
        self._has_unix = UNIX in texts

    def __contains__(self, address: str) -> bool:
        """Tell whether an address is in one of the networks; the empty text is a Unix socket's peer."""
        if not address:
            return self._has_unix
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def parse_address(text: str) -> Address | None:
    """Read `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; None for anything else.

    An IPv4 address that is written as an IPv6 one (`::ffff:192.0.2.7`) is the IPv4 address.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def host_name(host: str) -> str:
    """Give a host without its port, in lower case, without the dot that may end it."""
    return _PORT.sub("", host).lower().rstrip(".")


def is_host_pattern(text: str) -> bool:
    """Tell whether a text is a host without port, `*.` before one, or `*` for any."""
    return _HOST.fullmatch(text) is not None


def is_origin(text: str) -> bool:
    """Tell whether a text is a page's origin as browsers send it: `https://dashboard.example:8443`, never `*`."""
    return _ORIGIN.fullmatch(text) is not None
