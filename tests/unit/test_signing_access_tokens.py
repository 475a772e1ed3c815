"""Access token verification: keys, issuer, audience, expiry, caching."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.signing import jws
from gateway.signing.access_tokens import TYP, AccessToken, TokenError, TokenVerifier
from gateway.signing.keys import KeyRing, new_key

ISSUER = "https://credit.test"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RETIRED = NOON + timedelta(hours=1)


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    """A token key that retires in an hour."""
    file = tmp_path / "keys.json"
    entry = new_key("token", NOON) | {"retired_at": RETIRED.isoformat()}
    file.write_text(json.dumps({"keys": [entry]}))
    return KeyRing.read(file)


def issued(keys: KeyRing, moment: datetime, *, seconds: int = 300, **claims: Any) -> str:
    """A token issued at this time."""
    made = {
        "iss": ISSUER,
        "aud": ISSUER,
        "client_id": "bank",
        "scope": "query",
        "jti": "jti-1",
        "iat": int(moment.timestamp()),
        "exp": int(moment.timestamp()) + seconds,
        "cnf": {"jkt": "thumbprint"},
        "agreement_version": 1,
    }
    return jws.sign(made | claims, typ=TYP, key=keys.current("token", NOON))


def verified(keys: KeyRing, moment: datetime, *, seconds: int = 300, **claims: Any) -> AccessToken:
    """Claims of a token verified a second later."""
    text = issued(keys, moment, seconds=seconds, **claims)
    return TokenVerifier(keys, ISSUER).verify(text, moment + timedelta(seconds=1))


def test_a_token_of_a_key_in_use_is_believed(keys: KeyRing) -> None:
    """Its claims are returned."""
    assert verified(keys, NOON).jti == "jti-1"


def test_a_token_lives_on_when_its_key_has_retired_since(keys: KeyRing) -> None:
    """Rotation invalidates no token."""
    assert verified(keys, RETIRED - timedelta(seconds=1)).client_id == "bank"


def test_a_retired_key_makes_no_token_that_outlives_it_by_ten_minutes(keys: KeyRing) -> None:
    """Whatever `exp` is written into it."""
    with pytest.raises(TokenError, match="not issued here"):
        verified(keys, RETIRED + timedelta(minutes=6))
    with pytest.raises(TokenError, match="not issued here"):
        verified(keys, NOON, seconds=2 * 3_600)


@pytest.mark.parametrize(
    "claims", [{"iss": "https://x.test"}, {"aud": "https://x.test"}, {"aud": [ISSUER]}], ids=str
)
def test_a_token_of_or_for_another_is_not_believed(keys: KeyRing, claims: dict[str, Any]) -> None:
    """One string each."""
    with pytest.raises(TokenError, match="not for this server"):
        verified(keys, NOON, **claims)


def test_a_token_is_over_at_its_end_although_it_is_remembered(keys: KeyRing) -> None:
    """The cache holds signatures, not validity."""
    made, text = TokenVerifier(keys, ISSUER), issued(keys, NOON)
    assert made.verify(text, NOON + timedelta(seconds=299))
    with pytest.raises(TokenError, match="expired"):
        made.verify(text, NOON + timedelta(seconds=300))


@pytest.mark.parametrize("change", ["retired", "taken away"])
def test_a_remembered_token_ends_with_a_key_that_leaked(tmp_path: Path, change: str) -> None:
    """Tokens forged with it end with the key, cached or not."""
    file, entry = tmp_path / "keys.json", new_key("token", NOON)
    file.write_text(json.dumps({"keys": [entry]}))
    keys = KeyRing.read(file)
    tokens, forged = TokenVerifier(keys, ISSUER), issued(keys, NOON, seconds=86_400)
    assert tokens.verify(forged, NOON + timedelta(seconds=1)).jti == "jti-1"
    left = [entry | {"retired_at": RETIRED.isoformat()}] if change == "retired" else []
    file.write_text(json.dumps({"keys": [*left, new_key("token", RETIRED)]}))
    with pytest.raises(TokenError, match="not issued here"):
        tokens.verify(forged, RETIRED + timedelta(seconds=1))
