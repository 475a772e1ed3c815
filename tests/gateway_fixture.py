"""Gateway fixture: a whole gateway over a synthetic province, in process and on a socket.

Clients sign with PyJWT, independently of the gateway's code. Every answer under /v1 is verified as the
SDK does before a test sees it, so an unsigned or wrongly signed answer fails the test; so does one whose
headers are not those of the OpenAPI document.
"""

import contextlib
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx2
import orjson
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from sqlalchemy import func, literal, select, text, union_all

import consent
from consent import Purpose, Request
from consent import store as consents
from gateway.access.serializers.timestamps import SHANGHAI
from gateway.app import create_app
from gateway.clients import registry
from gateway.clients.registration import Registration
from gateway.clients.terms import Terms
from gateway.db.metadata import metadata
from gateway.disclosure import consent_log_writer
from gateway.http1.server import SERVER_OPTIONS
from gateway.open_runtime import close_runtime, open_runtime
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from gateway.synthetic.demo.seed import Kit, seed_demo
from gateway.synthetic.demo.state import SEED, DemoFolder
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from gateway.verifications.schemas import MAX_QUESTIONS
from tests.clock import Clock
from tests.consent_grants import Grant, insert_granted, person_of
from tests.consent_leaf_checks import without_their_leaf
from tests.databases import new_database as new_database  # noqa: PLC0414  # some import it from here
from tests.oauth_builders import ASSERTION_TYPE, digest_of, public_jwk, sign_jwt
from tests.openapi_description import ApiDescription
from tests.waiting import PATIENCE
from verification import QUESTIONS
from xinqiao._core.signatures.exchange import Exchange, sha256_digest
from xinqiao._core.signatures.http_signatures import read_claims, verify_signature
from xinqiao._core.signatures.keys import KeySet

QuestionValue = str | Mapping[str, str]
"""The value of a question on the wire: a text or band, or of a group an object of texts."""
ENTITIES: Final = 300
SCOPES: Final = ("query", "verify", "consents", "changes", "records:write", "codes")
OF_THE_LOG: Final = {
    "pending_leaf",
    "log_entry",
    "log_node",
    "checkpoint",
    "turned_away",
    "change_feed",
    "client_activity",
    "anomaly",
    "changed_file",
}
"""Tables that background tasks write at any time: the sequencer, refusal counts, anomalies, watches."""
UNKNOWN: Final = "91330106MA2CXXXX16"
"""A well-formed code that no enterprise of the province has."""
_SKEW: Final = timedelta(minutes=5)


