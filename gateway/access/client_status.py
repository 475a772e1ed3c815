"""State of token, client and agreement: read for each request in a statement that is sent for it."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

import orjson

from gateway.access.authentication import WITHOUT_TOKEN, Caller
from gateway.access.errors import (
    AgreementEndedError,
    AgreementMissingError,
    ClientSuspendedError,
    InvalidTokenError,
    Refusal,
    SignatureRequiredError,
    raise_if_refused,
)
from gateway.clients.agreements import AGREEMENT_JSON, Agreement, agreement_from_json
from gateway.db.batches import Row
from gateway.db.prepared import HotDatabase, certain
from gateway.db.statements import SetStatement
from gateway.runtime import Runtime

# One jsonb object for client :client_id and the access token :jti; `WITHOUT_TOKEN` is always live.
CLIENT_STATUS_JSON = f"""jsonb_build_object(
    'client', (SELECT c.state FROM client c WHERE c.client_id = CAST(:client_id AS text)),
    'token', CASE WHEN CAST(:jti AS text) = '{WITHOUT_TOKEN}' THEN 'live'
             ELSE (SELECT CASE WHEN t.revoked_at IS NULL THEN 'live' ELSE 'revoked' END
                   FROM access_token t WHERE t.jti = CAST(:jti AS text)) END,
    'agreement', {AGREEMENT_JSON})"""  # noqa: S608  # constants only

READ_CLIENT_STATUS = SetStatement.lateral(
    f"SELECT CAST({CLIENT_STATUS_JSON} AS text) AS client_status", shared=True
)
"""Calls of one token that are under way together share one answer."""

_STATUS_UNLESS_EXPECTED = f"""
    SELECT CASE WHEN sha256(convert_to(present.status, 'UTF8'))
                     IS DISTINCT FROM CAST(:expected_status AS bytea)
                THEN present.status END AS client_status
    FROM (SELECT CAST({CLIENT_STATUS_JSON} AS text) AS status OFFSET 0) AS present"""  # noqa: S608  # constants only


@cache
def under_expected_status(statement: SetStatement) -> SetStatement:
    """A read, carried out where the client's status has the digest `expected_status`.

    Else its `client_status` is what the status is, and the other columns are NULL.
    """
    return SetStatement.guarded(
        _STATUS_UNLESS_EXPECTED, statement.single.sql, column="client_status"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStatus:
    """The present state of a caller's token, client and agreement."""

    token_live: bool
    client_active: bool
    agreement: Agreement | None


@lru_cache(maxsize=1024)
def client_status_from_json(text: str) -> ClientStatus:
    """The status in the JSON text of `CLIENT_STATUS_JSON`; the same text is parsed once."""
    found = orjson.loads(text)
    return ClientStatus(
        token_live=found["token"] == "live",  # noqa: S105  # a state
        client_active=found["client"] == "active",
        agreement=agreement_from_json(found["agreement"]),
    )


@lru_cache(maxsize=1024)
def status_digest(text: str) -> bytes:
    """SHA-256 of a status' JSON text."""
    return hashlib.sha256(text.encode()).digest()


def current_agreement(
    client_status: ClientStatus, caller: Caller, now: datetime
) -> Agreement | Refusal:
    """The agreement in force, or the refusal: token, client, agreement, and the signature it requires."""
    agreement = client_status.agreement
    if not client_status.token_live:
        return Refusal(InvalidTokenError, "The access token was revoked.")
    if not client_status.client_active:
        return Refusal(ClientSuspendedError)
    if agreement is None:
        return Refusal(AgreementMissingError)
    if not agreement.in_force(now):
        return Refusal(AgreementEndedError)
    if agreement.requires_signed_requests and not caller.has_signed:
        return Refusal(SignatureRequiredError)
    return agreement


def submit_client_status(hot: HotDatabase, caller: Caller) -> asyncio.Future[Row]:
    """The row of `READ_CLIENT_STATUS` for a caller, to come; its statement is sent at once."""
    return hot.submit(READ_CLIENT_STATUS, {"client_id": caller.client_id, "jti": caller.token.jti})


def client_status_of(row: Row) -> ClientStatus:
    """The status in that row."""
    return client_status_from_json(certain(row)["client_status"])


async def require_agreement(runtime: Runtime, caller: Caller) -> Agreement:
    """Read the caller's status; the agreement in force, or its error is raised."""
    client_status = client_status_of(await submit_client_status(runtime.hot, caller))
    agreement = raise_if_refused(current_agreement(client_status, caller, runtime.now()))
    runtime.agreements.remember(caller.client_id, agreement)
    return agreement
