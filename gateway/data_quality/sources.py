"""Sources that have delivered anything, and what each calls itself: one look-up by index for each."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.data_quality.bulletin import SourceMonth
from gateway.data_quality.month import Month
from gateway.data_quality.rules import QualityRules
from gateway.data_quality.store import figures_of_source
from gateway.db.statements import Statement

_TABLES: Final = ("record", "enterprise")
_NEXT: Final = {
    table: Statement(f"SELECT min(source_id) FROM {table} WHERE source_id > CAST(:after AS text)")  # noqa: S608  # constants
    for table in _TABLES
}
_NAME: Final = {
    table: Statement(f"""
SELECT source_name FROM {table} WHERE source_id = CAST(:source AS text)
 ORDER BY received_at DESC LIMIT 1""")  # noqa: S608  # constants
    for table in _TABLES
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveringSource:
    """A source by its id and the name in its latest record."""

    source_id: str
    name: str


async def sources_after(
    connection: AsyncConnection, after: str = ""
) -> AsyncIterator[DeliveringSource]:
    """Sources of any record, by id."""
    while True:
        found = [
            (await connection.execute(each, {"after": after})).scalar_one()
            for each in _NEXT.values()
        ]
        after = min((each for each in found if each is not None), default="")
        if not after:
            return
        yield DeliveringSource(source_id=after, name=await _name(connection, after))


async def sources_page(
    connection: AsyncConnection, after: str, size: int
) -> list[DeliveringSource]:
    """The next `size` sources at most."""
    found: list[DeliveringSource] = []
    async for source in sources_after(connection, after):
        found.append(source)
        if len(found) == size:
            break
    return found


async def months_of_sources(
    connection: AsyncConnection,
    month: Month,
    *,
    catalogue: Catalogue,
    rules: QualityRules,
) -> AsyncIterator[SourceMonth]:
    """Each source's figures of the month and of the one before."""
    async for source in sources_after(connection):
        figures, before = [
            await figures_of_source(
                connection, source.source_id, each, catalogue=catalogue, rules=rules
            )
            for each in (month, month.previous)
        ]
        yield SourceMonth(
            source_id=source.source_id, name=source.name, figures=figures, before=before
        )


async def _name(connection: AsyncConnection, source_id: str) -> str:
    for statement in _NAME.values():
        name = (await connection.execute(statement, {"source": source_id})).scalar_one_or_none()
        if name is not None:
            return str(name)
    return source_id