@dataclass(slots=True, kw_only=True)
class GatewayFixture:
    """A running gateway, with builders for clients, consents and records in its database."""

    app: FastAPI
    settings: Settings
    kit: Kit
    entities: tuple[SyntheticEnterprise, ...]
    clock: Clock
    http: httpx2.AsyncClient
    listening: socket.socket

    @property
    def runtime(self) -> Runtime:
        """The gateway's runtime."""
        runtime: Runtime = self.app.state.runtime
        return runtime

    @property
    def issuer(self) -> str:
        """Issuer URL."""
        return self.settings.issuer

    def entity(self, *traits: str, but: Sequence[str] = ()) -> SyntheticEnterprise:
        """The first enterprise with all these traits and none of `but`."""
        return next(e for e in self.entities if set(traits) <= e.traits and not e.traits & set(but))

    def uscc(self, *traits: str) -> str:
        """USCC of that enterprise."""
        return self.entity(*traits).enterprise.uscc

    def subject(self, *traits: str) -> dict[str, Any]:
        """The kit's first subject with these traits."""
        return next(s for s in self.kit["subjects"] if set(traits) <= set(s["traits"]))

    async def client(self, role: str = "bank", *, agreed: bool = True, **terms: Any) -> "Caller":
        """A new client in this role with an agreement; `terms` change the agreement."""
        cast = next(r for r in DEMO_CLIENTS if r.key == role)
        caller = Caller(
            gateway=self,
            client_id=f"{role}-{secrets.token_hex(6)}",
            key=ec.generate_private_key(ec.SECP256R1()),
            proof_key=ec.generate_private_key(ec.SECP256R1()),
        )
        registration = Registration(
            client_id=caller.client_id,
            kind=cast.kind,
            name_zh=cast.name_zh,
            name_en=cast.name_en,
            jwks={"keys": [public_jwk(caller.key, kid="k1")]},
            scopes=SCOPES,
            redirect_uris=("https://bank.test/callback",),
            filing=cast.filing,
        )
        async with self.runtime.engine.begin() as connection:
            await registry.register_client(connection, registration, now=self.clock())
            if agreed:
                own = replace(terms_of(cast, self.clock()), **terms)
                await registry.put_agreement(connection, caller.client_id, own)
        return caller

    async def agree(self, caller: "Caller", terms: Terms) -> None:
        """Put a new version of a client's agreement."""
        async with self.runtime.engine.begin() as connection:
            await registry.put_agreement(connection, caller.client_id, terms)

    async def grant(
        self,
        caller: "Caller",
        uscc: str,
        *,
        purpose: str = "loan_approval",
        datasets: Sequence[str] = ("registration", "licence", "penalty"),
        questions: Sequence[str] = (),
        max_uses: int | None = 10,
        days: float = 100,
        granted_days_ago: float = 0,
        named: Sequence[str] | None = None,
        separate: Sequence[str] | None = None,
        retention_days: int | None = None,
    ) -> str:
        """Grant a consent that is valid for `days`; its id.

        `named` are the fields that its page listed, as `dataset.field`; `separate` the items consented
        to separately, by default every one that needs it.
        """
        now = self.clock() - timedelta(days=granted_days_ago)
        given = Grant(
            asked=Request(
                client_id=caller.client_id,
                uscc=uscc,
                purpose=Purpose(purpose),
                datasets=tuple(datasets),
                questions=tuple(questions),
                valid_until=now + timedelta(days=days),
                max_uses=max_uses,
            ),
            kind=next((e.enterprise.kind for e in self.entities if e.uscc == uscc), "firm"),
            separate=separate,
            named=named,
            retention_days=retention_days,
        )
        async with self.runtime.engine.begin() as connection:
            return await insert_granted(connection, given, self.runtime.catalogue, now=now)

    async def act(
        self,
        act: Callable[..., consent.Transition | consent.Refused],
        consent_id: str,
    ) -> None:
        """Perform an act of the enterprise on its consent (`consent.withdraw`, `consent.pause`, …)."""
        async with self.runtime.engine.begin() as connection:
            held = await consents.by_id(connection, consent_id)
            assert held is not None
            changed = act(held, person=person_of(held.uscc), now=self.clock())
            assert isinstance(changed, consent.Transition), changed
            assert await consent_log_writer.save(connection, held, changed)

    async def uses(self, consent_id: str) -> int:
        """Number of uses spent."""
        async with self.runtime.engine.connect() as connection:
            held = await consents.by_id(connection, consent_id)
        assert held is not None
        return held.uses

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of an SQL statement."""
        async with self.runtime.engine.begin() as connection:
            found = await connection.execute(text(sql), values)
            return [dict(row) for row in found.mappings()] if found.returns_rows else []

    async def log_of(self, caller: "Caller") -> list[dict[str, Any]]:
        """Disclosure log rows of this client, in order."""
        return await self.rows(
            "SELECT * FROM disclosure WHERE client_id = :client ORDER BY at, disclosure_id",
            client=caller.client_id,
        )

    async def counts(self) -> dict[str, int]:
        """Row counts of all tables in one snapshot."""
        each = [
            select(literal(table.name).label("name"), func.count().label("rows")).select_from(table)
            for table in metadata.sorted_tables
        ]
        async with self.runtime.engine.connect() as connection:
            return {row.name: row.rows for row in await connection.execute(union_all(*each))}

    async def nonce(self) -> str:
        """A valid DPoP nonce."""
        generation = await self.runtime.limiter.generation()
        return self.runtime.nonces.issue(generation, self.clock())

    def checked(self, response: httpx2.Response) -> httpx2.Response:
        """Assert that the answer is signed and bound to its request; returns it."""
        exchange = Exchange.of(response)
        if exchange.request_body and "content-digest" not in exchange.request_headers:
            # A request without a digest: the signature then says nothing of its body.
            exchange = replace(exchange, request_body=b"")
        claimed = read_claims(exchange)
        keys = KeySet.read(self.runtime.keys.published())
        key = keys.get(claimed.keyid)
        assert key is not None
        verify_signature(exchange, claimed, key, earliest=None, latest=self.clock() + _SKEW)
        return response


@dataclass(slots=True, kw_only=True)
class Caller:
    """A client's calls: valid unless a test changes a part."""

    gateway: GatewayFixture
    client_id: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    proof_key: ec.EllipticCurvePrivateKey = field(repr=False)
    http: httpx2.AsyncClient | None = None
    _tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict, repr=False)

    async def token(self, scope: str = "query verify") -> str:
        """An access token, renewed before it expires."""
        now = self.gateway.clock()
        token, until = self._tokens.get(scope, ("", now))
        if until > now + timedelta(seconds=30):
            return token
        answer = await self._ask_for_token(scope)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        fresh = str(body["access_token"])
        self._tokens[scope] = fresh, now + timedelta(seconds=body["expires_in"])
        return fresh

    def forget_tokens(self) -> None:
        """Have the next call use a new token."""
        self._tokens.clear()

    async def proof(self, method: str, path: str, token: str | None, **changes: Any) -> str:
        """A DPoP proof; a claim of `None` is left out."""
        made = {
            "htm": method,
            "htu": self.gateway.issuer + path,
            "iat": int(self.gateway.clock().timestamp()),
            "jti": secrets.token_urlsafe(16),
            "nonce": changes.pop("nonce") if "nonce" in changes else await self.gateway.nonce(),
            "ath": digest_of(token) if token else None,
        }
        header = {"typ": "dpop+jwt", "jwk": public_jwk(self.proof_key)}
        return sign_jwt(self.proof_key, "ES256", made | changes, header)

    async def headers(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        scope: str = "query verify",
    ) -> dict[str, str]:
        """Headers of an authorised call."""
        token = await self.token(scope)
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": await self.proof(method, path, token),
        }
        if method in {"POST", "PUT"}:
            headers["Content-Type"] = "application/json"
        if body:
            headers["Content-Digest"] = sha256_digest(body)
        return headers

    async def send(
        self,
        path: str,
        body: Mapping[str, Any] | bytes,
        *,
        method: str = "POST",
        scope: str = "query verify",
        headers: Mapping[str, str | None] | None = None,
    ) -> httpx2.Response:
        """Send a call; `headers` replace those of an authorised call, `None` leaves one out."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        right = await self.headers(method, path.partition("?")[0], raw, scope=scope)
        changed = {**right, **(headers or {})}
        sent = {name: value for name, value in changed.items() if value is not None}
        http = self.http or self.gateway.http
        return self.gateway.checked(
            await http.request(method, path, content=raw, headers=sent),
        )

    async def verify(
        self,
        uscc: str,
        *questions: str | tuple[str, QuestionValue],
        purpose: str = "loan_approval",
        **more: Any,
    ) -> httpx2.Response:
        """Call POST /v1/verifications."""
        return await self.send(
            "/v1/verifications", verification_body(uscc, *questions, purpose=purpose), **more
        )

    async def answers(
        self,
        uscc: str,
        *questions: str | tuple[str, QuestionValue],
        purpose: str = "loan_approval",
    ) -> list[str]:
        """Answers to these questions, without the rest."""
        response = await self.verify(uscc, *questions, purpose=purpose)
        assert response.status_code == 200, response.text
        return [each["answer"] for each in response.json()["answers"]]

    async def query(
        self,
        uscc: str,
        *datasets: str,
        headers: Mapping[str, str | None] | None = None,
        **members: Any,
    ) -> httpx2.Response:
        """Call POST /v1/queries; `members` are further members of the body."""
        return await self.send(
            "/v1/queries",
            query_body(uscc, *datasets, **members),
            headers=headers,
        )

    def assertion(self) -> str:
        """A client assertion."""
        now = int(self.gateway.clock().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.gateway.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return sign_jwt(self.key, "ES256", claims, {"kid": "k1"})

    async def _ask_for_token(self, scope: str) -> httpx2.Response:
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        proof = await self.proof("POST", "/oauth/token", None)
        return await self.gateway.http.post("/oauth/token", data=form, headers={"DPoP": proof})


def every_question() -> list[list[str | tuple[str, QuestionValue]]]:
    """Every question of the catalogue with a valid value, up to the limit of a call."""
    asked: list[str | tuple[str, QuestionValue]] = []
    for each in QUESTIONS:
        members = dict.fromkeys((element.name for element in each.elements), "王一")
        asked.append(
            each.tag
            if each.offers(None)
            else (each.tag, members or (each.values[-1] if each.values else "521"))
        )
    return [asked[first : first + MAX_QUESTIONS] for first in range(0, len(asked), MAX_QUESTIONS)]


def verification_body(
    uscc: str,
    *questions: str | tuple[str, QuestionValue],
    purpose: str = "loan_approval",
) -> dict[str, Any]:
    """Body of a verification."""
    asked = [(each, None) if isinstance(each, str) else each for each in questions]
    return {
        "enterprise": {"uscc": uscc},
        "purpose": purpose,
        "questions": [
            {"question": tag} | ({} if value is None else {"value": value}) for tag, value in asked
        ],
    }


def query_body(uscc: str, *datasets: str, **members: Any) -> dict[str, Any]:
    """Body of a query."""
    return {
        "enterprise": {"uscc": uscc},
        "purpose": "loan_approval",
        "datasets": list(datasets or ("registration", "licence", "penalty")),
        **members,
    }


async def _described(document: ApiDescription, response: httpx2.Response) -> None:
    """Assert that the document has the headers and the JSON body of an answer, if it has its status."""
    call = response.request
    path = call.url.raw_path.decode().partition("?")[0]  # as spelt: %2F parts no segments
    found = document.headers(call.method, path, response.status_code, response.headers)
    assert not found, (call.method, call.url.path, response.status_code, found)
    if response.headers.get("content-type") == "application/json" and call.method != "HEAD":
        body = await response.aread()
        problem = document.body_problem(call.method, path, response.status_code, body)
        assert problem is None, (call.method, call.url.path, response.status_code, problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltGateway:
    """A database with a province and clients, and settings to serve it."""

    settings: Settings
    kit: Kit


async def build_gateway(
    url: str, folder: Path, port: int, entities: int = ENTITIES
) -> BuiltGateway:
    """Build a demo's province and clients in the empty, migrated database at `url`."""
    room = DemoFolder(folder)
    state = replace(room.open(port=None, entities=entities), port=port)
    # A busy machine takes its time; tests of time limits have limits of their own.
    patient = {"request_timeout": int(PATIENCE)}
    settings = room.settings(state, url).model_copy(update=patient)
    runtime = await open_runtime(settings)
    try:
        kit = await seed_demo(runtime, room, state, lambda _: None)
    finally:
        await close_runtime(runtime)
    return BuiltGateway(settings=settings, kit=kit)


