"""Plans of the merge's look-ups where the tables' statistics are worst: of a database that was empty."""

from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import orjson
import pytest

from gateway.db.statements import Statement
from gateway.ingest.merge.merge_sql import BY_KEY, STATEMENTS
from gateway.ingest.merge.staging_table import ENTERPRISE_STAGING, RECORD_STAGING, StagingTable

pytestmark = pytest.mark.asyncio

LOOK_UPS: Final = [
    *((ENTERPRISE_STAGING, name) for name in ("classify", "new_representatives", "reachable")),
    *((RECORD_STAGING, name) for name in ("classify", "told", "earlier", "reachable", "created")),
]
TABLES: Final = {"enterprise", "record", "disclosure", "record_history", "notice_place"}


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read one of the large tables, or look into one of their indexes."""
    if plan.get("Relation Name") in TABLES:
        yield plan
    for each in plan.get("Plans", ()):
        yield from _scans(each)


@pytest.mark.parametrize(
    ("target", "name"), LOOK_UPS, ids=[f"{target.table}-{name}" for target, name in LOOK_UPS]
)
async def test_each_staged_row_is_looked_up_by_its_enterprise(
    migrated_url: str, target: StagingTable, name: str
) -> None:
    """Never the other way round, nor by a scan: a first load would take a square of its time."""
    statement: Statement = getattr(STATEMENTS[target.table, False], name)
    connection = await asyncpg.connect(migrated_url.replace("postgresql+asyncpg", "postgresql"))
    try:
        async with connection.transaction():
            for each in STATEMENTS.values():
                await connection.execute(each.prepare)
            await connection.execute(BY_KEY)
            values = {"told": ["r"], "usccs": ["u"], "affects_others": False}
            arguments = [values.get(each, each) for each in statement.names]
            told = await connection.fetchval(
                f"EXPLAIN (FORMAT JSON) {statement.positional}", *arguments
            )
    finally:
        await connection.close()
    read = [
        (each["Relation Name"], each)
        for each in _scans(orjson.loads(told)[0]["Plan"])
        if each["Node Type"] != "ModifyTable"
    ]
    assert read
    for relation, scan in read:
        conditions = f"{scan.get('Index Cond', '')} {scan.get('Recheck Cond', '')}"
        assert "(uscc = s.uscc)" in conditions or "(uscc = m.uscc)" in conditions, (relation, scan)
