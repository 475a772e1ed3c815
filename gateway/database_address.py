"""The database's address, parsed without connecting: what the driver would refuse is refused. Pure."""

from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

SCHEMES: Final = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})
PARAMETERS: Final = ("direct_tls", "host", "passfile", "port", "ssl", "target_session_attrs")
"""Parameters that every connection takes, by the driver's names."""


def driver_url(address: str) -> str:
    """The address as SQLAlchemy's URL for asyncpg; raises `ValueError`, without any part of it."""
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError("must begin with postgresql://")
    url = f"postgresql+asyncpg://{rest}"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("has a part that cannot be read, such as its port") from None
    if parsed.port is not None and not 0 < parsed.port < 1 << 16:
        raise ValueError("has no port of 1 to 65535")
    if "sslmode" in parsed.query:
        raise ValueError("has sslmode: this driver calls it ssl, with the same values")
    if not parsed.query.keys() <= set(PARAMETERS):
        raise ValueError(f"may have no other parameters than {', '.join(PARAMETERS)}")
    return url
