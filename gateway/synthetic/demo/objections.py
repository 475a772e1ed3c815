"""Demo objections: one for each synthetic record marked as disputed."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.objections import lifecycle, store
from gateway.creditfile.objections.model import Actor, ObjectionChanged, Role
from gateway.creditfile.tables import record
from gateway.disclosure.ids import new_id

TEXT: Final = "（合成数据）我单位认为这条记录有误，请核实并更正。"
WANTED: Final = "（合成数据）撤下这条记录。"


async def raise_for_marks(connection: AsyncConnection, catalogue: Catalogue) -> int:
    """Raise an objection for each marked record, dated as its mark; the number raised."""
    columns = record.c
    marked = await connection.execute(
        select(columns.uscc, columns.record_id, columns.objection_since).where(
            columns.objection_since.is_not(None)
        )
    )
    return sum(
        [
            await _raise(connection, catalogue, uscc, record_id, since)
            for uscc, record_id, since in marked.all()
        ]
    )


async def _raise(
    connection: AsyncConnection, catalogue: Catalogue, uscc: str, record_id: str, moment: datetime
) -> bool:
    locked = await store.lock_record(connection, uscc, record_id)
    if locked is None:
        return False
    raised = lifecycle.create(
        locked.ground,
        objection_id=new_id("obj"),
        text=TEXT,
        wanted=WANTED,
        actor=Actor(role=Role.ENTERPRISE, name="synthetic", party=uscc),
        kinds=catalogue.objections,
        now=moment,
    )
    return isinstance(raised, ObjectionChanged) and await store.add(connection, raised)
