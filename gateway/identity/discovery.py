"""OpenID provider discovery: its metadata and keys, cached for an hour.

An address at the issuer's host is the operator's choice and may be in a private network; any other
must be on the public internet.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from gateway import strict_json
from gateway.identity.identity_provider import IdentityUnavailableError
from gateway.safe_fetch import (
    Fetched,
    FetchRoute,
    UnfetchableError,
    address_problem,
    get,
    post,
)
from gateway.signing import jws
from gateway.strict_json import StrictJsonError

USABLE: Final = timedelta(hours=1)
SHORTEST_REST: Final = timedelta(minutes=1)  # between two fetches for a key that is not there
PROVIDER_KEY_MEMBERS: Final = ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The members of a discovery document in use (OpenID Connect Discovery 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_itself: bool  # `iss` in authorization responses (RFC 9207)


class Directory:
    """The metadata and keys of one provider, fetched on demand."""

    def __init__(self, issuer: str, *, loopback: bool, route: FetchRoute | None = None) -> None:
        self.issuer = issuer
        self._host = urlsplit(issuer).hostname
        self._loopback = loopback
        self._route = route or FetchRoute()
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, list[Mapping[str, Any]]] | None = None
        self._fetching = asyncio.Lock()

    async def metadata(self, now: datetime) -> Metadata:
        """The provider's metadata; raises `IdentityUnavailableError`."""
        async with self._fetching:
            if self._metadata is None or now - self._metadata[0] >= USABLE:
                self._metadata = now, await self._discover()
            return self._metadata[1]

    async def key(self, header: Mapping[str, Any], now: datetime) -> Mapping[str, Any] | None:
        """The one key that fits a token's header; the keys are fetched again once if none does."""
        address = (await self.metadata(now)).jwks_uri
        async with self._fetching:
            for rest in (USABLE, SHORTEST_REST):
                if self._keys is None or now - self._keys[0] >= rest:
                    self._keys = now, await self._fetch_keys(address)
                found = [jwk for jwk in self._keys[1] if _fits(jwk, header)]
                if len(found) == 1:
                    return found[0]
        return None

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """POST a form and read the JSON object in the answer; raises `UnfetchableError`."""
        own = self._is_own(url)
        return _json_object(
            await post(url, form, headers, loopback=self._loopback, private=own, route=self._route)
        )

    async def _discover(self) -> Metadata:
        found = await self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:
            raise IdentityUnavailableError("The discovery document is of another issuer.")
        methods = found.get("code_challenge_methods_supported", ["S256"])
        if not isinstance(methods, list) or "S256" not in methods:
            raise IdentityUnavailableError("The provider does not know PKCE with S256.")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        return Metadata(
            **{name: self._address(found.get(name), name) for name in names},
            names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, found: object, name: str) -> str:
        if not isinstance(found, str) or address_problem(
            found, loopback=self._loopback, private=True
        ):
            raise IdentityUnavailableError(f"The discovery document has no usable {name}.")
        return found

    async def _fetch_keys(self, address: str) -> list[Mapping[str, Any]]:
        keys = (await self._get(address)).get("keys")
        if not isinstance(keys, list):
            raise IdentityUnavailableError("The provider's keys are no JWK set.")
        return [
            {name: jwk[name] for name in PROVIDER_KEY_MEMBERS if name in jwk}
            for jwk in keys
            if isinstance(jwk, dict)
        ]

    async def _get(self, url: str) -> Mapping[str, Any]:
        own = self._is_own(url)
        try:
            return _json_object(
                await get(url, loopback=self._loopback, private=own, route=self._route)
            )
        except UnfetchableError as error:
            raise IdentityUnavailableError(str(error)) from None

    def _is_own(self, url: str) -> bool:
        return urlsplit(url).hostname == self._host


def _fits(jwk: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    named = "kid" not in header or jwk.get("kid") == header["kid"]
    return named and jws.may_verify(jwk, str(header.get("alg")))


def _json_object(fetched: Fetched) -> Mapping[str, Any]:
    try:
        found = strict_json.parse(fetched.body)
    except StrictJsonError:
        found = None
    if not isinstance(found, dict):
        raise UnfetchableError("It answered with something that is no JSON object.")
    return found
