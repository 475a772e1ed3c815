"""Key rotation: old and new keys both verify and are published meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from gateway.signing import jws
from gateway.signing.access_tokens import MAX_TOKEN_LIFE
from gateway.signing.rotation import rewrite_key_file, rotate_keys
from tests.gateway_fixture import Caller, GatewayFixture
from tests.oauth_builders import claims_of, sign_jwt
from tests.waiting import PATIENCE
from xinqiao._core.signatures.exchange import Exchange
from xinqiao._core.signatures.http_signatures import read_claims, verify_signature
from xinqiao._core.signatures.keys import KeySet

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def rotating(gateway: GatewayFixture) -> AsyncIterator[GatewayFixture]:
    """A gateway with the next token and answer keys published; restored afterwards."""
    file = gateway.settings.signing_keys
    before = file.read_text()
    now = gateway.clock()
    begins = now + timedelta(hours=1)
    rewrite_key_file(
        file, lambda found: rotate_keys(found, ["token", "response"], begins=begins, now=now)
    )
    keys = gateway.runtime.keys
    async with asyncio.timeout(PATIENCE):
        # By their identifiers: those of the test before are as many.
        while _kids(keys.published()) != {key.kid for key in keys.newest()}:  # noqa: ASYNC110  # a file
            await asyncio.sleep(0.05)
    yield gateway
    file.write_text(before)


async def test_both_keys_are_published_with_their_dates(rotating: GatewayFixture) -> None:
    """By a running worker at once; past keys stay published."""
    for hours in (0, 2, 24 * 365):
        with rotating.clock.later(hours=hours):
            keys = (await rotating.http.get("/.well-known/jwks.json")).json()["keys"]
        tokens = [key for key in keys if key["xinqiao_use"] == "token"]
        assert [key.get("retired_at") for key in tokens] == [tokens[1]["not_before"], None]
        assert not any("d" in key for key in keys)


async def test_a_token_of_the_old_key_is_good_until_it_expires(rotating: GatewayFixture) -> None:
    """Issued before the change, used after it."""
    bank = await rotating.client()
    with rotating.clock.later(minutes=59):
        token = await bank.token()
    with rotating.clock.later(minutes=61):
        assert (await _call(bank)).status_code == 200
        other = await rotating.client()
        assert _kid(await other.token()) != _kid(token)
        assert (await _call(other)).status_code == 200


async def test_an_answer_of_the_old_key_verifies_after_the_change(rotating: GatewayFixture) -> None:
    """A stored answer verifies with the present key set."""
    bank = await rotating.client()
    kept = await _call(bank)
    with rotating.clock.later(hours=2):
        fresh = await _call(bank)
        document = (await rotating.http.get("/.well-known/jwks.json")).json()
        keys = KeySet.read(document)
        kids = set()
        for answer in (kept, fresh):
            claim = read_claims(Exchange.of(answer))
            key = keys.get(claim.keyid)
            assert key is not None
            verify_signature(
                Exchange.of(answer), claim, key, earliest=None, latest=rotating.clock()
            )
            kids.add(claim.keyid)
    assert len(kids) == 2


async def test_the_coming_key_signs_nothing_yet(rotating: GatewayFixture) -> None:
    """A token signed by it is refused."""
    bank = await rotating.client()
    token = await bank.token()
    coming = rotating.runtime.keys.current("token", rotating.clock() + timedelta(hours=2))
    assert _kid(token) != coming.kid
    header = {"typ": "at+jwt", "kid": coming.kid}
    early = sign_jwt(coming.private, "EdDSA", claims_of(token), header)
    assert (await _call(bank, early)).status_code == 401


async def test_a_retired_key_cannot_be_used_to_make_new_tokens(rotating: GatewayFixture) -> None:
    """A token signed by a retired key is refused."""
    bank = await rotating.client()
    claims = claims_of(await bank.token())
    old = rotating.runtime.keys.current("token", rotating.clock())
    assert old.retired_at is not None
    with rotating.clock.later(hours=1, minutes=1):
        claims["exp"] = int((old.retired_at + MAX_TOKEN_LIFE).timestamp()) + 1
        header = {"typ": "at+jwt", "kid": old.kid}
        forged = sign_jwt(old.private, "EdDSA", claims, header)
        assert (await _call(bank, forged)).status_code == 401


def _kids(published: dict[str, Any]) -> set[str]:
    return {key["kid"] for key in published["keys"]}


async def _call(bank: Caller, token: str | None = None) -> httpx2.Response:
    path = "/v1/verifications"
    headers = {}
    if token is not None:
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": await bank.proof("POST", path, token),
        }
    return await bank.verify(bank.gateway.uscc(), "is_active.v1", headers=headers)


def _kid(token: str) -> str:
    return str(jws.header(token)["kid"])
