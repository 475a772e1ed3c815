"""OAuth fixture: a running authorization server with a movable clock, and bank clients.

Banks sign with PyJWT and cryptography, independently of the gateway's code.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fastapi import FastAPI
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from sqlalchemy import text

from consent import DisplayedText, Person
from gateway import problems
from gateway.clients import registry
from gateway.clients.agreements import AgreementCache
from gateway.clients.registration import Registration
from gateway.clients.terms import Terms
from gateway.creditfile.catalogue import load_catalogue
from gateway.db.engine import make_engine
from gateway.db.prepared import HotDatabase
from gateway.identity import interactions, sessions
from gateway.identity.sessions import Identity
from gateway.limits.memory_store import MemoryStore
from gateway.oauth.routes import router
from gateway.portal.consents.apply_decision import apply_decision
from gateway.portal.consents.decision import Choice, Decider
from gateway.portal.consents.pushed_consent import request_by_redirect
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.signing.access_tokens import TokenVerifier
from gateway.signing.decryption_keys import DecryptionKeys
from gateway.signing.dpop_nonces import DpopNonces
from gateway.signing.keyed_digests import KeyedDigests
from gateway.signing.keys import KeyRing, new_key_file
from tests.clock import Clock
from tests.log_builders import make_checkpoint_folder

ISSUER = "https://credit.test"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REDIRECT_URI = "https://bank.test/callback?tenant=7"
USCC = "91330106MA2CXXXX16"
SECRET = "a secret that only these tests have"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_SCOPES = ("verify", "query", "consents")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthFixture:
    """A running authorization server."""

    app: FastAPI
    runtime: Runtime
    http: httpx2.AsyncClient
    clock: Clock

    async def nonce(self) -> str:
        """A valid DPoP nonce."""
        generation = await self.runtime.limiter.generation()
        return self.runtime.nonces.issue(generation, self.clock())

    async def bank(self, **changes: Any) -> "Bank":
        """A registered client with an agreement."""
        bank = make_bank(self, **changes)
        async with self.runtime.engine.begin() as connection:
            await registry.register_client(
                connection,
                Registration(
                    client_id=bank.client_id,
                    kind="bank",
                    name_zh="测试银行",
                    name_en="Test Bank",
                    jwks={"keys": [public_jwk(bank.key, kid="k1")]},
                    scopes=_SCOPES,
                    redirect_uris=(REDIRECT_URI,),
                ),
                now=self.clock(),
            )
            await registry.put_agreement(connection, bank.client_id, some_terms(self.clock()))
        return bank

    async def value(self, sql: str, **values: Any) -> Any:
        """A single value from the database."""
        async with self.runtime.engine.connect() as connection:
            return (await connection.execute(text(sql), values)).scalar_one_or_none()

    async def change(self, sql: str, **values: Any) -> None:
        """Execute an SQL statement directly in the database."""
        async with self.runtime.engine.begin() as connection:
            await connection.execute(text(sql), values)


def some_terms(now: datetime, **changes: Any) -> Terms:
    """Agreement terms that cover `make_consent_request`."""
    terms = Terms(
        purposes=frozenset({"loan_approval"}),
        datasets=frozenset({"registration", "penalty"}),
        questions=frozenset({"is_active.v1"}),
        valid_from=now - timedelta(days=1),
        valid_until=now + timedelta(days=365),
    )
    return replace(terms, **changes)


@asynccontextmanager
async def open_oauth(url: str, folder: Path, **settings: Any) -> AsyncIterator[OAuthFixture]:
    """A server of its own on the database at `url`."""
    keys_file = folder / "keys.json"
    keys_file.write_text(new_key_file())
    chosen = Settings(
        database_url=url,
        issuer=ISSUER,
        secret=SECRET,
        signing_keys=keys_file,
        vault_keys=keys_file,
        log_checkpoints=(make_checkpoint_folder(folder),),
        **{"request_timeout": 120, **settings},  # a busy machine takes its time
    )
    clock = Clock()
    digests = KeyedDigests(SECRET)
    keys = KeyRing.read(keys_file)
    hot = await HotDatabase.open(url, size=2)
    runtime = Runtime(
        settings=chosen,
        engine=make_engine(url, pool_size=10),
        background=make_engine(url, pool_size=1),
        hot=hot,
        keys=keys,
        digests=digests,
        catalogue=load_catalogue(),
        vault=Vault(VaultKeys.parse(Vault.generate_keys())),
        limiter=MemoryStore(clock),
        agreements=AgreementCache(hot),
        decryption_keys=DecryptionKeys.read(keys_file),
        tokens=TokenVerifier(keys, ISSUER),
        nonces=DpopNonces(digests.key("nonce")),
        now=clock,
    )
    app = _idle.pop() if _idle else _make_app()
    app.state.runtime = runtime
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as http:
        yield OAuthFixture(app=app, runtime=runtime, http=http, clock=clock)
    _idle.append(app)
    await runtime.engine.dispose()
    await runtime.background.dispose()
    await hot.close()


_idle: list[FastAPI] = []
"""Idle applications to reuse: their only state is the runtime, and they start slowly."""


def _make_app() -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    problems.install(app)
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A started authorization code flow."""

    request_uri: str
    verifier: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A client; its requests are valid unless a test changes a part."""

    oauth: OAuthFixture
    client_id: str
    key: Key = field(repr=False)
    alg: str
    proof_key: Key = field(repr=False)

    def assertion(self, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A client assertion; a claim of `None` is left out."""
        now = int(self.oauth.clock().timestamp())
        made = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return sign_jwt(self.key, self.alg, made | claims, {"kid": "k1"} | dict(header or {}))

    async def proof(
        self, path: str, *, header: Mapping[str, Any] | None = None, **claims: Any
    ) -> str:
        """A DPoP proof for a POST to `path`; a claim of `None` is left out."""
        made = {
            "htm": "POST",
            "htu": ISSUER + path,
            "iat": int(self.oauth.clock().timestamp()),
            "jti": secrets.token_urlsafe(16),
            "nonce": await self.oauth.nonce(),
        }
        own = {"typ": "dpop+jwt", "jwk": public_jwk(self.proof_key)}
        return sign_jwt(self.proof_key, "ES256", made | claims, own | dict(header or {}))

    async def post(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        assertion: str | None = None,
        proof: str | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """POST as this client, with a proof."""
        fields = {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
            **form,
        }
        headers = {"DPoP": proof or await self.proof(path)}
        return await self.oauth.http.post(path, data=fields, headers=headers, **more)

    async def token(self, *, scope: str | None = None, **more: Any) -> httpx2.Response:
        """Request a client_credentials token."""
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        return await self.post("/oauth/token", form, **more)

    def request(self, **changes: str | None) -> dict[str, str]:
        """Authorization request parameters; one of `None` is left out."""
        made: dict[str, str | None] = {
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "state": "st/at é",
            "code_challenge": challenge_of("v" * 43),
            "code_challenge_method": "S256",
            "authorization_details": json.dumps([make_consent_request()]),
        }
        return {name: value for name, value in (made | changes).items() if value is not None}

    async def push(self, **changes: str | None) -> httpx2.Response:
        """Push an authorization request, with a proof."""
        return await self.post("/oauth/par", self.request(**changes))

    async def push_unproven(self, **changes: str | None) -> httpx2.Response:
        """Push an authorization request without a proof."""
        form = self.request(**changes) | {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        return await self.oauth.http.post("/oauth/par", data=form)

    async def pushed(self, **changes: str | None) -> str:
        """Push an authorization request that must succeed; its `request_uri`."""
        answer = await self.push(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["request_uri"])

    async def open(self, request_uri: str, **more: str) -> httpx2.Response:
        """Open the authorization endpoint in a browser."""
        names = {"client_id": self.client_id, "request_uri": request_uri, **more}
        return await self.oauth.http.get("/oauth/authorize", params=names)

    async def code(self, *, grant: bool = True, **changes: str | None) -> str:
        """Run the flow up to the code, or to the error if the enterprise refuses."""
        opened = await self.open(await self.pushed(**changes))
        back = await decide_and_resume(self.oauth, interaction_of(opened), grant=grant)
        answer = answer_of(back)
        return answer["code"] if grant else answer["error"]

    async def redeem(self, code: str, *, verifier: str = "v" * 43, **more: Any) -> httpx2.Response:
        """Redeem a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": verifier,
        } | more.pop("form", {})
        return await self.post("/oauth/token", form, **more)

    async def refresh(self, refresh_token: str, **more: Any) -> httpx2.Response:
        """Use a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self.post("/oauth/token", form | more.pop("form", {}), **more)

    async def about(self, endpoint: str, token: str) -> httpx2.Response:
        """Introspect or revoke a token."""
        form = {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
            "token": token,
        }
        return await self.oauth.http.post(f"/oauth/{endpoint}", data=form)


def make_bank(oauth: OAuthFixture, **changes: Any) -> Bank:
    """An unregistered client."""
    bank = Bank(
        oauth=oauth,
        client_id=f"bank-{secrets.token_hex(6)}",
        key=ec.generate_private_key(ec.SECP256R1()),
        alg="ES256",
        proof_key=ec.generate_private_key(ec.SECP256R1()),
    )
    return replace(bank, **changes)


def make_consent_request(**changes: Any) -> dict[str, Any]:
    """One `credit_data` authorization detail; a member of `None` is left out."""
    made = {
        "type": "credit_data",
        "enterprise": {"uscc": USCC},
        "purpose": "loan_approval",
        "datasets": ["registration", "penalty"],
        "questions": ["is_active.v1"],
        "valid_until": (datetime.now(UTC) + timedelta(days=100)).isoformat(),
        "max_uses": 10,
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


async def make_session(oauth: OAuthFixture) -> str:
    """Session cookie of a person who may act for the enterprise."""
    who = Identity(
        subject="person-1",
        name="法定代表人",
        mandates=[{"uscc": USCC, "role": "legal_representative"}],
        token_digest=b"\x01" * 32,
    )
    async with oauth.runtime.engine.begin() as connection:
        return await sessions.begin(connection, oauth.runtime.digests, who, now=oauth.clock())


async def decide_and_resume(
    oauth: OAuthFixture, interaction_id: str, *, grant: bool = True
) -> httpx2.Response:
    """Decide an interaction as the portal does, and resume the authorization."""
    cookie = await make_session(oauth)
    await decide(oauth, interaction_id, cookie, grant=grant)
    return await resume(oauth, interaction_id, cookie)


async def decide(
    oauth: OAuthFixture, interaction_id: str, cookie: str, *, grant: bool = True
) -> None:
    """Decide an interaction as the portal does; a grant leaves the penalties out."""
    runtime, now = oauth.runtime, oauth.clock()
    async with runtime.engine.begin() as connection:
        digests, jar = runtime.digests, {sessions.COOKIE: cookie}
        session = await sessions.current(connection, digests, runtime.settings, jar, now=now)
        interaction = await interactions.find(connection, digests, interaction_id)
        assert session is not None
        assert interaction is not None
        own = session.digest
        assert await interactions.bind_session(connection, interaction, session_digest=own, now=now)
        asked = await request_by_redirect(connection, interaction, USCC, now=now)
        assert asked is not None
        scope = replace(asked.scope, datasets=("registration",))
        choice = Choice(scope=scope if grant else None)
        decider = Decider(
            person=Person(
                subject="person-1",
                uscc=USCC,
                channel=asked.channel,
                identity_token_digest=b"\x01" * 32,
            ),
            session_digest=own,
            shown=DisplayedText(text_version="2026.1", language="zh"),
        )
        problem = await apply_decision(
            connection, asked, choice, decider, interaction=interaction, now=now
        )
        assert problem is None, problem


async def resume(oauth: OAuthFixture, interaction_id: str, cookie: str) -> httpx2.Response:
    """Resume the authorization after a decision."""
    return await oauth.http.get(
        "/oauth/resume",
        params={"interaction": interaction_id},
        headers={"Cookie": f"{sessions.COOKIE}={cookie}"},
    )


def interaction_of(opened: httpx2.Response) -> str:
    """The interaction opened by the authorization endpoint."""
    assert opened.status_code == 303, opened.text
    return urlsplit(opened.headers["location"]).path.removeprefix("/portal/decide/")


def answer_of(back: httpx2.Response) -> dict[str, str]:
    """Parameters of a redirect to the client."""
    assert back.status_code == 303, back.text
    return dict(parse_qsl(urlsplit(back.headers["location"]).query))


def sign_jwt(key: Key, alg: str, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """A compact JWT; members of `None` are left out."""
    body = {name: value for name, value in claims.items() if value is not None}
    head = {name: value for name, value in header.items() if value is not None}
    return jwt.encode(body, key, algorithm=alg, headers=head)


def public_jwk(key: Key, **more: str) -> dict[str, Any]:
    """Public part of a key as a JWK."""
    public: Any = key.public_key()
    makers: dict[type, Any] = {
        ec.EllipticCurvePrivateKey: ECAlgorithm,
        rsa.RSAPrivateKey: RSAAlgorithm,
        ed25519.Ed25519PrivateKey: OKPAlgorithm,
    }
    maker = next(made for kind, made in makers.items() if isinstance(key, kind))
    jwk: dict[str, Any] = maker.to_jwk(public, as_dict=True)
    return {name: value for name, value in jwk.items() if name != "key_ops"} | more


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """RFC 7638 thumbprint of an EC key."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return digest_of(json.dumps(members, sort_keys=True, separators=(",", ":")))


def challenge_of(verifier: str) -> str:
    """S256 challenge of a code verifier."""
    return digest_of(verifier)


def digest_of(value: str) -> str:
    """SHA-256 in base64url."""
    digest = hashlib.sha256(value.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    """Claims of a JWT, unverified."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
