"""Steps of one token request in the worker: the gateway's own functions, timed one by one."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fastapi import FastAPI, Request

from gateway.access.authentication import request_url
from gateway.access.dpop import Proof, validate_proof
from gateway.clients.registry import Client
from gateway.oauth import form
from gateway.oauth.claimed_client import claimed_client
from gateway.oauth.client_assertion import authenticate_by_assertion
from gateway.oauth.rate_limit import charge
from gateway.oauth.request_context import RequestContext
from gateway.oauth.server import PostedForm
from gateway.oauth.token_issuer import issue_tokens
from gateway.oauth.unit_of_work import Assertion, DeferredWork
from gateway.runtime import Runtime
from tests.bench.options import SCOPE
from tests.bench.verification_steps import Step, scope_of
from xinqiao._core.signatures.jose import ASSERTION_LIFETIME

PATH: Final = "/oauth/token"


@dataclass(slots=True)
class TokenCall:
    """A token request in progress; each step stores what later steps need."""

    request: Request
    raw: bytes
    posted: PostedForm | None = None
    proof: Proof | None = None
    work: DeferredWork | None = None
    client: Client | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], raw: bytes, app: FastAPI) -> "TokenCall":
        """A call as the server passes it to the application."""
        return cls(request=Request(scope_of(headers, app, PATH)), raw=raw)


def token_steps(runtime: Runtime) -> Mapping[str, Step[TokenCall]]:
    """The gateway's steps, in the order of a request."""
    issuer = runtime.settings.issuer

    def parse(call: TokenCall) -> None:
        call.posted = PostedForm(request_url(call.request, runtime), form.parse_form(call.raw))

    def proof(call: TokenCall) -> None:
        call.proof = validate_proof(
            call.request.headers.getlist("dpop"),
            method="POST",
            url=request_url(call.request, runtime),
            token=None,
            nonces=runtime.nonces,
            now=runtime.now(),
        )

    async def reading(call: TokenCall) -> None:
        assert call.posted
        call.work = DeferredWork(await claimed_client(call.posted.form, None, runtime))

    def authenticate(call: TokenCall) -> None:
        assert call.work
        assert call.posted
        call.client = authenticate_by_assertion(
            call.posted.form, unit_of_work=call.work, issuer=issuer, now=runtime.now()
        )
        call.work.count(_counted_apart)

    def sign(call: TokenCall) -> None:
        assert call.work
        assert call.client
        assert call.proof
        context = RequestContext(
            unit_of_work=call.work,
            runtime=runtime,
            now=runtime.now(),
            jkt=call.proof.jkt,
            certificate=None,
        )
        issue_tokens(context, client=call.client, scope=SCOPE, grant=None, with_refresh_token=False)

    async def counting(call: TokenCall) -> None:
        assert call.work
        assert call.client
        now = runtime.now()
        context = RequestContext(
            unit_of_work=call.work,
            runtime=runtime,
            now=now,
            jkt=None,
            certificate=None,
            unspent_proof=call.proof,
        )
        another = Assertion(
            client_id=call.client.client_id,
            jti=secrets.token_urlsafe(24),
            forgotten_at=now + timedelta(seconds=ASSERTION_LIFETIME),
        )
        assert await charge(context, call.client, "token", another)

    async def write(call: TokenCall) -> None:
        assert call.work
        await call.work.close(runtime.hot)

    return {
        "form": parse,
        "DPoP proof": proof,
        "read statement": reading,
        "client authentication": authenticate,
        "token, signed": sign,
        "replay and count (Redis)": counting,
        "write statement": write,
    }


async def _counted_apart(_unspent: Assertion | None) -> bool:
    """No-op: counting is a step of its own."""
    return True
