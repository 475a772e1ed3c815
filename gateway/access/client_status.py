"""Whether the caller may call at all now: read in each request's own statement, never cached."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gateway.access.authentication import Caller
from gateway.access.errors import (
    AgreementEndedError,
    AgreementMissingError,
    ClientSuspendedError,
    GatewayError,
    InvalidTokenError,
)
from gateway.clients.agreements import AGREEMENT_JSON, Agreement, agreement_from_json
from gateway.db.statements import Statement
from gateway.runtime import Runtime

# One jsonb object for client :client_id and the access token :jti.
CLIENT_STATUS_JSON = f"""jsonb_build_object(
    'client', (SELECT c.state FROM client c WHERE c.client_id = CAST(:client_id AS text)),
    'token', (SELECT CASE WHEN t.revoked_at IS NULL THEN 'live' ELSE 'revoked' END
              FROM access_token t WHERE t.jti = CAST(:jti AS text)),
    'agreement', {AGREEMENT_JSON})"""  # noqa: S608  # constants only

READ_STANDING = Statement(f"SELECT {CLIENT_STATUS_JSON} AS standing")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStatus:
    """The present state of a caller's token, client and agreement."""

    token_live: bool
    client_active: bool
    agreement: Agreement | None


def client_status_from_json(found: Mapping[str, Any]) -> ClientStatus:
    """The standing in `CLIENT_STATUS_JSON`'s object."""
    return ClientStatus(
        token_live=found["token"] == "live",  # noqa: S105  # a state
        client_active=found["client"] == "active",
        agreement=agreement_from_json(found["agreement"]),
    )


def agreement_of(standing: ClientStatus, now: datetime) -> Agreement | GatewayError:
    """The agreement under which this call runs, or why there is none: token, client, agreement."""
    if not standing.token_live:
        return InvalidTokenError("The access token was revoked.")
    if not standing.client_active:
        return ClientSuspendedError()
    if standing.agreement is None:
        return AgreementMissingError()
    if not standing.agreement.in_force(now):
        return AgreementEndedError()
    return standing.agreement


async def demand_agreement(runtime: Runtime, caller: Caller) -> Agreement:
    """The agreement of a caller at an endpoint that reads its standing by itself; else its error."""
    values = {"client_id": caller.client_id, "jti": caller.token.jti}
    row = await runtime.hot.row(READ_STANDING, values)
    if row is None:
        raise TypeError("a SELECT without FROM gives one row")
    agreement = agreement_of(client_status_from_json(orjson.loads(row["standing"])), runtime.now())
    if isinstance(agreement, GatewayError):
        raise agreement
    runtime.quotas.note(caller.client_id, agreement.version)
    return agreement
