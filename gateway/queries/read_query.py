"""The one read statement of a query: everything its answer can depend on, at one moment.

Of the enterprise it reads only what agreement and consent allow (`access.read_permission`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from consent.model import Consent
from consent.use_counter import READ_CONSENT, consent_from_json
from gateway.access.authentication import Caller
from gateway.access.client_status import ClientStatus, client_status_from_json
from gateway.access.read_permission import AGREEMENT_HOLDS, CALLER_STATE, CONSENT_HOLDS
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.file_query import (
    NOT_ENDED,
    enterprise_from_json,
    enterprise_json,
    records_from_json,
    records_json,
    with_serious_list,
)
from gateway.creditfile.records import Enterprise, Record
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.disclosure.idempotency import IdempotencyKey, kept_since
from gateway.queries.request import QueryRequest
from gateway.queries.withheld import is_offered

# `asked`: every dataset asked for. `datasets`: those that the catalogue opens to clients with this purpose.
READ = Statement(f"""
    WITH {CALLER_STATE},
    held AS MATERIALIZED (SELECT {READ_CONSENT} AS found),
    granted AS MATERIALIZED (
        SELECT coalesce({AGREEMENT_HOLDS} AND {CONSENT_HOLDS}
            AND standing.found #> '{{agreement,datasets}}' ?| CAST(:asked AS text[])
            AND held.found -> 'datasets' ?| CAST(:asked AS text[]), false) AS so
        FROM standing, held, kept),
    readable AS MATERIALIZED (
        SELECT CASE WHEN so THEN ARRAY(
            SELECT name FROM unnest(CAST(:datasets AS text[])) AS name
            WHERE standing.found #> '{{agreement,datasets}}' ? name
              AND held.found -> 'datasets' ? name) ELSE '{{}}' END AS datasets
        FROM granted, standing, held)
    SELECT standing.found AS standing,
           held.found AS consent,
           kept.found AS kept,
           readable.datasets AS readable,
           {enterprise_json("granted.so")} AS enterprise,
           {records_json(with_serious_list("readable.datasets"), condition=NOT_ENDED)} AS records
    FROM standing, held, kept, granted, readable
    """)  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryInputs:
    """What the statement found."""

    standing: ClientStatus
    consent: Consent | None
    kept: Mapping[str, Any] | None
    enterprise: Enterprise | None
    records: tuple[Record, ...]
    readable: frozenset[str]
    """The datasets that agreement and consent allow, and of which `records` holds all."""


async def read_inputs(
    hot: HotDatabase,
    caller: Caller,
    ask: QueryRequest,
    key: IdempotencyKey | None,
    *,
    catalogue: Catalogue,
    now: datetime,
) -> QueryInputs:
    """Read once, for this caller and ask."""
    # A token of another consent is granted nothing.
    asked = () if ask.foreign_consent else ask.datasets
    row = await hot.row(
        READ,
        {
            "client_id": caller.client_id,
            "jti": caller.token.jti,
            "uscc": ask.uscc,
            "purpose": ask.purpose,
            "consent_id": ask.consent_id,
            "key": key.key if key else None,
            "asked": list(asked),
            "datasets": [name for name in asked if is_offered(name, ask.purpose, catalogue)],
            "continues": ask.cursor.consent_id if ask.cursor else None,
            "request_digest": key.request_digest.hex() if key else None,
            "kept_since": kept_since(now),
            "now": now,
        },
    )
    if row is None:
        raise RuntimeError("a SELECT without FROM gives one row")
    return QueryInputs(
        standing=client_status_from_json(orjson.loads(row["standing"])),
        consent=consent_from_json(orjson.loads(row["consent"])) if row["consent"] else None,
        kept=orjson.loads(row["kept"]) if row["kept"] else None,
        enterprise=enterprise_from_json(row["enterprise"]),
        records=records_from_json(row["records"]),
        readable=frozenset(row["readable"]),
    )
