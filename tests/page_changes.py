"""Every kind of change of what a page of an enterprise code is made of, by SQL."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

CHANGES: Final = {
    "an objection": "UPDATE record SET objection_since = :now WHERE uscc = :uscc",
    "its end": "UPDATE record SET objection_since = NULL WHERE uscc = :uscc",
    "a correction": """UPDATE record SET fields = fields || '{"facts": "已更正"}' WHERE uscc = :uscc""",
    "a suspension": "UPDATE record SET suspended_at = :now WHERE uscc = :uscc",
    "a reinstatement": "UPDATE record SET suspended_at = NULL WHERE uscc = :uscc",
    "a repair": "UPDATE record SET repaired_at = :now WHERE uscc = :uscc",
    "a revoked repair": "UPDATE record SET repaired_at = NULL WHERE uscc = :uscc",
    "a withdrawal": "UPDATE record SET withdrawn_at = :now WHERE uscc = :uscc",
    "its undoing": "UPDATE record SET withdrawn_at = NULL WHERE uscc = :uscc",
    "a deletion": "DELETE FROM record WHERE uscc = :uscc",
    "another name": "UPDATE enterprise SET name = '杭州云栖新名有限公司' WHERE uscc = :uscc",
    "a deregistration": "UPDATE enterprise SET status = 'deregistered' WHERE uscc = :uscc",
    "a source's silence": "UPDATE enterprise SET unavailable = '{penalty}' WHERE uscc = :uscc",
    "an objection to the registration": "UPDATE enterprise SET objection_since = :now WHERE uscc = :uscc",
    "another phrase": "UPDATE enterprise_code SET check_phrase = '白云 青山' WHERE uscc = :uscc",
    "a revoked code": "UPDATE enterprise_code SET revoked_at = :now WHERE uscc = :uscc",
}
"""SQL that changes the page, whoever runs it."""


async def change_page(engine: AsyncEngine, sql: str, *, uscc: str, now: datetime) -> None:
    """Make one change of `CHANGES` to an enterprise with one record and one code."""
    values = {"uscc": uscc, "now": now}
    named = {name: values[name] for name in values if f":{name}" in sql}
    async with engine.begin() as connection:
        assert (await connection.execute(text(sql), named)).rowcount == 1, sql
