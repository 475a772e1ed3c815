"""The read statement of a query: all that its answer depends on of the enterprise, in one snapshot.

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
from gateway.access.errors import Refusal
from gateway.access.read_permission import (
    CONSENT_HOLDS,
    STORED_ANSWER,
    call_parameters,
    read_under_agreement,
)
from gateway.clients.agreements import Agreement
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
from gateway.db.statements import SetStatement
from gateway.identity.representatives import PREDECESSOR_JSON, without_predecessors_person
from gateway.queries.request import QueryRequest
from gateway.queries.withheld import is_offered

# `asked`: all datasets asked for. `entitled`: the agreement covers the purpose and one of them.
# `datasets`: those that agreement and catalogue offer for this purpose.
READ_INPUTS = SetStatement.lateral(f"""
    WITH {STORED_ANSWER},
    held AS MATERIALIZED (SELECT {READ_CONSENT} AS found),
    granted AS MATERIALIZED (
        SELECT coalesce(CAST(:entitled AS boolean) AND {CONSENT_HOLDS}
            AND held.found -> 'datasets' ?| CAST(:asked AS text[]), false) AS so
        FROM held, kept),
    readable AS MATERIALIZED (
        SELECT CASE WHEN so THEN ARRAY(
            SELECT name FROM unnest(CAST(:datasets AS text[])) AS name
            WHERE held.found -> 'datasets' ? name) ELSE '{{}}' END AS datasets
        FROM granted, held)
    SELECT CAST(held.found AS text) AS consent,
           {PREDECESSOR_JSON} AS predecessors,
           CAST(kept.found AS text) AS kept,
           readable.datasets AS readable,
           {enterprise_json("granted.so")} AS enterprise,
           {records_json(with_context("readable.datasets"), condition=NEEDED)} AS records
    FROM held, kept, granted, readable
    """)  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryInputs:
    """Rows that the read statement gave."""

    agreement: Agreement
    consent: Consent | None
    stored_answer: Mapping[str, Any] | None
    enterprise: Enterprise | None
    records: tuple[Record, ...]
    readable: frozenset[str]
    """The datasets that agreement and consent allow; `records` is complete for these."""


async def read_inputs(call: AdmittedCall[QueryRequest], now: datetime) -> QueryInputs | Refusal:
    """Read what an answer depends on; a refusal where token, client or agreement do not hold."""
    read = await read_under_agreement(
        call, READ_INPUTS, lambda agreement: _values(call, agreement, now), now
    )
    if isinstance(read, Refusal):
        return read
    row = read.row
    consent = consent_from_json(orjson.loads(row["consent"])) if row["consent"] else None
    if consent is not None and row["predecessors"]:
        consent = without_predecessors_person(consent)
    return QueryInputs(
        agreement=read.agreement,
        consent=consent,
        stored_answer=orjson.loads(row["kept"]) if row["kept"] else None,
        enterprise=enterprise_from_json(row["enterprise"]),
        records=records_from_json(row["records"]),
        readable=frozenset(row["readable"]),
    )


def _values(
    call: AdmittedCall[QueryRequest], agreement: Agreement, now: datetime
) -> dict[str, Any]:
    request, catalogue = call.request, call.runtime.catalogue
    # A token bound to another consent is granted nothing.
    asked = () if request.foreign_consent else request.datasets
    offered = (name for name in asked if is_offered(name, request.purpose, catalogue))
    return {
        **call_parameters(call, now),
        **context_values(catalogue, asked),
        "continues": request.cursor.consent_id if request.cursor else None,
        "consent_id": request.consent_id,
        "entitled": request.purpose in agreement.purposes
        and not agreement.datasets.isdisjoint(asked),
        "asked": list(asked),
        "datasets": [name for name in offered if name in agreement.datasets],
    }
