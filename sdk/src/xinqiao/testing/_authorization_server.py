"""The fake authorization server: one client; DPoP and nonces are required."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import jwt

from xinqiao._core.jose import SigningKey, pkce_challenge
from xinqiao._core.strict import parse_json

from ._enterprises import FakeAgreement
from ._mistakes import FakeSetupError
from ._request_rules import FORMS, consent_problem
from ._signing import json_response

NONCE: Final = "nonce-of-the-fake-gateway"
_LIFETIME: Final = 600
_SCOPES: Final = frozenset(
    {"verify", "query", "consents", "changes", "certificates", "screen", "records:write", "codes"}
)


class OAuthRefusal(Exception):
    """An OAuth error to answer with."""

    def __init__(self, code: str, detail: str = "", status: int = 400) -> None:
        """Carry the code of RFC 6749 or RFC 9449."""
        super().__init__(code)
        self.code, self.detail, self.status = code, detail, status


@dataclass(slots=True, kw_only=True)
class IssuedCode:
    """An authorization code that is not redeemed yet."""

    form: Mapping[str, str]
    jkt: str
    details: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class FakeAuthorizationServer:
    """Tokens, pushed requests and codes of the one client."""

    issuer: str
    client_id: str
    client_jwk: Mapping[str, Any]
    agreement: FakeAgreement = field(default_factory=FakeAgreement)
    tokens: dict[str, tuple[str, float, str]] = field(default_factory=dict)
    """Thumbprint of its key, end, and scope, by token."""
    bound: dict[str, str] = field(default_factory=dict)
    """Id of the consent that a token was given for, by token."""
    pushed: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict)
    codes: dict[str, IssuedCode] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    issued: int = 0

    def metadata(self) -> dict[str, Any]:
        """Write the RFC 8414 document."""
        oauth = f"{self.issuer}/oauth"
        return {
            "issuer": self.issuer,
            "pushed_authorization_request_endpoint": f"{oauth}/par",
            "authorization_endpoint": f"{oauth}/authorize",
            "token_endpoint": f"{oauth}/token",
            "introspection_endpoint": f"{oauth}/introspect",
            "revocation_endpoint": f"{oauth}/revoke",
            "jwks_uri": f"{self.issuer}/.well-known/jwks.json",
        }

    def post(
        self,
        request: httpx2.Request,
        *,
        now: float,
        outage: Callable[[], httpx2.Response | None] = lambda: None,
    ) -> httpx2.Response:
        """Answer the token and the PAR endpoint; where there is an `outage`, nothing is done or redeemed."""
        headers = {"DPoP-Nonce": NONCE, "Cache-Control": "no-store"}
        try:
            jkt = self.verify_proof(request, now=now)
            form = self._authenticated(request, now=now)
            failed = outage()
            if failed is not None:
                return failed
            answer = self._pushed if request.url.path == "/oauth/par" else self._token
            status, body = answer(form, jkt, now)
        except OAuthRefusal as refused:
            told = {"error": refused.code, "error_description": refused.detail}
            return json_response(refused.status, told, headers=headers)
        return json_response(status, body, headers=headers)

    def verify_proof(self, request: httpx2.Request, *, now: float, token: str | None = None) -> str:
        """Check the DPoP proof (RFC 9449, section 4.3) and return its key's thumbprint."""
        proof = request.headers.get("dpop", "")
        try:
            header = jwt.get_unverified_header(proof)
            claims = jwt.decode(
                proof,
                jwt.PyJWK(header["jwk"], algorithm="ES256").key,
                algorithms=["ES256"],
                options={"verify_iat": False},
            )
        except (jwt.PyJWTError, KeyError):
            raise OAuthRefusal("invalid_dpop_proof", "not a proof") from None
        wanted = {
            "htm": request.method,
            "htu": str(request.url.copy_with(query=None, fragment=None)),
            **({} if token is None else {"ath": _digest(token)}),
        }
        if header.get("typ") != "dpop+jwt" or "d" in header["jwk"]:
            raise OAuthRefusal("invalid_dpop_proof", "typ or jwk")
        if any(claims.get(name) != value for name, value in wanted.items()):
            raise OAuthRefusal("invalid_dpop_proof", "htm, htu or ath")
        if abs(claims.get("iat", 0) - now) > 10 or not self._first(claims.get("jti")):  # noqa: PLR2004
            raise OAuthRefusal("invalid_dpop_proof", "iat or jti")
        if claims.get("nonce") != NONCE:
            raise OAuthRefusal("use_dpop_nonce", "use the nonce given")
        return _thumbprint(header["jwk"])

    def decide(self, url: str, details: dict[str, Any] | None) -> str:
        """Play the enterprise at the authorization endpoint: grant these details, or refuse."""
        form, jkt = self.pushed.pop(self._pushed_name(url))
        told = {"state": form["state"], "iss": self.issuer}
        if details is None:
            told |= {"error": "access_denied"}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = IssuedCode(form=form, jkt=jkt, details=details)
            told |= {"code": code}
        return f"{form['redirect_uri']}?{urlencode(told)}"

    def asked(self, url: str) -> dict[str, Any]:
        """Read what a started consent flow asks for."""
        form, _ = self.pushed[self._pushed_name(url)]
        details: dict[str, Any] = parse_json(form["authorization_details"].encode())[0]
        return details

    def _pushed_name(self, url: str) -> str:
        """The `request_uri` in the address of a flow that has been started and not decided."""
        address = url if isinstance(url, str) else ""
        name = dict(parse_qsl(urlsplit(address).query)).get("request_uri", "")
        if name not in self.pushed:
            raise FakeSetupError(
                f"{url!r} is no flow to decide: give the `url` of start_consent, once."
            )
        return name

    def _authenticated(self, request: httpx2.Request, *, now: float) -> dict[str, str]:
        form = dict(parse_qsl(request.content.decode(), strict_parsing=True))
        key = SigningKey.of(self.client_jwk)
        try:
            claims = jwt.decode(
                form.get("client_assertion", ""),
                jwt.PyJWK(dict(key.public_jwk), algorithm=key.alg).key,
                algorithms=[key.alg],
                audience=self.issuer,
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            raise OAuthRefusal("invalid_client", status=401) from None
        current = now - 10 <= claims["exp"] <= now + 61
        if claims["aud"] != self.issuer or claims["sub"] != self.client_id or not current:
            raise OAuthRefusal("invalid_client", status=401)
        if not self._first(claims.get("jti")):
            raise OAuthRefusal("invalid_client", "replayed", status=401)
        return form

    def _pushed(self, form: dict[str, str], jkt: str, now: float) -> tuple[int, dict[str, Any]]:
        needed = {"redirect_uri", "state", "code_challenge", "authorization_details"}
        if not needed <= set(form) or form.get("code_challenge_method") != "S256":
            raise OAuthRefusal("invalid_request")
        _check_scope(form)
        self._check_details(form["authorization_details"], datetime.fromtimestamp(now, UTC))
        name = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(16)}"
        self.pushed[name] = (form, jkt)
        return 201, {"request_uri": name, "expires_in": 90}

    def _check_details(self, text: str, when: datetime) -> None:
        """Judge the requested consent as the gateway does (RFC 9396, section 5)."""
        try:
            (asked,) = parse_json(text.encode())
        except (ValueError, TypeError):
            raise OAuthRefusal("invalid_authorization_details") from None
        if not FORMS["/oauth/par"](asked) or consent_problem(asked, when) is not None:
            raise OAuthRefusal("invalid_authorization_details")
        named = {name: asked.get(name, ()) for name in ("datasets", "questions")}
        if not self.agreement.covers(purpose=asked["purpose"], **named):
            raise OAuthRefusal("invalid_authorization_details")

    def _token(self, form: dict[str, str], jkt: str, now: float) -> tuple[int, dict[str, Any]]:
        answer: dict[str, Any] = {"token_type": "DPoP", "expires_in": _LIFETIME}
        if form.get("grant_type") == "authorization_code":
            grant = self.codes.pop(form.get("code", ""), None)
            challenge = pkce_challenge(form.get("code_verifier", ""))
            if grant is None or grant.jkt != jkt or grant.form["code_challenge"] != challenge:
                raise OAuthRefusal("invalid_grant")
            answer |= {"authorization_details": [grant.details], "scope": grant.form["scope"]}
            answer |= {"refresh_token": secrets.token_urlsafe(16)}
        elif form.get("grant_type") == "client_credentials":
            answer |= {"scope": _check_scope(form)}
        else:
            raise OAuthRefusal("unsupported_grant_type")
        self.issued += 1
        token = f"token-{secrets.token_urlsafe(16)}"
        self.tokens[token] = (jkt, now + _LIFETIME, str(answer["scope"]))
        for each in answer.get("authorization_details", ()):
            self.bound[token] = each["consent_id"]
        return 200, answer | {"access_token": token}

    def _first(self, jti: object) -> bool:
        fresh = isinstance(jti, str) and jti not in self.seen
        self.seen.add(str(jti))
        return fresh


def _check_scope(form: Mapping[str, str]) -> str:
    """The scope to grant: names of the wire's."""
    scope = form.get("scope", "verify query consents")
    if not set(scope.split(" ")) <= _SCOPES:
        raise OAuthRefusal("invalid_scope")
    return scope


def _digest(text: str) -> str:
    raw = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _thumbprint(jwk: Mapping[str, str]) -> str:
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return _digest(json.dumps(members, separators=(",", ":"), sort_keys=True))
