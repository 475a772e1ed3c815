"""Who delivers: a client of the kind `source`, in good standing, and what its agreement lets it deliver.

The kind counts, not the scope alone: an agreement's datasets mean what may be read where they are a
bank's, and what may be delivered only where they are a department's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from fastapi import Request

from gateway.access.admission_control import admit_call
from gateway.access.authentication import Caller, authenticate
from gateway.access.client_status import (
    CLIENT_STATUS_JSON,
    client_status_from_json,
    current_agreement,
)
from gateway.access.errors import (
    NotInAgreementError,
    TemporarilyUnavailableError,
    UnknownDatasetError,
    accept,
)
from gateway.clients.agreements import Agreement
from gateway.creditfile.catalogue import Catalogue
from gateway.db.statements import Statement
from gateway.disclosure.idempotency import IdempotencyKey
from gateway.ingest import Source
from gateway.runtime import Runtime

SCOPE = "records:write"
SOURCE = "source"

_READ = Statement(f"""
    SELECT {CLIENT_STATUS_JSON} AS standing,
           (SELECT c.kind FROM client c WHERE c.client_id = CAST(:client_id AS text)) AS kind,
           (SELECT c.name_zh FROM client c WHERE c.client_id = CAST(:client_id AS text)) AS name""")  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatedSource:
    """A source at the door, with the agreement that is in force."""

    source: Source
    agreement: Agreement

    def demand(self, datasets: Iterable[str], catalogue: Catalogue) -> None:
        """Refuse what the catalogue does not have, then what the agreement does not name."""
        wanted = set(datasets)
        require_known(wanted, catalogue)
        outside = sorted(wanted - self.agreement.datasets)
        if outside:
            raise NotInAgreementError(
                f"Your agreement does not let you deliver: {', '.join(outside)}."
            )


def require_known(datasets: Iterable[str], catalogue: Catalogue) -> None:
    """Refuse what the catalogue does not have."""
    if not set(datasets) <= set(catalogue.codes):
        raise UnknownDatasetError


async def authenticate_source(request: Request, runtime: Runtime) -> Caller:
    """Token, proof and scope: before a body is read."""
    return await authenticate(request, runtime, scope=SCOPE)


async def authorize_source(
    request: Request, runtime: Runtime, caller: Caller, *, key: IdempotencyKey | None = None
) -> AuthenticatedSource:
    """Proofs and limits, then the present standing of an authenticated caller."""
    await admit_call(request, runtime, caller, uscc=None, key=key)
    row = await runtime.hot.row(_READ, {"client_id": caller.client_id, "jti": caller.token.jti})
    if row is None:
        raise TemporarilyUnavailableError(retry_after=1)
    client_status = client_status_from_json(orjson.loads(row["standing"]))
    agreement = accept(current_agreement(client_status, runtime.now()))
    if row["kind"] != SOURCE:
        raise NotInAgreementError("Only a client that is registered as a source delivers records.")
    runtime.quotas.note(caller.client_id, agreement.version)
    source = Source(source_id=caller.client_id, name=row["name"])
    return AuthenticatedSource(source=source, agreement=agreement)
