"""The one read statement of a verification: everything its answer can depend on, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from consent.model import Consent
from consent.spending import READ_CONSENT_FOR_ANSWERS, consent_from_json
from gateway.access.admission import IdempotencyKey
from gateway.access.caller import Caller
from gateway.access.kept import KEPT_JSON
from gateway.access.standing import STANDING_JSON, Standing, standing_from_json
from gateway.answers.ask import Ask
from gateway.answers.decoy import enterprise_or_decoy
from gateway.creditfile.reading import (
    ENTERPRISE_JSON,
    RECORDS_JSON,
    records_from_json,
)
from gateway.creditfile.records import Enterprise, Record
from gateway.creditfile.telling import SERIOUS_LIST
from gateway.db.hot import HotDatabase, Statement

# Records that only questions under consent rest on are not even read without one: how long their
# reading takes would tell how many there are.
DATASETS = "CAST(:datasets AS text[])"
READABLE = """CAST((
    SELECT CASE WHEN h.consent ->> 'status' = 'active'
                 AND CAST(h.consent ->> 'valid_until' AS timestamptz) > CAST(:now AS timestamptz)
                 AND h.consent -> 'questions' ?| CAST(:under_consent AS text[])
           THEN CAST(:datasets AS text[]) ELSE CAST(:open_datasets AS text[]) END
    FROM held h) AS text[])"""

READ = Statement(f"""
    WITH held AS MATERIALIZED (SELECT {READ_CONSENT_FOR_ANSWERS} AS consent)
    SELECT {STANDING_JSON} AS standing,
           (SELECT consent FROM held) AS consent,
           {KEPT_JSON} AS kept,
           {ENTERPRISE_JSON} AS enterprise,
           {RECORDS_JSON.replace(DATASETS, READABLE)} AS records,
           (SELECT coalesce(jsonb_object_agg(p.question, jsonb_build_object(
                       'asked', p.asked, 'revision', p.revision)), '{{}}'::jsonb)
            FROM probe p
            WHERE p.uscc = CAST(:uscc AS text) AND p.client_id = CAST(:client_id AS text)
              AND p.question = ANY(CAST(:questions AS text[]))) AS probes
    """)  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What the statement found. `probes`: question → (value digest → first asked, revision).

    Where the enterprise is not known, `enterprise` is a decoy that nothing may be told of.
    """

    standing: Standing
    consent: Consent | None
    kept: Mapping[str, Any] | None
    enterprise: Enterprise
    is_known: bool
    records: tuple[Record, ...]
    probes: Mapping[str, tuple[Mapping[str, int], int]]


async def read(
    hot: HotDatabase, caller: Caller, ask: Ask, key: IdempotencyKey | None, now: datetime
) -> Read:
    """Read once, for this caller and ask."""
    row = await hot.row(
        READ,
        {
            "client_id": caller.client_id,
            "jti": caller.token.jti,
            "uscc": ask.uscc,
            "purpose": ask.purpose,
            "consent_id": caller.token.consent_id,
            "key": key.key if key else None,
            "datasets": _with_serious_list(ask.datasets),
            "open_datasets": _with_serious_list(ask.open_datasets),
            "under_consent": list(ask.under_consent),
            "now": now,
            "questions": [each.tag for each in ask.questions],
        },
    )
    if row is None:
        raise RuntimeError("a SELECT without FROM gives one row")
    consent = _json(row["consent"])
    probes = orjson.loads(row["probes"])
    enterprise, is_known = enterprise_or_decoy(row["enterprise"])
    return Read(
        standing=standing_from_json(orjson.loads(row["standing"])),
        consent=consent_from_json(consent) if consent else None,
        kept=_json(row["kept"]),
        enterprise=enterprise,
        is_known=is_known,
        records=records_from_json(row["records"]),
        probes={tag: (found["asked"], found["revision"]) for tag, found in probes.items()},
    )


def _with_serious_list(datasets: tuple[str, ...]) -> list[str]:
    """It is public, and prolongs how long others are told: what the page shows, no answer denies."""
    return sorted({*datasets, SERIOUS_LIST}) if datasets else []


def _json(text: str | None) -> Any:  # a JSON object or nothing
    return None if text is None else orjson.loads(text)
