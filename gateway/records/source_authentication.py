"""Authentication of a source: token, client kind, status and agreement.

The client's kind counts besides its scope: the datasets of a bank's agreement may be read, those of
a source's delivered.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import Request

from gateway.access.admission_control import admit
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
    raise_if_refused,
)
from gateway.access.http.body import MAX_BODY_BYTES, W, read_call
from gateway.clients.agreements import Agreement
from gateway.creditfile.catalogue import Catalogue
from gateway.db.statements import Statement
from gateway.disclosure.idempotency import IdempotencyKey
from gateway.ingest import Source
from gateway.ingest.source_authorization import SCOPE, SOURCE_KIND, outside_agreement
from gateway.runtime import Runtime

_READ = Statement(f"""
    SELECT {CLIENT_STATUS_JSON} AS standing,
           (SELECT c.kind FROM client c WHERE c.client_id = CAST(:client_id AS text)) AS kind,
           (SELECT c.name_zh FROM client c WHERE c.client_id = CAST(:client_id AS text)) AS name""")  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatedSource(Source):
    """An authenticated source with its agreement in force."""

    agreement: Agreement

    def require(self, datasets: Iterable[str], catalogue: Catalogue) -> None:
        """Refuse datasets unknown to the catalogue, then those outside the agreement."""
        wanted = set(datasets)
        require_known(wanted, catalogue)
        outside = outside_agreement(self.agreement, wanted)
        if outside:
            raise NotInAgreementError(
                f"Your agreement does not let you deliver: {', '.join(outside)}."
            )


def require_known(datasets: Iterable[str], catalogue: Catalogue) -> None:
    """Refuse datasets unknown to the catalogue."""
    if not set(datasets) <= set(catalogue.codes):
        raise UnknownDatasetError


async def authenticate_source(request: Request, runtime: Runtime) -> AuthenticatedSource:
    """The source of a call without a body."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    return await _authorize(request, runtime, caller, key=None)


async def read_source_call(
    request: Request, runtime: Runtime, model: type[W], *, largest: int = MAX_BODY_BYTES
) -> tuple[AuthenticatedSource, W]:
    """The source of a call and the parsed body, which is read once token and scope are checked."""
    caller = await authenticate(request, runtime, scope=SCOPE)
    body = await read_call(request, model, largest=largest)
    source = await _authorize(request, runtime, caller, key=body.key)
    return source, raise_if_refused(body.parsed)


async def _authorize(
    request: Request, runtime: Runtime, caller: Caller, *, key: IdempotencyKey | None
) -> AuthenticatedSource:
    """Check limits, then client status, agreement and kind."""
    await admit(request, runtime, caller, uscc=None, key=key)
    row = await runtime.hot.row(_READ, {"client_id": caller.client_id, "jti": caller.token.jti})
    if row is None:
        raise TemporarilyUnavailableError(retry_after=1)
    client_status = client_status_from_json(row["standing"])
    agreement = raise_if_refused(current_agreement(client_status, caller, runtime.now()))
    if row["kind"] != SOURCE_KIND:
        raise NotInAgreementError("Only a client that is registered as a source delivers records.")
    runtime.agreements.remember(caller.client_id, agreement)
    return AuthenticatedSource(source_id=caller.client_id, name=row["name"], agreement=agreement)
