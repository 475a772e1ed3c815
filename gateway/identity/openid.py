"""Sign-in at an OpenID provider: code flow with PKCE, state and nonce.

A person's permissions rest on the signed ID token alone, whose digest is stored with each decision;
userinfo, which is unsigned, is not used.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from gateway.identity.discovery import Directory, Metadata
from gateway.identity.id_token import ExpectedClaims, identity_of
from gateway.identity.identity_provider import (
    Attempt,
    IdentityRefusedError,
    IdentityUnavailableError,
)
from gateway.identity.provider_client_auth import ClientAuth, client_auth_of
from gateway.identity.return_url import SIGN_IN_RETURN
from gateway.identity.sessions import Identity
from gateway.safe_fetch import FetchRoute, UnfetchableError
from gateway.settings import Settings
from gateway.signing import jws
from gateway.signing.jwk import base64url
from gateway.signing.jws import FAPI_ALGORITHMS, JwsError, VerifiedClaims

LONGEST_CODE: Final = 2_048
BAD_REQUEST: Final = 400  # RFC 6749 §5.2: the code, not the client, is refused


class OpenIdProvider:
    """The provider at `XINQIAO_IDENTITY_ISSUER`."""

    def __init__(self, settings: Settings, *, route: FetchRoute | None = None) -> None:
        if settings.identity_issuer is None or settings.identity_client_id is None:
            raise RuntimeError("Without XINQIAO_IDENTITY_ISSUER there is no OpenID provider.")
        self._directory = Directory(settings.identity_issuer, loopback=settings.demo, route=route)
        self._auth: ClientAuth = client_auth_of(settings)
        self._redirect_uri = settings.issuer + SIGN_IN_RETURN
        self._scope = settings.identity_scope
        self._acr = settings.identity_acr
        self._algorithms = FAPI_ALGORITHMS + ((jws.RS256,) if settings.identity_rs256 else ())
        self._expected = ExpectedClaims(
            issuer=settings.identity_issuer,
            client_id=settings.identity_client_id,
            claim=settings.identity_claim or "",
            acr=frozenset((self._acr or "").split()),
            max_age=settings.identity_max_age,
        )

    async def sign_in_url(self, attempt: Attempt, *, now: datetime) -> str:
        """The authorization request's address (OpenID Connect Core 3.1.2.1)."""
        asked = {
            "response_type": "code",
            "client_id": self._expected.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64url(hashlib.sha256(attempt.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        if self._acr is not None:
            asked["acr_values"] = self._acr
        if self._expected.max_age is not None:
            asked["max_age"] = str(self._expected.max_age)
        endpoint = (await self._directory.metadata(now)).authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def identity_of(
        self, back: Mapping[str, str], attempt: Attempt, *, now: datetime
    ) -> Identity:
        """Redeem the code and validate the ID token."""
        metadata = await self._directory.metadata(now)
        self._must_be_an_answer(back, metadata)
        token = await self._redeem(metadata, back["code"], attempt, now)
        claims = await self._verified(token, now)
        return identity_of(token, claims, self._expected, nonce=attempt.nonce, now=now)

    def _must_be_an_answer(self, back: Mapping[str, str], metadata: Metadata) -> None:
        """Refuse an answer without a code, or from another provider (RFC 9207)."""
        absent = None if metadata.names_itself else self._expected.issuer
        if back.get("iss", absent) != self._expected.issuer:
            raise IdentityRefusedError("response_issuer")
        if "error" in back:
            raise IdentityRefusedError("provider_refused")
        if not 0 < len(back.get("code", "")) <= LONGEST_CODE:
            raise IdentityRefusedError("no_code")

    async def _redeem(self, metadata: Metadata, code: str, attempt: Attempt, now: datetime) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
            **self._auth.fields(now),
        }
        try:
            answer = await self._directory.post(metadata.token_endpoint, form, self._auth.headers())
        except UnfetchableError as error:
            if error.status == BAD_REQUEST:
                raise IdentityRefusedError("code_refused") from None
            raise IdentityUnavailableError(f"The token endpoint: {error}") from None
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise IdentityRefusedError("no_id_token")
        return token

    async def _verified(self, token: str, now: datetime) -> VerifiedClaims:
        """The claims of an ID token whose signature was verified."""
        try:
            header = jws.header(token)
            if header.get("alg") not in self._algorithms:
                raise IdentityRefusedError("algorithm")
            if str(header.get("typ", "JWT")).upper() != "JWT":
                raise IdentityRefusedError("type")
            jwk = await self._directory.key(header, now)
            if jwk is None:
                raise IdentityRefusedError("unknown_key")
            return jws.verify(token, jwk, algorithms=self._algorithms)
        except JwsError:
            raise IdentityRefusedError("signature") from None