@asynccontextmanager
async def in_process(
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    app: FastAPI | None = None,
) -> AsyncIterator[tuple[FastAPI, httpx2.AsyncClient]]:
    """The application with its lifespan, and an HTTP client that calls it in process."""
    app = app or create_app(settings)
    async with app.router.lifespan_context(app):
        app.state.runtime = replace(app.state.runtime, now=clock)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=settings.issuer) as http:
            yield app, http


@asynccontextmanager
async def open_gateway(
    url: str, *, prepare: Callable[[str], Awaitable[None]] | None = None
) -> AsyncIterator[GatewayFixture]:
    """A gateway with a province of its own on the server of `url`; `prepare` changes its schema."""
    folder = Path(tempfile.mkdtemp(prefix="xq-gateway-"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
        database = await new_database(url)
        if prepare is not None:
            await prepare(database)
        built = await build_gateway(database, folder / "state", port)
        clock = Clock()
        async with in_process(built.settings, clock) as (app, http):
            http.event_hooks = {"response": [partial(_described, ApiDescription(app.openapi()))]}
            today = clock().astimezone(SHANGHAI).date()
            catalogue = app.state.runtime.catalogue
            made = GatewayFixture(
                app=app,
                settings=built.settings,
                kit=built.kit,
                clock=clock,
                http=http,
                entities=tuple(province(SEED, ENTITIES, today=today, catalogue=catalogue)),
                listening=listening,
            )
            yield made
            # Whatever the tests of the session did: no event of a consent is outside the log.
            assert not await without_their_leaf(made.runtime.engine)
    shutil.rmtree(folder, ignore_errors=True)


class Server(uvicorn.Server):
    """Uvicorn server in a thread, with an event for its start."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(uvicorn.Config(app, log_level="critical", **SERVER_OPTIONS))
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Signal that the server listens."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def listening_on(self, bound: socket.socket) -> Iterator[None]:
        """Serve on a bound socket inside the block."""
        thread = threading.Thread(target=self.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            assert self.ready.wait(PATIENCE), "the gateway did not start"
            yield
        finally:
            self.should_exit = True
            thread.join(PATIENCE)
