"""Where the province has a mark there is an objection behind it, which the demo's people can follow."""

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
    """Raise an objection for each marked record, at the moment of its mark; how many that were."""
    of = record.c
    marked = await connection.execute(
        select(of.uscc, of.record_id, of.objection_since).where(of.objection_since.is_not(None))
    )
    return sum(
        [
            await _raise(connection, catalogue, uscc, record_id, since)
            for uscc, record_id, since in marked.all()
        ]
    )


async def _raise(
    connection: AsyncConnection, catalogue: Catalogue, uscc: str, record_id: str, since: datetime
) -> bool:
    held = await store.lock_record(connection, uscc, record_id)
    if held is None:
        return False
    raised = lifecycle.create(
        held.ground,
        objection_id=new_id("obj"),
        text=TEXT,
        wanted=WANTED,
        actor=Actor(role=Role.ENTERPRISE, name="synthetic", party=uscc),
        kinds=catalogue.objections,
        now=since,
    )
    return isinstance(raised, ObjectionChanged) and await store.add(connection, raised)
