"""Who is calling: the first checks of every call under /v1, in the order in which they run.

    1. access token          `token_of`
    2. DPoP proof            `proof_of`
    3. the two fit together  `bound_together`
    4. scope                 `in_scope`
    5. replay and limits     `gateway.access.admission`
    6. client, agreement     `gateway.access.standing`
    7. consent, then what was asked: the feature room's own

The first failure answers and nothing later runs.
"""

from dataclasses import dataclass

from fastapi import Request

from gateway.access.dpop import ALGORITHMS, NonceNeededError, Proof, ProofError, check_proof
from gateway.access.errors import (
    InsufficientScopeError,
    InvalidDpopProofError,
    InvalidTokenError,
    UnauthenticatedError,
    UseDpopNonceError,
)
from gateway.runtime import Runtime
from gateway.signing.access_tokens import Token, TokenError

SCHEME = "dpop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated client and the proof by which it called."""

    token: Token
    proof: Proof

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
    """Checks 1 to 4; raises an `UnauthenticatedError` that says what to do.

    Of several scopes any one will do.
    """
    scopes = (scope,) if isinstance(scope, str) else scope
    try:
        text, token = token_of(request, runtime)
        request.state.client_id = token.client_id  # for the log, if something is refused
        proof = proof_of(request, runtime, text)
        bound_together(token, proof)
        in_scope(token, scopes)
    except UnauthenticatedError as error:
        error.headers |= await _challenge(runtime, error, scopes)
        raise
    return Caller(token=token, proof=proof)


def token_of(request: Request, runtime: Runtime) -> tuple[str, Token]:
    """The access token in `Authorization: DPoP …` and its text."""
    fields = request.headers.getlist("authorization")
    scheme, _, text = fields[0].partition(" ") if len(fields) == 1 else ("", "", "")
    if scheme.lower() != SCHEME or not text:
        raise InvalidTokenError("Send one access token as `Authorization: DPoP <token>`.")
    try:
        return text, runtime.tokens.verify(text.strip(), runtime.now())
    except TokenError as error:
        raise InvalidTokenError(str(error)) from None


def proof_of(request: Request, runtime: Runtime, token: str) -> Proof:
    """The DPoP proof of this very request and token."""
    try:
        return check_proof(
            request.headers.getlist("dpop"),
            method=request.method,
            url=canonical_url(request, runtime),
            token=token.strip(),
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
    return runtime.settings.issuer + path.decode("latin-1")


async def _challenge(
    runtime: Runtime,
    error: UnauthenticatedError,
    scopes: tuple[str, ...],
) -> dict[str, str]:
    metadata = f"{runtime.settings.issuer}/.well-known/oauth-protected-resource"
    parts = [
        f'error="{error.code}"',
        f'error_description="{error.detail.replace(chr(34), chr(39)).replace(chr(96), chr(39))}"',
        f'algs="{" ".join(ALGORITHMS)}"',
        f'resource_metadata="{metadata}"',
    ]
    if isinstance(error, InsufficientScopeError):
        parts.append(f'scope="{" ".join(scopes)}"')
    generation = await runtime.guard.generation()
    return {
        "WWW-Authenticate": "DPoP " + ", ".join(parts),
        "DPoP-Nonce": runtime.nonces.issue(generation, runtime.now()),
    }
