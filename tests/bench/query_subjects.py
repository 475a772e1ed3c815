"""Enterprises whose credit files fill a page of records, with consents for the kit's bank.

A small province has few such enterprises: to others are added copies of a valid licence of their own,
each with another number.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from consent import Purpose, Request
from gateway.creditfile.catalogue import load_catalogue
from gateway.db.engine import make_engine
from tests.bench.environment import Environment
from tests.bench.options import BANK
from tests.consent_grants import Grant, insert_granted

RECORDS_OF_A_PAGE: Final = 20
RECORD: Final = b'"record_id":'
SUBJECTS: Final = 300
DATASETS: Final = ("registration", "licence", "penalty", "public_rating", "tax_and_social")
PURPOSE: Final = Purpose.LOAN_APPROVAL
_TERM: Final = timedelta(days=100)
_COPIES: Final = text("""
    WITH model AS (
        SELECT DISTINCT ON (r.uscc) r AS record
        FROM record r JOIN enterprise e USING (uscc)
        WHERE e.code_ok AND e.unavailable = '{}' AND r.dataset = 'licence' AND r.personal IS NULL
          AND r.withdrawn_at IS NULL AND r.suspended_at IS NULL AND r.valid_to > current_date
        ORDER BY r.uscc LIMIT :subjects),
    copies AS (
        INSERT INTO record SELECT (jsonb_populate_record(record, jsonb_build_object(
            'record_id', (record).record_id || '-' || copy,
            'natural_key', (record).natural_key || '-' || copy,
            'fields', CAST(replace(CAST((record).fields AS text), number,
                                   left(number, -3) || copy) AS jsonb)))).*
        FROM (SELECT record, (record).fields ->> 'number' AS number FROM model) AS numbered,
             generate_series(101, 100 + :records) AS copy)
    SELECT e.uscc, e.kind FROM model JOIN enterprise e ON e.uscc = (record).uscc""")
_ANALYZE: Final = text("ANALYZE record, consent")


async def granted_queries(environment: Environment) -> tuple[bytes, ...]:
    """The body of one query about each of these enterprises."""
    client_id = environment.kit["clients"][BANK]["client_id"]
    engine = make_engine(environment.settings.database_url)
    async with engine.begin() as connection:
        found = await connection.execute(
            _COPIES, {"subjects": SUBJECTS, "records": RECORDS_OF_A_PAGE}
        )
        subjects = [(row.uscc, row.kind) for row in found]
        await _grant(connection, client_id, subjects)
        await connection.execute(_ANALYZE)
    await engine.dispose()
    return tuple(_body_about(uscc) for uscc, _ in subjects)


async def _grant(
    connection: AsyncConnection, client_id: str, subjects: list[tuple[str, str]]
) -> None:
    """Consents to all these datasets, with unlimited uses."""
    catalogue, now = load_catalogue(), datetime.now(UTC)
    for uscc, kind in subjects:
        asked = Request(
            client_id=client_id,
            uscc=uscc,
            purpose=PURPOSE,
            datasets=DATASETS,
            questions=(),
            valid_until=now + _TERM,
            max_uses=None,
        )
        await insert_granted(connection, Grant(asked=asked, kind=kind), catalogue, now=now)


def _body_about(uscc: str) -> bytes:
    return orjson.dumps(
        {
            "enterprise": {"uscc": uscc},
            "purpose": PURPOSE.value,
            "datasets": DATASETS,
            "page": {"size": RECORDS_OF_A_PAGE},
        }
    )
