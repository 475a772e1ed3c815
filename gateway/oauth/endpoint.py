"""The path of a posted form: bound and parse it, check its proof, read the client, run the server.

The proof is spent before a transaction begins, which runs Authlib synchronously, in SQLAlchemy's own
bridge; client credentials need none. A refusal commits like a success (a spent assertion stays spent,
a reused code has revoked its tokens); only faults roll back, and no response leaves before the commit.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

import orjson
from fastapi import Request, Response
from sqlalchemy import Connection

from gateway.access.authentication import request_url
from gateway.access.http.client_cert import certificate_of
from gateway.clients.certificates import Certificate, CertificateError
from gateway.db.unavailable import is_unavailable, name_of
from gateway.oauth import client_credentials
from gateway.oauth.authlib_typing import OAuth2Error
from gateway.oauth.claimed_client import claimed_client
from gateway.oauth.dpop import (
    VerifiedProof,
    checked_proof,
    verified_proof,
    verified_proof_if_given,
)
from gateway.oauth.errors import OAuthError, invalid_request, reply_of, unavailable
from gateway.oauth.form import PostedFields, read_form
from gateway.oauth.request_context import RequestContext
from gateway.oauth.server import Answer, OAuthServer, PostedForm, log_refusal
from gateway.oauth.single_auth_method import demand_one_method
from gateway.oauth.unit_of_work import TransactionWork
from gateway.runtime import Runtime

EndpointName = Literal["token", "par", "introspect", "revoke"]
ProofCheck = Callable[[Request, Runtime], Awaitable[VerifiedProof | None]]


async def _no_proof(_request: Request, _runtime: Runtime) -> None:
    """No proof at introspection and revocation: they issue nothing to bind to a key."""


PROOF_CHECKS: Final[Mapping[EndpointName, ProofCheck]] = {
    "token": verified_proof,
    "par": verified_proof_if_given,
    "introspect": _no_proof,
    "revoke": _no_proof,
}
# Whether a client with a certificate needs a proof too is checked once the client is known.
CHECKS_WITH_CERTIFICATE: Final[Mapping[EndpointName, ProofCheck]] = {
    **PROOF_CHECKS,
    "token": verified_proof_if_given,
}


async def serve(endpoint: EndpointName, request: Request, runtime: Runtime) -> Response:
    """The response of one of the endpoints that take a client's form."""
    form: PostedFields | None = None
    try:
        form = await read_form(request)
        demand_one_method(request.headers.getlist("authorization"), form)
        certificate = read_certificate(request, runtime)
        posted = PostedForm(request_url(request, runtime), form)
        if certificate is None and client_credentials.is_client_credentials(endpoint, posted):
            proof = await checked_proof(request, runtime)
            answer = await client_credentials.answer(posted, runtime, proof)
        else:
            answer = await _in_transaction(endpoint, request, runtime, posted, certificate)
        return _response(answer.status, answer.body, answer.headers)
    except OAuthError as error:
        return _refused(error, form)
    except Exception as error:
        if not is_unavailable(error):
            raise
        return _refused(unavailable(name_of(error)), form)


async def _in_transaction(
    endpoint: EndpointName,
    request: Request,
    runtime: Runtime,
    posted: PostedForm,
    certificate: Certificate | None,
) -> Answer:
    checks = PROOF_CHECKS if certificate is None else CHECKS_WITH_CERTIFICATE
    proof = await checks[endpoint](request, runtime)
    client = await claimed_client(posted.form, certificate, runtime)

    def run(connection: Connection) -> Answer:
        context = RequestContext(
            unit_of_work=TransactionWork(connection, client),
            runtime=runtime,
            now=runtime.now(),
            jkt=proof.jkt if proof else None,
            certificate=certificate,
        )
        return OAuthServer(context).answer(endpoint, posted)

    async with runtime.engine.begin() as connection:
        answer = await connection.run_sync(run)
    return answer if proof is None else answer.with_nonce(proof.nonce)


def read_certificate(request: Request, runtime: Runtime) -> Certificate | None:
    """The caller's TLS client certificate, if any; raises `OAuthError`."""
    try:
        return certificate_of(request, runtime)
    except CertificateError as error:
        raise invalid_request(str(error)) from None


def unavailable_response() -> Response:
    """The 503 response while the signed log is not fit."""
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
