"""Authentication of a call under /v1: access token, sender constraint, scope.

All checks of a call, in the order in which they run; the first failure answers:

    1. access token          `verify_token`
    2. sender constraint     `check_sender_constraint`: a DPoP key, a client certificate, or both
    3. scope                 `check_scope`
    4. replay and limits     `gateway.access.admission_control`
    5. request's signature   `gateway.access.request_signature`, if it has one
    6. query parameters      `gateway.access.http.query_parameters`
    7. client, agreement     `gateway.access.client_status`: it may require the signature
    8. consent and content   the feature package
"""

from dataclasses import dataclass

from fastapi import Request

from gateway.access.dpop import ALGORITHMS, NonceNeededError, Proof, ProofError, validate_proof
from gateway.access.errors import (
    InsufficientScopeError,
    InvalidDpopProofError,
    InvalidRequestError,
    InvalidTokenError,
    NoCredentialsError,
    UnauthenticatedError,
    UseDpopNonceError,
)
from gateway.access.http.client_cert import certificate_of
from gateway.access.http.head_requests import method_of
from gateway.access.request_signature import request_signature
from gateway.clients.certificates import Certificate, CertificateError
from gateway.runtime import Runtime
from gateway.signing.access_tokens import AccessToken, TokenError
from gateway.signing.request_signatures import RequestSignature

DPOP = "DPoP"
BEARER = "Bearer"


WITHOUT_TOKEN = ""
"""In the place of a token's id, which is never empty: work in the background, begun under a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated client: its token, and its DPoP proof where the token needs one.

    `signature` is the request's own; `admission_control` verifies it before the call goes on.
    """

    token: AccessToken
    proof: Proof | None
    signature: RequestSignature | None = None

    @property
    def client_id(self) -> str:
        """The client's id."""
        return self.token.client_id

    @property
    def has_signed(self) -> bool:
        """True for a signed request, and for work in the background, which signed requests began."""
        return self.signature is not None or self.token.jti == WITHOUT_TOKEN


def background_caller(client_id: str, agreement_version: int) -> Caller:
    """The client for whom work is done that it began by an authenticated call, without any consent."""
    token = AccessToken(
        client_id=client_id,
        jti=WITHOUT_TOKEN,
        scopes=frozenset(),
        jkt=None,
        x5t=None,
        expires_at=0,
        agreement_version=agreement_version,
        consent_id=None,
        uscc=None,
    )
    return Caller(token=token, proof=None)


async def authenticate(
    request: Request, runtime: Runtime, *, scope: str | tuple[str, ...]
) -> Caller:
    """Checks 1 to 3; raises `UnauthenticatedError` with a challenge. Any one of the scopes will do."""
    scopes = (scope,) if isinstance(scope, str) else scope
    scheme, text = read_credentials(request)
    request.state.scheme = scheme if runtime.settings.trusted_proxies else DPOP
    try:
        if text is None:
            raise NoCredentialsError
        token = verify_token(scheme, text, runtime)
        request.state.client_id = token.client_id  # for the log, if something is refused
        proof = check_sender_constraint(token, request, runtime, text)
        check_scope(token, scopes)
    except UnauthenticatedError as error:
        generation = await runtime.limiter.generation()
        error.headers["WWW-Authenticate"] = challenge(request, runtime, error, scopes)
        error.headers["DPoP-Nonce"] = runtime.nonces.issue(generation, runtime.now())
        raise
    return Caller(token=token, proof=proof, signature=request_signature(request.headers))


def read_credentials(request: Request) -> tuple[str, str | None]:
    """The scheme of `Authorization` (case-insensitive) and its token.

    The token is `None` without `Authorization` or with an unknown scheme; empty where the header
    comes twice or has no token.
    """
    fields = request.headers.getlist("authorization")
    if len(fields) > 1:
        return DPOP, ""
    scheme, _, text = (fields or [""])[0].partition(" ")
    ours = {DPOP.lower(): DPOP, BEARER.lower(): BEARER}.get(scheme.lower())
    return ours or DPOP, text.strip() if ours else None


