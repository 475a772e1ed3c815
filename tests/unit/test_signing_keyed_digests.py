"""Keyed digests: HMAC-SHA-256, a key for each kind of value."""

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from gateway.signing.keyed_digests import KeyedDigests

DIGESTS = KeyedDigests("a secret")


@given(st.binary(max_size=200))
def test_a_digest_is_the_hmac_of_its_value(value: bytes) -> None:
    """Under the key of its kind (RFC 2104), as the standard library makes it."""
    assert DIGESTS.of("probe", value) == hmac.digest(DIGESTS.key("probe"), value, "sha256")


def test_a_text_is_digested_as_its_utf_8() -> None:
    """And another kind, or another secret, gives another digest."""
    found = DIGESTS.of("subject", "企业")
    assert found == DIGESTS.of("subject", "企业".encode())
    assert found not in {DIGESTS.of("probe", "企业"), KeyedDigests("b").of("subject", "企业")}
    assert len(found) == hashlib.sha256().digest_size
