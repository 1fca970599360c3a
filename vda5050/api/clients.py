"""Who asks, as limits count it: the holder of a key, else the address.

An IPv6 client usually has a whole /64 to itself and could use another address for each request, so that is what counts.
"""

import ipaddress
from functools import lru_cache

from flask import request

from vda5050.addresses import parse_address


def address_key() -> str:
    """Name the address that the request came from (see `proxies`)."""
    return _key_of(request.remote_addr or "")


def client_key() -> str:
    """Name the client."""
    return address_key()


@lru_cache(maxsize=4_096)
def _key_of(text: str) -> str:
    address = parse_address(text)
    if address is None:
        return "unix"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
