"""Who asks, as limits count it: the holder of a key, else the address.

An IPv6 client usually has a whole /64 to itself and could use another address for each request, so that is what counts.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache

from flask import g, request

from vda5050.addresses import parse_address
from vda5050.api_keys import Principal
from vda5050.broadcast import Places


def address_key() -> str:
    """Name the address that the request came from (see `proxies`)."""
    return _key_of(request.remote_addr or "")


def client_key() -> str:
    """Name the client: its key where it has shown one, in a header or by its cookie."""
    found: Principal | None = g.get("principal")
    return address_key() if found is None or found.key_id is None else f"key {found.key_id}"


@contextmanager
def place_in(places: Places) -> Iterator[ExitStack]:
    """Take a place for the client, before anything that lets others run, and give it back at the end.

    A place that is to outlast this is taken along with `pop_all`. Raises TooManyStreams.
    """
    client = client_key()
    places.take(client)
    with ExitStack() as held:
        held.callback(places.leave, client)
        yield held


@lru_cache(maxsize=4_096)
def _key_of(text: str) -> str:
    address = parse_address(text)
    if address is None:
        return "unix"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
