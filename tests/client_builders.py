"""Client builders: key servers on real sockets, operators with tokens, agreements."""

import asyncio
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.admin.schemas import FilingIn
from gateway.clients import registry
from gateway.clients.client_details import change
from gateway.clients.filing import Filing
from gateway.clients.registration import Registration
from gateway.clients.terms import Terms
from gateway.limits.quotas import Quotas
from gateway.safe_fetch import FetchRoute
from tests.gateway_fixture import Caller, GatewayFixture
from tests.oauth_builders import public_jwk
from tests.waiting import PATIENCE

HOST = "keys.bank.test"
PUBLIC = "93.184.216.34"
FILING = {
    "kind": "enterprise_credit_reporting",
    "authority": "中国人民银行浙江省分行（合成）",
    "number": "浙征信备〔2026〕1号",
    "checked_on": "2026-01-05",
    "valid_until": "2099-12-31",
}
"""A filing of an agency, as the admin API and a manifest have it."""
FILING_OPTIONS = tuple(
    part for name, value in FILING.items() for part in (f"--filing-{name.replace('_', '-')}", value)
)
"""The same, as options of `client register`."""
Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


def make_filing(**changes: Any) -> Filing:
    """The same, as a value."""
    return FilingIn.model_validate(FILING | changes).to_filing()


async def set_active(connection: AsyncConnection, client_id: str, *, active: bool) -> None:
    """Suspend or resume a client directly in the database."""
    await change(connection, client_id, {"state": "active" if active else "suspended"})


def make_ec_key() -> ec.EllipticCurvePrivateKey:
    """A new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_set(*kids: str) -> dict[str, Any]:
    """A JWK set of new public keys with these ids."""
    return {"keys": [public_jwk(make_ec_key(), kid=kid) for kid in kids]}


def ok(document: Any, *headers: str) -> bytes:
    """A complete 200 response with this JSON."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(slots=True, kw_only=True)
class KeyServer:
    """Key server that answers as a test sets and records requests."""

    port: int = 0
    answer: bytes | Answering = b""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(self.answer, bytes):
                writer.write(self.answer)
                await writer.drain()
            else:
                await self.answer(writer)
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()


@dataclass(slots=True, kw_only=True)
class FakeInternet:
    """Fake internet: DNS names, addresses, and one server behind all addresses."""

    server: KeyServer
    trust: ssl.SSLContext
    addresses: list[list[str]] = field(default_factory=lambda: [[PUBLIC]])
    asked: list[str] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """URL of the key set."""
        return f"https://{HOST}:{self.server.port}/jwks.json"

    def way(self, **changes: Any) -> FetchRoute:
        """Resolver and connector to pass to the fetcher."""
        made = FetchRoute(
            resolve=self._resolve,
            connect=self._connect,
            trust=lambda: self.trust,
            timeout=PATIENCE,
        )
        return replace(made, **changes)

    async def _resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return self.addresses[min(len(self.asked), len(self.addresses)) - 1]

    async def _connect(self, address: str, port: int) -> httpcore2.AsyncNetworkStream:
        self.dialled.append(address)
        return await httpcore2.AnyIOBackend().connect_tcp("127.0.0.1", port)


@asynccontextmanager
async def make_key_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[KeyServer]:
    """A listening key server; without `tls` over plain HTTP."""
    made = KeyServer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


@asynccontextmanager
async def make_fake_internet(folder: Path, *, name: str = HOST) -> AsyncIterator[FakeInternet]:
    """A key server over TLS with a certificate for `name` from an authority of its own."""
    certificate, key = _certified(name)
    chain = folder / "server.pem"
    chain.write_bytes(certificate + key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain)
    trust = ssl.create_default_context(cadata=certificate.decode())
    async with make_key_server(tls) as server:
        yield FakeInternet(server=server, trust=trust)


async def make_operator(gateway: GatewayFixture, *scopes: str) -> Caller:
    """An operator client with an agreement that allows no data access."""
    caller = Caller(
        gateway=gateway,
        client_id=f"ops-{secrets.token_hex(6)}",
        key=make_ec_key(),
        proof_key=make_ec_key(),
    )
    now = gateway.clock()
    async with gateway.runtime.engine.begin() as connection:
        registration = Registration(
            client_id=caller.client_id,
            kind="operator",
            name_zh="运营",
            name_en="Operations",
            jwks={"keys": [public_jwk(caller.key, kid="k1")]},
            scopes=scopes or ("admin",),
        )
        await registry.register_client(connection, registration, now=now)
        terms = Terms(
            purposes=frozenset(),
            quotas=Quotas(per_minute=6_000),
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=30),
        )
        await registry.put_agreement(connection, caller.client_id, terms)
    return caller


async def post(
    operator: Caller, path: str, body: Mapping[str, Any] | None = None
) -> httpx2.Response:
    """POST to the admin API."""
    raw: Mapping[str, Any] | bytes = b"" if body is None else body
    return await operator.send(f"/v1/admin{path}", raw, scope="admin")


async def get(operator: Caller, path: str, *, scope: str = "admin") -> dict[str, Any]:
    """GET from the admin API."""
    answer = await operator.send(f"/v1/admin{path}", b"", method="GET", scope=scope)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def make_registration(**changes: Any) -> dict[str, Any]:
    """Registration body of a new bank; a member of `None` is left out."""
    own = secrets.token_hex(6)
    made = {
        "kind": "bank",
        "name_zh": f"测试银行 {own}",
        "name_en": f"Test Bank {own}",
        "scopes": ["query", "verify"],
        "jwks": make_set("k1"),
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def make_agreement(**changes: Any) -> dict[str, Any]:
    """An agreement as in a declaration file."""
    signed = {"name": "王芳", "role": "处长", "signed_on": "2026-01-05"}
    return {
        "purposes": ["loan_approval"],
        "datasets": ["registration", "penalty"],
        "questions": ["is_active.v1"],
        "quotas": {"per_minute": 100},
        "valid_from": "2026-01-01T00:00:00+08:00",
        "valid_until": f"{datetime.now(UTC) + timedelta(days=300):%Y-%m-%d}T00:00:00+08:00",
        "signatures": {"operator": signed, "client": {**signed, "name": "李强"}},
    } | changes


def _certified(name: str) -> tuple[bytes, bytes]:
    key = make_ec_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