def verify_token(scheme: str, text: str, runtime: Runtime) -> AccessToken:
    """Verify the access token and that it comes under its own scheme (RFC 9449 §7.2)."""
    if not text:
        raise InvalidTokenError("Send one access token as `Authorization: DPoP <token>`.")
    try:
        token = runtime.tokens.verify(text, runtime.now())
    except TokenError as error:
        raise InvalidTokenError(str(error)) from None
    if scheme == BEARER and token.jkt is not None:
        raise InvalidTokenError("This token is bound to a DPoP key: send it as DPoP, with a proof.")
    if scheme == DPOP and token.jkt is None:
        raise InvalidTokenError("This token is bound to no DPoP key: send it as Bearer.")
    return token


def check_sender_constraint(
    token: AccessToken, request: Request, runtime: Runtime, text: str
) -> Proof | None:
    """Check that the request meets every binding of the token; gives its DPoP proof, if one is due.

    A token without any binding is refused by `TokenVerifier`.
    """
    try:
        certificate = certificate_of(request, runtime)
    except CertificateError as error:
        raise InvalidRequestError(str(error)) from None
    if token.x5t is not None:
        check_certificate(token.x5t, certificate, runtime)
    if token.jkt is None:
        if "dpop" in request.headers:
            raise InvalidDpopProofError("This token is bound to no DPoP key: send no proof.")
        return None
    proof = dpop_proof_of(request, runtime, text)
    check_proof_key(token, proof)
    return proof


def check_certificate(x5t: str, certificate: Certificate | None, runtime: Runtime) -> None:
    """Check the client certificate against the token's thumbprint (RFC 8705 §3)."""
    if certificate is None:
        raise InvalidTokenError("This token is bound to a certificate: come over mutual TLS.")
    if certificate.thumbprint != x5t:
        raise InvalidTokenError("The certificate is not the one that this token is bound to.")
    if not certificate.is_valid_at(runtime.now()):
        raise InvalidTokenError("The client certificate is not in its term.")


def dpop_proof_of(request: Request, runtime: Runtime, token: str) -> Proof:
    """Verify the DPoP proof of this request and token."""
    try:
        return validate_proof(
            request.headers.getlist("dpop"),
            method=method_of(request),
            url=request_url(request, runtime),
            token=token,
            nonces=runtime.nonces,
            now=runtime.now(),
        )
    except ProofError as error:
        raise InvalidDpopProofError(str(error)) from None
    except NonceNeededError:
        raise UseDpopNonceError from None


def check_proof_key(token: AccessToken, proof: Proof) -> None:
    """Check that the proof was made with the key that the token is bound to."""
    if token.jkt != proof.jkt:
        raise InvalidTokenError("The proof's key is not the one that this token is bound to.")


def check_scope(token: AccessToken, scopes: tuple[str, ...]) -> None:
    """Check that the token has one of these scopes."""
    if token.scopes.isdisjoint(scopes):
        needed = " or ".join(map(repr, scopes))
        raise InsufficientScopeError(f"This endpoint needs the scope {needed}.")


def request_url(request: Request, runtime: Runtime) -> str:
    """The request's URL as the client wrote it, behind any proxy."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return runtime.settings.origin_at(request.headers.get("host")) + path.decode("latin-1")


def challenge(
    request: Request, runtime: Runtime, error: UnauthenticatedError, scopes: tuple[str, ...] = ()
) -> str:
    """The `WWW-Authenticate` header (RFC 9449 §7.1, RFC 9728 §5.1) for `error`; `scopes` if one lacks."""
    scheme = request.state.scheme
    algorithms = f'algs="{" ".join(ALGORITHMS)}"'
    metadata = f"{runtime.settings.issuer}/.well-known/oauth-protected-resource"
    parts = [
        *_error_of(error),
        *([algorithms] if scheme == DPOP else []),
        f'resource_metadata="{metadata}"',
    ]
    if isinstance(error, InsufficientScopeError):
        parts.append(f'scope="{" ".join(scopes)}"')
    challenges = [f"{scheme} " + ", ".join(parts)]
    if scheme == BEARER:
        challenges.append(f"DPoP {algorithms}")
    return ", ".join(challenges)


def _error_of(error: UnauthenticatedError) -> tuple[str, ...]:
    """The error parameters of a challenge; none where there were no credentials (RFC 6750 §3.1)."""
    if isinstance(error, NoCredentialsError):
        return ()
    description = error.detail.replace('"', "'").replace("`", "'")
    return f'error="{error.code}"', f'error_description="{description}"'
