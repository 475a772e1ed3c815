"""A form is bounded and read, its proof checked and spent, and only then a transaction begun.

Inside it Authlib runs synchronously, in SQLAlchemy's own bridge. A refusal commits like a success
(a spent assertion stays spent, a code used twice has revoked its tokens); only faults roll back,
and nothing leaves before the commit.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

import asyncpg
import orjson
from fastapi import Request, Response
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.access.caller import canonical_url
from gateway.clients.key_sets import ensure_keys_for
from gateway.limits.errors import LimiterUnavailableError
from gateway.oauth.errors import OAuthError, reply_of, unavailable
from gateway.oauth.form import Form, read_form
from gateway.oauth.issue import At
from gateway.oauth.library import OAuth2Error
from gateway.oauth.proof import Proven, proven, proven_if_given
from gateway.oauth.server import Answer, PostedForm, Server, log_refusal
from gateway.runtime import Runtime

EndpointName = Literal["token", "par", "introspect", "revoke"]
Proving = Callable[[Request, Runtime], Awaitable[Proven | None]]


UNAVAILABLE: Final[tuple[type[Exception], ...]] = (
    LimiterUnavailableError,
    PoolTimeoutError,
    OperationalError,
    InterfaceError,
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)


async def _no_proof(_request: Request, _runtime: Runtime) -> None:
    """Introspection and revocation give nothing that could be bound to a key."""


PROOFS: Final[Mapping[EndpointName, Proving]] = {
    "token": proven,
    "par": proven_if_given,
    "introspect": _no_proof,
    "revoke": _no_proof,
}


async def serve(endpoint: EndpointName, request: Request, runtime: Runtime) -> Response:
    """Answer one of the endpoints that take a client's form."""
    form: Form | None = None
    try:
        form = await read_form(request)
        proof = await PROOFS[endpoint](request, runtime)
        await ensure_keys_for(
            runtime.hot,
            form.get("client_assertion"),
            now=runtime.now(),
            loopback=runtime.settings.demo,
        )
        answer = await _in_transaction(endpoint, request, runtime, form, proof)
        nonce = {"DPoP-Nonce": proof.nonce} if proof else {}
        return _response(answer.status, answer.body, {**answer.headers, **nonce})
    except OAuthError as error:
        return _refused(error, form)
    except UNAVAILABLE:
        return _refused(unavailable(), form)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _refused(unavailable(), form)


async def _in_transaction(
    endpoint: EndpointName,
    request: Request,
    runtime: Runtime,
    form: Form,
    proof: Proven | None,
) -> Answer:
    posted = PostedForm(canonical_url(request, runtime), form)
    jkt = proof.jkt if proof else None

    def run(conn: Connection) -> Answer:
        return Server(At(conn=conn, runtime=runtime, now=runtime.now(), jkt=jkt)).answer(
            endpoint, posted
        )

    async with runtime.engine.begin() as conn:
        return await conn.run_sync(run)


def _refused(error: OAuth2Error, form: Form | None) -> Response:
    log_refusal(error, None, form.get("client_id") if form else None)
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
