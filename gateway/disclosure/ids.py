"""Random, opaque ids, from which neither count nor subject can be learnt."""

import secrets
import string
from typing import Final

ID_LENGTH: Final = 26
_BASE32: Final = string.ascii_lowercase + "234567"
_AS_BASE32: Final = (_BASE32 * 8).encode()
"""A translation table: each of the 256 bytes to its lowest five bits as base32."""


def new_id(prefix: str) -> str:
    """A new id: `prefix_` and 26 characters of base32 (130 bits)."""
    return f"{prefix}_{secrets.token_bytes(ID_LENGTH).translate(_AS_BASE32).decode()}"
