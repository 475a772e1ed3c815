"""The read statement of a query: everything that its answer depends on, in one snapshot.

It reads only what agreement and consent allow (`access.read_permission`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from consent.model import Consent
from consent.use_counter import READ_CONSENT, consent_from_json
from gateway.access.answer_loop import AdmittedCall
from gateway.access.client_status import ClientStatus, client_status_from_json
from gateway.access.read_permission import (
    CALLER_AND_STORED_ANSWER,
    CALLER_IS_ENTITLED,
    CONSENT_HOLDS,
    call_parameters,
)
from gateway.creditfile.file_query import (
    NEEDED,
    context_values,
    enterprise_from_json,
    enterprise_json,
    records_from_json,
    records_json,
    with_context,
)
from gateway.creditfile.records import Enterprise, Record
from gateway.db.prepared import certain
from gateway.db.statements import Statement
from gateway.identity.representatives import PREDECESSOR_JSON, without_predecessors_person
from gateway.queries.request import QueryRequest
from gateway.queries.withheld import is_offered

# `asked`: all datasets asked for. `datasets`: those that the catalogue offers for this purpose.
READ_INPUTS = Statement(f"""
    WITH {CALLER_AND_STORED_ANSWER},
    held AS MATERIALIZED (SELECT {READ_CONSENT} AS found),
    granted AS MATERIALIZED (
        SELECT coalesce({CALLER_IS_ENTITLED} AND {CONSENT_HOLDS}
            AND client_status.found #> '{{agreement,datasets}}' ?| CAST(:asked AS text[])
            AND held.found -> 'datasets' ?| CAST(:asked AS text[]), false) AS so
        FROM client_status, held, kept),
    readable AS MATERIALIZED (
        SELECT CASE WHEN so THEN ARRAY(
            SELECT name FROM unnest(CAST(:datasets AS text[])) AS name
            WHERE client_status.found #> '{{agreement,datasets}}' ? name
              AND held.found -> 'datasets' ? name) ELSE '{{}}' END AS datasets
        FROM granted, client_status, held)
    SELECT client_status.found AS client_status,
           held.found AS consent,
           {PREDECESSOR_JSON} AS predecessors,
           kept.found AS kept,
           readable.datasets AS readable,
           {enterprise_json("granted.so")} AS enterprise,
           {records_json(with_context("readable.datasets"), condition=NEEDED)} AS records
    FROM client_status, held, kept, granted, readable
    """)  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryInputs:
    """Result of the read statement."""

    client_status: ClientStatus
    consent: Consent | None
    stored_answer: Mapping[str, Any] | None
    enterprise: Enterprise | None
    records: tuple[Record, ...]
    readable: frozenset[str]
    """The datasets that agreement and consent allow; `records` is complete for these."""


async def read_inputs(call: AdmittedCall[QueryRequest], now: datetime) -> QueryInputs:
    """Run the read statement for a call."""
    request, catalogue = call.request, call.runtime.catalogue
    # A token bound to another consent is granted nothing.
    asked = () if request.foreign_consent else request.datasets
    values = {
        **call_parameters(call, now),
        "continues": request.cursor.consent_id if request.cursor else None,
        "consent_id": request.consent_id,
        **context_values(catalogue, asked),
        "asked": list(asked),
        "datasets": [name for name in asked if is_offered(name, request.purpose, catalogue)],
    }
    row = certain(await call.runtime.hot.row(READ_INPUTS, values))
    consent = consent_from_json(orjson.loads(row["consent"])) if row["consent"] else None
    if consent is not None and row["predecessors"]:
        consent = without_predecessors_person(consent)
    return QueryInputs(
        client_status=client_status_from_json(row["client_status"]),
        consent=consent,
        stored_answer=orjson.loads(row["kept"]) if row["kept"] else None,
        enterprise=enterprise_from_json(row["enterprise"]),
        records=records_from_json(row["records"]),
        readable=frozenset(row["readable"]),
    )
