"""Ids are random and opaque: nobody learns from one how many there are, or of whom it speaks."""

import base64
import secrets

ID_BYTES = 16


def new_id(prefix: str) -> str:
    """`prefix_` and 26 characters of base32: 128 bits."""
    return (
        f"{prefix}_{base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().rstrip('=').lower()}"
    )
