"""Two enterprises that differ only in undisclosed records: 300 penalties and none."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.engine import make_url

from gateway.synthetic.generator.uscc_generator import make_uscc
from tests.gateway_fixture import GatewayFixture

MANY = make_uscc(300, 20250828, "firm", "330106")
"""An enterprise with 300 penalties, of which half are over and half were repaired."""
FEW = make_uscc(301, 20250828, "firm", "330106")
"""The same enterprise without any."""


@asynccontextmanager
async def connection_to(gateway: GatewayFixture) -> AsyncIterator[asyncpg.Connection]:
    """A database connection."""
    address = make_url(gateway.settings.database_url)
    _, arguments = address.get_dialect()().create_connect_args(address)
    made = await asyncpg.connect(**arguments)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def with_closed_records(gateway: GatewayFixture) -> AsyncIterator[None]:
    """Copy both enterprises from the province, with penalties for one, inside the block."""
    template = gateway.uscc("penalised")
    async with connection_to(gateway) as connection:
        for code in (MANY, FEW):
            await connection.execute(
                """INSERT INTO enterprise SELECT (jsonb_populate_record(
                       CAST(NULL AS public.enterprise), to_jsonb(e) || jsonb_build_object(
                       'uscc', $1::text, 'registration_id', $2::text, 'personal', NULL))).*
                   FROM enterprise e WHERE uscc = $3""",
                code,
                f"rec_{secrets.token_hex(8)}",
                template,
            )
        await connection.execute(
            """INSERT INTO record SELECT (jsonb_populate_record(
                   CAST(NULL AS public.record), to_jsonb(r) || jsonb_build_object(
                   'uscc', $1::text, 'record_id', 'rec_dark_' || i, 'natural_key', 'dark ' || i,
                   'publicity_ends_on', CASE WHEN i % 2 = 0 THEN '2020-01-01' END,
                   'repaired_at', CASE WHEN i % 2 = 1 THEN '2020-01-01T00:00:00Z' END))).*
               FROM (SELECT * FROM record WHERE uscc = $2 AND dataset = 'penalty' LIMIT 1) r,
                    generate_series(1, 300) i""",
            MANY,
            template,
        )
        try:
            yield
        finally:
            await connection.execute("DELETE FROM record WHERE uscc = $1", MANY)
            await connection.execute("DELETE FROM enterprise WHERE uscc = ANY($1)", [MANY, FEW])
