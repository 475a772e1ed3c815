"""Client certificates of a test authority, and clients that use them through a proxy.

`Client-Cert` headers are made with the package cryptography alone.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.clients import registry
from gateway.clients.authentication_method import Authentication
from gateway.clients.registration import Registration
from tests.oauth_builders import REDIRECT_URI, Bank, OAuthFixture, make_bank, public_jwk, some_terms

SUBJECT = "CN=acme-bank,O=Acme Bank,C=CN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def header(self) -> str:
        """`Client-Cert` header value (RFC 9440 §2.1)."""
        return f":{base64.b64encode(self.der).decode()}:"

    @property
    def thumbprint(self) -> str:
        """`x5t#S256` thumbprint (RFC 8705 §3.1)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.der).digest()).decode().rstrip("=")

    @property
    def jwk(self) -> dict[str, Any]:
        """The key as a JWK with its certificate in `x5c`."""
        chain = [base64.b64encode(self.der).decode()]
        return {**public_jwk(self.key, kid=self.thumbprint[:8]), "x5c": chain}

    def write(self, folder: Path, name: str) -> Path:
        """Write certificate and key to one PEM file."""
        file = folder / f"{name}.pem"
        file.write_bytes(
            self.certificate.public_bytes(serialization.Encoding.PEM)
            + self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file


def make_certificate(
    subject: str = SUBJECT,
    *,
    issuer: Holder | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
    alternatives: Sequence[x509.GeneralName] = (),
    days: tuple[float, float] = (-1, 30),
    authority: bool = False,
) -> Holder:
    """A certificate of `subject`, signed by `issuer` or self-signed, valid from `days` to `days`."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string(subject)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if alternatives:
        names = x509.SubjectAlternativeName(alternatives)
        builder = builder.add_extension(names, critical=False)
    made = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Holder(certificate=made, key=key)


def make_authority() -> Holder:
    """A certificate authority."""
    return make_certificate("CN=Test Authority,C=CN", authority=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsBank:
    """A client that authenticates by certificate; requests are valid unless a test changes a part."""

    bank: Bank
    holder: Holder

    @property
    def client_id(self) -> str:
        """Client id."""
        return self.bank.client_id

    @property
    def oauth(self) -> OAuthFixture:
        """The authorization server it calls."""
        return self.bank.oauth

    async def post(
        self,
        path: str,
        form: Mapping[str, str | None],
        *,
        holder: Holder | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        http: httpx2.AsyncClient | None = None,
    ) -> httpx2.Response:
        """POST as this client through the proxy; a parameter of `None` is left out."""
        fields = {"client_id": self.client_id, **form}
        return await (http or self.oauth.http).post(
            path,
            data={name: value for name, value in fields.items() if value is not None},
            headers={"Client-Cert": (holder or self.holder).header} if headers is None else headers,
        )

    async def token(self, **more: Any) -> httpx2.Response:
        """Request a client_credentials token."""
        form = {"grant_type": "client_credentials"} | more.pop("form", {})
        return await self.post("/oauth/token", form, **more)

    async def code(self, **more: Any) -> str:
        """Run the authorization code flow up to the code."""
        from tests.oauth_builders import answer_of, decide_and_resume, interaction_of

        pushed = await self.post("/oauth/par", self.bank.request(), **more)
        assert pushed.status_code == 201, pushed.text
        opened = await self.bank.open(pushed.json()["request_uri"])
        return answer_of(await decide_and_resume(self.oauth, interaction_of(opened)))["code"]

    async def redeem(self, code: str, **more: Any) -> httpx2.Response:
        """Redeem a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": "v" * 43,
        }
        return await self.post("/oauth/token", form, **more)

    async def refresh(self, refresh_token: str, **more: Any) -> httpx2.Response:
        """Use a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self.post("/oauth/token", form, **more)

    async def about(self, endpoint: str, token: str, **more: Any) -> httpx2.Response:
        """Introspect or revoke a token."""
        return await self.post(f"/oauth/{endpoint}", {"token": token}, **more)


async def make_tls_bank(
    oauth: OAuthFixture,
    holder: Holder,
    *,
    jwks: Mapping[str, Any] | None = None,
    bound: bool = True,
    **authentication: Any,
) -> TlsBank:
    """A registered client with an agreement, identified by its certificate's subject by default."""
    bank = make_bank(oauth, client_id=f"tls-{secrets.token_hex(6)}")
    own = {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": SUBJECT,
    }
    registration = Registration(
        client_id=bank.client_id,
        kind="bank",
        name_zh="测试银行",
        name_en="Test Bank",
        jwks=jwks,
        scopes=("verify", "query", "consents"),
        redirect_uris=(REDIRECT_URI,),
        authentication=Authentication(
            tls_client_certificate_bound_access_tokens=bound, **(authentication or own)
        ),
    )
    async with oauth.runtime.engine.begin() as connection:
        await registry.register_client(connection, registration, now=oauth.clock())
        await registry.put_agreement(connection, bank.client_id, some_terms(oauth.clock()))
    return TlsBank(bank=bank, holder=holder)


def peer(oauth: OAuthFixture, address: str | None) -> httpx2.AsyncClient:
    """HTTP client for the same server from another peer address; `None` for a Unix socket."""
    transport = httpx2.ASGITransport(app=oauth.app, client=(address, 4711))  # type: ignore[arg-type]
    return httpx2.AsyncClient(transport=transport, base_url=str(oauth.http.base_url))


def parts(token: str) -> dict[str, Any]:
    """Claims of a JWT, unverified."""
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return found
