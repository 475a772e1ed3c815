"""Random, opaque ids in the gateway's form: a prefix and 26 characters of base32 (128 bits)."""

from __future__ import annotations

import base64
import secrets


def new_id(prefix: str) -> str:
    """A new id."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"
