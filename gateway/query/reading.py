"""The one read statement of a query: everything its answer can depend on, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from consent.model import Consent
from consent.spending import READ_CONSENT, consent_from_json
from gateway.access.admission import IdempotencyKey
from gateway.access.caller import Caller
from gateway.access.kept import KEPT_JSON
from gateway.access.standing import STANDING_JSON, Standing, standing_from_json
from gateway.creditfile.reading import (
    ENTERPRISE_JSON,
    RECORDS_JSON,
    enterprise_from_json,
    records_from_json,
)
from gateway.creditfile.records import Enterprise, Record
from gateway.creditfile.telling import SERIOUS_LIST
from gateway.db.hot import HotDatabase, Statement
from gateway.query.ask import Ask

READ = Statement(f"""
    SELECT {STANDING_JSON} AS standing,
           {READ_CONSENT} AS consent,
           {KEPT_JSON} AS kept,
           {ENTERPRISE_JSON} AS enterprise,
           {RECORDS_JSON} AS records
    """)  # constants only

# The list of serious violations prolongs how long others are told, so it is always read.
ALWAYS_READ = (SERIOUS_LIST,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What the statement found."""

    standing: Standing
    consent: Consent | None
    kept: Mapping[str, Any] | None
    enterprise: Enterprise | None
    records: tuple[Record, ...]


async def read(hot: HotDatabase, caller: Caller, ask: Ask, key: IdempotencyKey | None) -> Read:
    """Read once, for this caller and ask."""
    row = await hot.row(
        READ,
        {
            "client_id": caller.client_id,
            "jti": caller.token.jti,
            "uscc": ask.uscc,
            "purpose": ask.purpose,
            "consent_id": ask.consent_id,
            "key": key.key if key else None,
            "datasets": [*ask.datasets, *ALWAYS_READ],
        },
    )
    if row is None:
        raise RuntimeError("a SELECT without FROM gives one row")
    return Read(
        standing=standing_from_json(orjson.loads(row["standing"])),
        consent=consent_from_json(orjson.loads(row["consent"])) if row["consent"] else None,
        kept=orjson.loads(row["kept"]) if row["kept"] else None,
        enterprise=enterprise_from_json(row["enterprise"]),
        records=records_from_json(row["records"]),
    )
