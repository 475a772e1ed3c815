"""The fake authorization server: one client; DPoP and nonces are required."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import jwt

from xinqiao._core.signatures.jose import SigningKey, pkce_challenge
from xinqiao._core.wire.strict import parse_json, parse_time
from xinqiao.testing._rules import lifetimes
from xinqiao.testing._rules.dpop import FakeProofs, OAuthRefusal
from xinqiao.testing._rules.published import OAUTH_ERRORS
from xinqiao.testing._rules.request_forms import FORMS, mistakes_of
from xinqiao.testing._rules.request_rules import Wrong, consent_problem, term_problem
from xinqiao.testing._rules.setup_checks import FakeSetupError
from xinqiao.testing._state.enterprises import FakeAgreement

from .bundles import expand
from .signing import json_response, request_id_of

_NO_CODE: Final = "enterprise.uscc is not a unified social credit code."
_LONGEST_JTI: Final = 256
_NO_CREDENTIALS: Final = "Send one access token as `Authorization: DPoP <token>`."
_ANOTHER_KEY: Final = "The proof's key is not the one that this token is bound to."
_SCOPES: Final = frozenset(
    {"verify", "query", "consents", "changes", "certificates", "screen", "records:write", "codes"}
)


@dataclass(slots=True, kw_only=True)
class PushedRequest:
    """A pushed authorization request, until the browser comes with its name."""

    form: dict[str, str]
    jkt: str
    ends_at: float


@dataclass(slots=True, kw_only=True)
class IssuedCode:
    """An authorization code, and once it is redeemed the token that it gave."""

    form: Mapping[str, str]
    jkt: str
    details: dict[str, Any]
    ends_at: float
    token: str | None = None


@dataclass(slots=True, kw_only=True)
class FakeAuthorizationServer:
    """Tokens, pushed requests and codes of the one client."""

    issuer: str
    client_id: str
    client_jwk: Mapping[str, Any]
    agreement: FakeAgreement = field(default_factory=FakeAgreement)
    redirect_uris: dict[str, None] = field(default_factory=dict)
    """Registered addresses, the first of them the client's own."""
    tokens: dict[str, tuple[str, float, str]] = field(default_factory=dict)
    """Thumbprint of its key, end, and scope, by token."""
    bound: dict[str, str] = field(default_factory=dict)
    """Id of the consent that a token was given for, by token."""
    pushed: dict[str, PushedRequest] = field(default_factory=dict)
    codes: dict[str, IssuedCode] = field(default_factory=dict)
    proofs: FakeProofs = field(default_factory=FakeProofs)
    assertions: set[str] = field(default_factory=set)
    """Ids of the client assertions used."""
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
        headers = {
            "DPoP-Nonce": self.proofs.nonce(now),
            "Cache-Control": "no-store",
            "X-Request-Id": request_id_of(request),
        }
        try:
            jkt = self.proofs.verify(request, now=now)
            form = self._authenticated(request, now=now)
            failed = outage()
            if failed is not None:
                return failed
            answer = self._pushed if request.url.path == "/oauth/par" else self._token
            status, body = answer(form, jkt, now)
        except OAuthRefusal as refused:
            detail = refused.detail or OAUTH_ERRORS.get(refused.code, "")
            told = {"error": refused.code, "error_description": detail}
            return json_response(refused.status, told, headers=headers)
        return json_response(status, body, headers=headers)

    def check_token(self, request: httpx2.Request, *, now: float, scopes: frozenset[str]) -> None:
        """Check the access token of a call under /v1, its proof and its scope; raises `OAuthRefusal`."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        jkt, ends_at, scope = self.tokens.get(token, ("", 0.0, ""))
        if scheme != "DPoP" or not token:
            raise OAuthRefusal("invalid_token", _NO_CREDENTIALS)
        if now >= ends_at:
            raise OAuthRefusal("invalid_token")
        if self.proofs.verify(request, now=now, token=token) != jkt:
            raise OAuthRefusal("invalid_token", _ANOTHER_KEY)
        if scopes.isdisjoint(scope.split(" ")):
            raise OAuthRefusal("insufficient_scope")

    def decide(self, url: str, details: dict[str, Any] | None, *, now: float) -> str:
        """Play the enterprise at the authorization endpoint: grant these details, or refuse."""
        pushed = self.pushed.pop(self._pushed_name(url, now))
        told = {"state": pushed.form["state"], "iss": self.issuer}
        if details is None:
            told |= {"error": "access_denied"}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = IssuedCode(
                form=pushed.form,
                jkt=pushed.jkt,
                details=details,
                ends_at=now + lifetimes.CODE.total_seconds(),
            )
            told |= {"code": code}
        return f"{pushed.form['redirect_uri']}?{urlencode(told)}"

    def asked(self, url: str, *, now: float) -> dict[str, Any]:
        """Read what a started consent flow asks for."""
        form = self.pushed[self._pushed_name(url, now)].form
        details: dict[str, Any] = parse_json(form["authorization_details"].encode())[0]
        expanded = expand(details, "/oauth/par", self.agreement)
        return details if isinstance(expanded, Wrong) else dict(expanded)

    def _pushed_name(self, url: str, now: float) -> str:
        """The `request_uri` in the address of a flow that has been started and not decided."""
        address = url if isinstance(url, str) else ""
        name = dict(parse_qsl(urlsplit(address).query)).get("request_uri", "")
        if name not in self.pushed:
            raise FakeSetupError(
                f"{url!r} is no flow to decide: give the `url` of start_consent, once."
            )
        if now >= self.pushed[name].ends_at:
            raise FakeSetupError(
                f"{url!r} is older than {lifetimes.PUSHED_REQUEST.seconds} seconds: the browser sees an "
                "error and does not come back; start_consent again."
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
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.PyJWTError:
            raise OAuthRefusal("invalid_client") from None
        _check_claims(claims, self.client_id, now)
        if claims["jti"] in self.assertions:
            raise OAuthRefusal(
                "invalid_client", "This assertion was used before; make a new one for each request."
            )
        self.assertions.add(claims["jti"])
        return form

    def _pushed(self, form: dict[str, str], jkt: str, now: float) -> tuple[int, dict[str, Any]]:
        if form.get("redirect_uri") not in self.redirect_uris:
            raise OAuthRefusal(
                "invalid_request",
                "redirect_uri must be one of those registered, character by character.",
            )
        if form.get("code_challenge_method") != "S256":
            raise OAuthRefusal("invalid_request", "code_challenge_method must be S256.")
        if not {"redirect_uri", "state", "code_challenge", "authorization_details"} <= set(form):
            raise OAuthRefusal("invalid_request")
        _check_scope(form)
        self._check_details(form["authorization_details"], datetime.fromtimestamp(now, UTC))
        name = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(16)}"
        seconds = lifetimes.PUSHED_REQUEST.seconds
        self.pushed[name] = PushedRequest(form=form, jkt=jkt, ends_at=now + seconds)
        return 201, {"request_uri": name, "expires_in": seconds}

    def _check_details(self, text: str, when: datetime) -> None:
        """Judge the requested consent as the gateway does (RFC 9396, section 5)."""
        try:
            (asked,) = parse_json(text.encode())
        except (ValueError, TypeError):
            raise OAuthRefusal(
                "invalid_authorization_details", "authorization_details cannot be read."
            ) from None
        mend = mistakes_of(FORMS["/oauth/par"], asked, most=3, root="[0]")
        if mend is not None:
            raise OAuthRefusal(
                "invalid_authorization_details",
                f"authorization_details is a list of one credit_data. Mend: {mend}.",
            )
        expanded = expand(asked, "/oauth/par", self.agreement)
        wrong = expanded if isinstance(expanded, Wrong) else None
        asked = asked if isinstance(expanded, Wrong) else expanded
        named = {name: asked.get(name, ()) for name in ("datasets", "questions")}
        outside = ", ".join(self.agreement.missing(purpose=asked["purpose"], **named))
        wrong = wrong or consent_problem(asked)
        if wrong is None and outside:
            wrong = Wrong("", f"This client's agreement does not cover: {outside}.")
        wrong = wrong or term_problem(asked, when)
        if wrong is not None:
            detail = _NO_CODE if wrong.code == "invalid_uscc" else wrong.detail
            raise OAuthRefusal("invalid_authorization_details", detail)

    def _token(self, form: dict[str, str], jkt: str, now: float) -> tuple[int, dict[str, Any]]:
        answer: dict[str, Any] = {"token_type": "DPoP"}
        ends, code = int(now) + lifetimes.ACCESS_TOKEN.seconds, None
        if form.get("grant_type") == "authorization_code":
            code = self._redeemed(form, jkt, now)
            answer |= {"authorization_details": [code.details], "scope": code.form["scope"]}
            answer |= {"refresh_token": secrets.token_urlsafe(16)}
            until = code.details.get("valid_until")
            ends = ends if until is None else min(ends, int(parse_time(until).timestamp()))
        elif form.get("grant_type") == "client_credentials":
            answer |= {"scope": _check_scope(form)}
        else:
            raise OAuthRefusal("unsupported_grant_type")
        self.issued += 1
        token, ends = f"token-{secrets.token_urlsafe(16)}", max(ends, int(now) + 1)
        self.tokens[token] = (jkt, ends, str(answer["scope"]))
        if code is not None:
            code.token, self.bound[token] = token, code.details["consent_id"]
        return 200, answer | {"access_token": token, "expires_in": ends - int(now)}

    def _redeemed(self, form: Mapping[str, str], jkt: str, now: float) -> IssuedCode:
        """The code, which is used up whatever is wrong with the request; a second use ends its token."""
        code = self.codes.get(form.get("code", ""))
        if code is None or code.token is not None or now >= code.ends_at:
            if code is not None and code.token is not None:
                self.tokens.pop(code.token, None)
            raise OAuthRefusal(
                "invalid_grant", "This code is unknown, expired, used or another client's."
            )
        code.token = ""
        if code.jkt != jkt:
            raise OAuthRefusal(
                "invalid_grant", "The proof's key is not the one that the code is bound to."
            )
        if code.form["code_challenge"] != pkce_challenge(form.get("code_verifier", "")):
            raise OAuthRefusal("invalid_grant", "Code challenge failed.")
        return code


def _check_claims(claims: Mapping[str, Any], client_id: str, now: float) -> None:
    skew, jti = lifetimes.SKEW.seconds, claims.get("jti")
    wrong = (
        (
            {claims.get("iss"), claims.get("sub")} != {client_id},
            "iss and sub must both be the client_id.",
        ),
        (claims.get("exp", 0) < now - skew, "exp is missing or past."),
        (
            claims.get("exp", 0) > now + lifetimes.ASSERTION.seconds,
            "exp is more than 5 minutes ahead.",
        ),
        (claims.get("iat", now) > now + skew, "iat is in the future; check the clock."),
        (
            not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI,
            f"jti is missing, or longer than {_LONGEST_JTI} characters.",
        ),
    )
    found = next((sentence for is_wrong, sentence in wrong if is_wrong), None)
    if found is not None:
        raise OAuthRefusal("invalid_client", found)


def _check_scope(form: Mapping[str, str]) -> str:
    """The scope to grant: names of the wire's."""
    scope = form.get("scope", "verify query consents")
    if not set(scope.split(" ")) <= _SCOPES:
        raise OAuthRefusal("invalid_scope")
    return scope
