"""RSA keys for tests: one of each size in a process, generated on first use."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def rsa_key(bits: int = 2_048) -> rsa.RSAPrivateKey:
    """RSA private key of this size."""
    return rsa.generate_private_key(65_537, bits)
