"""Verifications and queries, each with a DPoP proof of its own, made by the SDK's code."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from typing import Any, Final

import orjson

from tests.bench.http_requests import post_request
from tests.bench.options import BANK, KIT_CLIENT, QUERY_SCOPE, SCOPE
from xinqiao import Client
from xinqiao._core.signatures.exchange import sha256_digest
from xinqiao._core.signatures.jose import SigningKey, dpop_proof

Headers = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A client of the kit, and the scope of its tokens."""

    client: str
    scope: str


PLATFORM: Final = Role(client=KIT_CLIENT, scope=SCOPE)
QUERYING_BANK: Final = Role(client=BANK, scope=QUERY_SCOPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCredentials:
    """Access token, nonce and DPoP key of one client, valid for about a minute."""

    key: SigningKey
    issuer: str
    token: str
    nonce: str

    def headers(self, path: str) -> Headers:
        """The headers of one call, with a fresh proof."""
        proof = dpop_proof(
            self.key,
            method="POST",
            uri=f"{self.issuer}{path}",
            now=time.time(),
            jti=secrets.token_urlsafe(24),
            nonce=self.nonce,
            access_token=self.token,
        )
        return {
            "Content-Type": "application/json",
            "Authorization": f"DPoP {self.token}",
            "DPoP": proof,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequests:
    """Builder of `count` calls of `path`, about the enterprises in turn."""

    role: Role
    kit: bytes
    jwk: Mapping[str, str]
    bodies: tuple[bytes, ...]
    path: str
    port: int
    count: int
    as_sdk: bool

    def build(self) -> list[bytes]:
        """See `RequestSource`."""
        pass_ = _shared_source(self.role, self.kit, tuple(sorted(self.jwk.items())))()
        requests = []
        for body in islice(cycle(self.bodies), self.count):
            headers = pass_.headers(self.path)
            if self.as_sdk:
                headers = with_sdk_headers(headers, body)
            requests.append(post_request(self.path, self.port, headers, body))
        return requests


def credentials_source(
    kit: Mapping[str, Any], jwk: Mapping[str, str], role: Role = PLATFORM
) -> Callable[[], CallCredentials]:
    """Source of a kit client's credentials; the token is renewed when it expires."""
    client = Client.from_kit(kit, role.client, scope=role.scope, dpop_key=jwk)
    key = SigningKey.of(jwk)

    def fresh() -> CallCredentials:
        headers = client.headers_for("POST", "/v1/verifications", content=b"{}")
        claims = headers["dpop"].split(".")[1]
        nonce = json.loads(base64.urlsafe_b64decode(claims + "=="))["nonce"]
        token = headers["authorization"].removeprefix("DPoP ")
        return CallCredentials(key=key, issuer=client.issuer, token=token, nonce=nonce)

    return fresh


def with_sdk_headers(headers: Headers, body: bytes) -> Headers:
    """Headers with those that the SDK adds to a call that spends a use."""
    own = {"Content-Digest": sha256_digest(body), "Idempotency-Key": secrets.token_urlsafe(24)}
    return headers | own


@cache
def _shared_source(
    role: Role, kit: bytes, jwk: tuple[tuple[str, str], ...]
) -> Callable[[], CallCredentials]:
    """One source for all windows, so that they share a token."""
    read: dict[str, Any] = orjson.loads(kit)
    return credentials_source(read, dict(jwk), role)
