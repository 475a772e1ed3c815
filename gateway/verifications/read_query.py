"""The read statement of a verification: all that its answer depends on of the enterprise, in one snapshot.

It reads only what agreement and consent allow (`access.read_permission`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import orjson

from consent.model import Consent
from consent.use_counter import READ_CONSENT_FOR_ANSWERS, consent_from_json
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
    enterprise_json,
    records_from_json,
    records_json,
    with_context,
)
from gateway.creditfile.records import Enterprise, Record
from gateway.db.statements import SetStatement
from gateway.identity.representatives import PREDECESSOR_JSON, without_predecessors_person
from gateway.verifications.decoy import enterprise_or_decoy
from gateway.verifications.request import VerificationRequest

_OWN_CONSENT_HOLDS = """(
    CAST(:consent_id AS text) IS NULL
    OR coalesce(held.found ->> 'status' IN ('active', 'paused')
                AND CAST(held.found ->> 'valid_until' AS timestamptz) > CAST(:now AS timestamptz),
                false))"""

# `open_datasets`: those of questions that need no consent. `closed_questions` and `closed_datasets`
# are pairs: a question that needs a consent, and one of its datasets. `entitled`: token and agreement
# cover the call.
READ_INPUTS = SetStatement.lateral(f"""
    WITH {STORED_ANSWER},
    held AS MATERIALIZED (SELECT {READ_CONSENT_FOR_ANSWERS} AS found),
    allowed AS MATERIALIZED (
        SELECT CAST(:entitled AS boolean) AND {_OWN_CONSENT_HOLDS} AS so,
               {CONSENT_HOLDS} AS consented
        FROM held, kept),
    readable AS MATERIALIZED (
        SELECT CASE WHEN so AND consented THEN CAST(:open_datasets AS text[]) || ARRAY(
            SELECT DISTINCT dataset
            FROM unnest(CAST(:closed_questions AS text[]), CAST(:closed_datasets AS text[]))
                AS closed(question, dataset)
            WHERE held.found -> 'questions' ? question
              AND dataset <> ALL(CAST(:open_datasets AS text[])))
            WHEN so THEN CAST(:open_datasets AS text[]) ELSE '{{}}' END AS datasets
        FROM allowed, held)
    SELECT CAST(held.found AS text) AS consent,
           {PREDECESSOR_JSON} AS predecessors,
           CAST(kept.found AS text) AS kept,
           allowed.so AS allowed,
           {enterprise_json("allowed.so", left_out=("personal",))} AS enterprise,
           {records_json(with_context("readable.datasets"), condition=NEEDED)} AS records,
           (SELECT CAST(coalesce(jsonb_object_agg(p.question, jsonb_build_object(
                       'asked', p.asked, 'revision', p.revision)), '{{}}'::jsonb) AS text)
            FROM probe p
            WHERE p.uscc = CAST(:uscc AS text) AND p.client_id = CAST(:client_id AS text)
              AND p.question = ANY(CAST(:budgets AS text[]))) AS probes
    FROM held, kept, allowed, readable
    """)  # noqa: S608  # constants only


class VerificationInputs(NamedTuple):
    """Rows that the read statement gave. `probes`: question → (value digest → first asked, revision).

    `enterprise` is a decoy where it is unknown, or not `allowed` by token, agreement or the token's
    consent.
    """

    agreement: Agreement
    allowed: bool
    consent: Consent | None
    stored_answer: Mapping[str, Any] | None
    enterprise: Enterprise
    is_known: bool
    records: tuple[Record, ...]
    probes: Mapping[str, tuple[Mapping[str, int], int]]


async def read_inputs(
    call: AdmittedCall[VerificationRequest], now: datetime
) -> VerificationInputs | Refusal:
    """Read what an answer depends on; a refusal where token, client or agreement do not hold."""
    read = await read_under_agreement(
        call, READ_INPUTS, lambda agreement: read_values(call, agreement, now), now
    )
    if isinstance(read, Refusal):
        return read
    return inputs_of(read.row, read.agreement)


def inputs_of(row: asyncpg.Record, agreement: Agreement) -> VerificationInputs:
    """The inputs in a row of `READ_INPUTS`, read under this agreement."""
    found = _json(row["consent"])
    consent = consent_from_json(found) if found else None
    if consent is not None and row["predecessors"]:
        consent = without_predecessors_person(consent)
    probes = orjson.loads(row["probes"])
    enterprise, is_known = enterprise_or_decoy(row["enterprise"])
    return VerificationInputs(
        agreement=agreement,
        allowed=row["allowed"],
        consent=consent,
        stored_answer=_json(row["kept"]),
        enterprise=enterprise,
        is_known=is_known,
        records=records_from_json(row["records"]),
        probes={tag: (found["asked"], found["revision"]) for tag, found in probes.items()},
    )


def read_values(
    call: AdmittedCall[VerificationRequest], agreement: Agreement, now: datetime
) -> dict[str, Any]:
    """The parameters of `READ_INPUTS` for a call under this agreement."""
    request, token = call.request.under(agreement), call.caller.token
    plan = request.plan
    return {
        **call_parameters(call, now),
        **context_values(call.runtime.catalogue, (*plan.open_datasets, *plan.closed_datasets)),
        "continues": None,
        "consent_id": token.consent_id,
        "entitled": token.uscc in {None, request.uscc}
        and not outside_agreement(request, agreement),
        "open_datasets": plan.open_datasets,
        "closed_questions": plan.closed_questions,
        "closed_datasets": plan.closed_datasets,
        "budgets": plan.budgets,
    }


def outside_agreement(request: VerificationRequest, agreement: Agreement) -> tuple[str, ...]:
    """The purpose and questions of a request that the agreement does not cover."""
    return agreement.missing(
        purpose=request.purpose, questions=[each.tag for each in request.questions]
    )


def _json(text: str | None) -> Any:  # a JSON object or nothing
    return None if text is None else orjson.loads(text)
