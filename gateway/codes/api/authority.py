"""Authentication of a registering authority, and its entitlement to an enterprise's codes.

A client may manage the codes of an enterprise if it is a source (数源单位) with the scope `codes`, its
agreement lets it deliver `registration`, and the enterprise's registration is its own delivery. An
enterprise that is unknown and one of another authority are refused alike.
"""

from dataclasses import dataclass
from typing import Final

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.access.admission_control import admit
from gateway.access.authentication import Caller, authenticate
from gateway.access.client_status import (
    CLIENT_STATUS_JSON,
    client_status_from_json,
    current_agreement,
)
from gateway.access.errors import NotInAgreementError, raise_if_refused
from gateway.codes.model import Registration
from gateway.creditfile.records import REGISTRATION
from gateway.creditfile.tables import enterprise
from gateway.db.prepared import certain
from gateway.db.statements import Statement
from gateway.disclosure.idempotency import IdempotencyKey
from gateway.ingest.source_authorization import SOURCE_KIND
from gateway.runtime import Runtime

SCOPE: Final = "codes"
_READ: Final = Statement(f"""
    SELECT {CLIENT_STATUS_JSON} AS client_status,
           (SELECT c.kind FROM client c WHERE c.client_id = CAST(:client_id AS text)) AS kind""")  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An authenticated registering authority."""

    client_id: str

    @property
    def actor(self) -> str:
        """The authority as the author of an act."""
        return f"client:{self.client_id}"

    async def find_enterprise(self, connection: AsyncConnection, uscc: str) -> Registration | None:
        """The registration of one of the authority's enterprises; `None` for any other."""
        table = enterprise.c
        found = await connection.execute(
            select(table.name, table.division, table.status).where(
                table.uscc == uscc, table.source_id == self.client_id
            )
        )
        row = found.one_or_none()
        return Registration(**row._asdict()) if row else None


async def authenticate_authority(request: Request, runtime: Runtime) -> Caller:
    """Token, proof and scope of a call."""
    return await authenticate(request, runtime, scope=SCOPE)


async def authorize_authority(
    request: Request,
    runtime: Runtime,
    caller: Caller,
    *,
    uscc: str | None = None,
    key: IdempotencyKey | None = None,
) -> Authority:
    """Limits, then client status, agreement and kind."""
    await admit(request, runtime, caller, uscc=uscc, key=key)
    values = {"client_id": caller.client_id, "jti": caller.token.jti}
    row = certain(await runtime.hot.row(_READ, values))
    client_status = client_status_from_json(row["client_status"])
    agreement = raise_if_refused(current_agreement(client_status, caller, runtime.now()))
    runtime.agreements.remember(caller.client_id, agreement)
    if row["kind"] != SOURCE_KIND or REGISTRATION not in agreement.datasets:
        raise NotInAgreementError(
            "Only a source whose agreement lets it deliver registration manages codes."
        )
    return Authority(client_id=caller.client_id)
