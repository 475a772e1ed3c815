"""Who is calling: the first checks of every call under /v1, in the order in which they run.

    1. access token          `token_of`
    2. what it is bound to   `bound_to`: a DPoP key, a client certificate, or both
    3. scope                 `in_scope`
    4. replay and limits     `gateway.access.admission_control`
    5. client, agreement     `gateway.access.client_status`
    6. consent, then what was asked: the feature room's own

The first failure answers and nothing later runs.
"""

from dataclasses import dataclass

from fastapi import Request

from gateway.access.client_cert import certificate_of
from gateway.access.dpop import ALGORITHMS, NonceNeededError, Proof, ProofError, check_proof
from gateway.access.errors import (
    InsufficientScopeError,
    InvalidDpopProofError,
    InvalidRequestError,
    InvalidTokenError,
    NoCredentialsError,
    UnauthenticatedError,
    UseDpopNonceError,
)
from gateway.access.head_requests import method_of
from gateway.clients.certificates import Certificate, CertificateError
from gateway.runtime import Runtime
from gateway.signing.access_tokens import Token, TokenError

DPOP = "DPoP"
BEARER = "Bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated client, and the proof by which it called where its token needs one."""

    token: Token
    proof: Proof | None

    @property
    def client_id(self) -> str:
        """The client's id."""
        return self.token.client_id


async def authenticate(
    request: Request,
    runtime: Runtime,
    *,
    scope: str | tuple[str, ...],
) -> Caller:
    """Checks 1 to 3; raises an `UnauthenticatedError` that says what to do.

    Of several scopes any one will do.
    """
    scopes = (scope,) if isinstance(scope, str) else scope
    scheme, text = credentials_of(request)
    request.state.scheme = scheme if runtime.settings.trusted_proxies else DPOP
    try:
        if text is None:
            raise NoCredentialsError
        token = token_of(scheme, text, runtime)
        request.state.client_id = token.client_id  # for the log, if something is refused
        proof = bound_to(token, request, runtime, text)
        in_scope(token, scopes)
    except UnauthenticatedError as error:
        error.headers |= await _challenge(runtime, error, scopes, request.state.scheme)
        raise
    return Caller(token=token, proof=proof)


def credentials_of(request: Request) -> tuple[str, str | None]:
    """The scheme of `Authorization`, which is a name in any case, and its token.

    The token is `None` where there is no `Authorization`, or one of a scheme that is not ours; it
    is empty where there are two, or nothing behind the scheme.
    """
    fields = request.headers.getlist("authorization")
    if len(fields) > 1:
        return DPOP, ""
    scheme, _, text = (fields or [""])[0].partition(" ")
    ours = {DPOP.lower(): DPOP, BEARER.lower(): BEARER}.get(scheme.lower())
    return ours or DPOP, text.strip() if ours else None


def token_of(scheme: str, text: str, runtime: Runtime) -> Token:
    """The access token `text`, under the scheme that it was issued for (RFC 9449 §7.2)."""
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


def bound_to(token: Token, request: Request, runtime: Runtime, text: str) -> Proof | None:
    """Every binding that the token has is met by this very request; gives the proof, if one is due.

    A token without any binding does not exist: `Tokens` refuses it.
    """
    try:
        certificate = certificate_of(request, runtime)
    except CertificateError as error:
        raise InvalidRequestError(str(error)) from None
    if token.x5t is not None:
        bound_to_certificate(token.x5t, certificate, runtime)
    if token.jkt is None:
        if "dpop" in request.headers:
            raise InvalidDpopProofError("This token is bound to no DPoP key: send no proof.")
        return None
    proof = proof_of(request, runtime, text)
    bound_together(token, proof)
    return proof


def bound_to_certificate(x5t: str, certificate: Certificate | None, runtime: Runtime) -> None:
    """The client came with the certificate that the token was issued to (RFC 8705 §3)."""
    if certificate is None:
        raise InvalidTokenError("This token is bound to a certificate: come over mutual TLS.")
    if certificate.thumbprint != x5t:
        raise InvalidTokenError("The certificate is not the one that this token is bound to.")
    if not certificate.is_valid_at(runtime.now()):
        raise InvalidTokenError("The client certificate is not in its term.")


def proof_of(request: Request, runtime: Runtime, token: str) -> Proof:
    """The DPoP proof of this very request and token."""
    try:
        return check_proof(
            request.headers.getlist("dpop"),
            method=method_of(request),
            url=canonical_url(request, runtime),
            token=token,
            nonces=runtime.nonces,
            now=runtime.now(),
        )
    except ProofError as error:
        raise InvalidDpopProofError(str(error)) from None
    except NonceNeededError:
        raise UseDpopNonceError from None


def bound_together(token: Token, proof: Proof) -> None:
    """The token was issued to the key that made the proof."""
    if token.jkt != proof.jkt:
        raise InvalidTokenError("The proof's key is not the one that this token is bound to.")


def in_scope(token: Token, scopes: tuple[str, ...]) -> None:
    """The token's scope covers this endpoint."""
    if token.scopes.isdisjoint(scopes):
        needed = " or ".join(map(repr, scopes))
        raise InsufficientScopeError(f"This endpoint needs the scope {needed}.")


def canonical_url(request: Request, runtime: Runtime) -> str:
    """The request's address as clients write it, whatever proxy stands before us."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return runtime.settings.origin_at(request.headers.get("host")) + path.decode("latin-1")


async def _challenge(
    runtime: Runtime,
    error: UnauthenticatedError,
    scopes: tuple[str, ...],
    scheme: str,
) -> dict[str, str]:
    metadata = f"{runtime.settings.issuer}/.well-known/oauth-protected-resource"
    parts = [
        *_error_of(error),
        *([f'algs="{" ".join(ALGORITHMS)}"'] if scheme == DPOP else []),
        f'resource_metadata="{metadata}"',
    ]
    if isinstance(error, InsufficientScopeError):
        parts.append(f'scope="{" ".join(scopes)}"')
    challenges = [f"{scheme} " + ", ".join(parts)]
    if scheme == BEARER:
        challenges.append(f'DPoP algs="{" ".join(ALGORITHMS)}"')
    generation = await runtime.guard.generation()
    return {
        "WWW-Authenticate": ", ".join(challenges),
        "DPoP-Nonce": runtime.nonces.issue(generation, runtime.now()),
    }


def _error_of(error: UnauthenticatedError) -> tuple[str, ...]:
    """What a challenge says of the credentials; nothing where there were none (RFC 6750 §3.1)."""
    if isinstance(error, NoCredentialsError):
        return ()
    description = error.detail.replace('"', "'").replace("`", "'")
    return f'error="{error.code}"', f'error_description="{description}"'
