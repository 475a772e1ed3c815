"""Random, opaque ids, from which neither count nor subject can be learnt."""

import base64
import secrets

ID_BYTES = 16


def new_id(prefix: str) -> str:
    """A new id: `prefix_` and 26 characters of base32 (128 bits)."""
    return (
        f"{prefix}_{base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().rstrip('=').lower()}"
    )
