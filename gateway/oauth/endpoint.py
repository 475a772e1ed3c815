"""A form is bounded and read, its proof checked and spent, and only then the database is asked.

The client is read first. Most of the rest is one transaction, in which Authlib runs synchronously, in
SQLAlchemy's own bridge; the client's own credentials need none (`unconsented`). A refusal commits like
a success (a spent assertion stays spent, a code used twice has revoked its tokens); only faults roll
back, and nothing leaves before the commit.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

import orjson
from fastapi import Request, Response
from sqlalchemy import Connection

from gateway.access.authentication import canonical_url
from gateway.access.client_cert import certificate_of
from gateway.clients.certificates import Certificate, CertificateError
from gateway.clients.registry import Client
from gateway.db.unavailable import is_unavailable, name_of
from gateway.oauth import client_credentials
from gateway.oauth.authlib_typing import OAuth2Error
from gateway.oauth.claimed_client import claimed_client
from gateway.oauth.dpop import VerifiedProof, proven, proven_if_given
from gateway.oauth.errors import OAuthError, invalid_request, reply_of, unavailable
from gateway.oauth.form import PostedFields, read_form
from gateway.oauth.methods import demand_one_method
from gateway.oauth.server import Answer, OAuthServer, PostedForm, log_refusal
from gateway.oauth.token_issuer import TokenTime
from gateway.oauth.unit_of_work import InTransaction
from gateway.runtime import Runtime

EndpointName = Literal["token", "par", "introspect", "revoke"]
Proving = Callable[[Request, Runtime], Awaitable[VerifiedProof | None]]


async def _no_proof(_request: Request, _runtime: Runtime) -> None:
    """Introspection and revocation give nothing that could be bound to a key."""


PROOFS: Final[Mapping[EndpointName, Proving]] = {
    "token": proven,
    "par": proven_if_given,
    "introspect": _no_proof,
    "revoke": _no_proof,
}
# Whether a client with a certificate needs a proof too is judged once the client is known.
WITH_CERTIFICATE: Final[Mapping[EndpointName, Proving]] = {**PROOFS, "token": proven_if_given}


async def serve(endpoint: EndpointName, request: Request, runtime: Runtime) -> Response:
    """Answer one of the endpoints that take a client's form."""
    form: PostedFields | None = None
    try:
        form = await read_form(request)
        demand_one_method(request.headers.getlist("authorization"), form)
        certificate = certificate_at(request, runtime)
        proving = PROOFS[endpoint] if certificate is None else WITH_CERTIFICATE[endpoint]
        proof = await proving(request, runtime)
        posted = PostedForm(canonical_url(request, runtime), form)
        jkt = proof.jkt if proof else None
        client = await claimed_client(form.parameters, certificate, runtime)
        if certificate is None and client_credentials.serves(endpoint, posted):
            answer = await client_credentials.answer(posted, runtime, jkt, client)
        else:
            answer = await _in_transaction(endpoint, posted, runtime, jkt, certificate, client)
        nonce = {"DPoP-Nonce": proof.nonce} if proof else {}
        return _response(answer.status, answer.body, {**answer.headers, **nonce})
    except OAuthError as error:
        return _refused(error, form)
    except Exception as error:
        if not is_unavailable(error):
            raise
        return _refused(unavailable(name_of(error)), form)


async def _in_transaction(
    endpoint: EndpointName,
    posted: PostedForm,
    runtime: Runtime,
    jkt: str | None,
    certificate: Certificate | None,
    client: Client | None,
) -> Answer:
    def run(connection: Connection) -> Answer:
        at = TokenTime(
            books=InTransaction(connection, client),
            runtime=runtime,
            now=runtime.now(),
            jkt=jkt,
            certificate=certificate,
        )
        return OAuthServer(at).answer(endpoint, posted)

    async with runtime.engine.begin() as connection:
        return await connection.run_sync(run)


def certificate_at(request: Request, runtime: Runtime) -> Certificate | None:
    """The caller's certificate, if it came with one; raises `OAuthError`."""
    try:
        return certificate_of(request, runtime)
    except CertificateError as error:
        raise invalid_request(str(error)) from None


def unavailable_response() -> Response:
    """The answer of an endpoint that cannot be asked right now."""
    return _refused(unavailable("the signed log is not fit"), None)


def _refused(error: OAuth2Error, form: PostedFields | None) -> Response:
    log_refusal(error, None, form.parameters if form else {})
    status, body, headers = reply_of(error)
    return _response(status, body, dict(headers))


def _response(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    kept = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    return Response(
        orjson.dumps(body),
        status,
        {"Cache-Control": "no-store", **kept},
        media_type="application/json",
    )
