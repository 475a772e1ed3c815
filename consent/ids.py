"""Consent ids: `cst_` and 128 random bits from the caller, without meaning."""

from base64 import b32encode

RANDOM_BYTES = 16


def consent_id_from(randomness: bytes) -> str:
    """`cst_` and 26 characters of base32, from 16 random bytes."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"A consent id is made of {RANDOM_BYTES} random bytes.")
    return "cst_" + b32encode(randomness).decode().rstrip("=").lower()
