"""The tables of keys, as `vda5050/database/migrations` makes them. Times are epoch seconds."""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from vda5050.database import METADATA

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("role", String(20), nullable=False),
    Column("robots", String(2000), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),
)

SHARED_SECRETS = Table(
    "shared_secrets",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("secret", LargeBinary(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
