"""Client authentication of the gateway at an OpenID provider: private_key_jwt, or a secret."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from urllib.parse import quote

from gateway.settings import Settings, SettingsError
from gateway.signing import jws
from gateway.signing.jwk import new_p256_jwk, thumbprint
from gateway.signing.jws import JwsError

ASSERTION_LIFETIME: Final = timedelta(seconds=60)
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class ClientAuth(Protocol):
    """The authentication that goes along with a request to the token endpoint."""

    def fields(self, now: datetime) -> dict[str, str]:
        """Form fields to add."""
        ...

    def headers(self) -> dict[str, str]:
        """Headers to add."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKeyJwt:
    """private_key_jwt (OpenID Connect Core 9); its audience is the issuer, as in FAPI 2.0."""

    client_id: str
    issuer: str
    jwk: dict[str, Any] = field(repr=False)

    def fields(self, now: datetime) -> dict[str, str]:
        """A fresh assertion, valid once and for a minute."""
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": int(now.timestamp()),
            "exp": int((now + ASSERTION_LIFETIME).timestamp()),
        }
        return {
            "client_id": self.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jws.sign_with(claims, self.jwk),
        }

    def headers(self) -> dict[str, str]:
        """No headers."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecretBasic:
    """client_secret_basic (RFC 6749 §2.3.1)."""

    client_id: str
    secret: str = field(repr=False)

    def fields(self, now: datetime) -> dict[str, str]:  # noqa: ARG002  # the interface's
        """No form fields."""
        return {}

    def headers(self) -> dict[str, str]:
        """The Basic header, id and secret each form-encoded."""
        pair = f"{quote(self.client_id, safe='')}:{quote(self.secret, safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def client_auth_of(settings: Settings) -> ClientAuth:
    """The authentication that the settings configure; raises `SettingsError` for an unusable key."""
    client_id = settings.identity_client_id or ""
    if settings.identity_client_secret is not None:
        secret = settings.identity_client_secret.get_secret_value()
        return ClientSecretBasic(client_id=client_id, secret=secret)
    path = settings.identity_client_key
    try:
        jwk: dict[str, Any] = json.loads(path.read_text()) if path else {}
        jws.sign_with({}, jwk)
    except (OSError, ValueError, TypeError, JwsError):
        raise SettingsError(
            f"XINQIAO_IDENTITY_CLIENT_KEY names {path}, which cannot be read as a private key (JWK "
            "with a kid). Make one with `xinqiao-gateway keys identity`.",
        ) from None
    return PrivateKeyJwt(client_id=client_id, issuer=settings.identity_issuer or "", jwk=jwk)


def new_client_key() -> dict[str, Any]:
    """A fresh private key (ES256) as a JWK, for the key file."""
    key = new_p256_jwk()
    return key | {"kid": f"gateway-{thumbprint(key)[:8]}"}
