"""Who may do what: keys that programs and people show, kept as hashes in the database.

    principal    who asks: a role, and the robots that may be seen
    keys         what a key looks like, how it is made, what is kept of it
    tables       the tables, as the migrations make them
    store        the keys in the database
    key_ring     the keys in memory: asked for every request, read again every two seconds; ends streams of lost keys
    start_check  whether the gateway may listen where it is told to

Takes the text of a key, gives a `Principal` or nothing. See docs/security.md.
"""

from vda5050.api_keys.key_ring import Hold, KeyRing
from vda5050.api_keys.keys import Key
from vda5050.api_keys.principal import ANYONE, LOCAL, Principal, Role

__all__ = ["ANYONE", "LOCAL", "Hold", "Key", "KeyRing", "Principal", "Role"]
