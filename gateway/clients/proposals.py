"""Proposed agreement versions: stored, and decided once by another operator than the proposer.

Each decision is one statement on the digest that was read; the table's own constraint
(`approved_by_another`) and trigger guard it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.clients.tables import AgreementProposalRow
from gateway.clients.terms import Terms

_TABLE: Final = AgreementProposalRow.__table__  # type: ignore[attr-defined]  # SQLModel makes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposed agreement version, open or decided."""

    proposal_id: str
    client_id: str
    version: int
    document: Mapping[str, Any]
    digest: bytes
    widens: tuple[str, ...]
    status: str
    proposed_by: str
    proposed_name: str | None
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def terms(self) -> Terms:
        """The proposed terms."""
        return Terms.from_document(self.document)


async def propose(connection: AsyncConnection, proposal: Proposal) -> None:
    """Insert a proposal; it supersedes an open one of the same client."""
    await supersede_open(connection, proposal.client_id, now=proposal.proposed_at)
    await connection.execute(
        insert(_TABLE).values(
            **{name: getattr(proposal, name) for name in Proposal.__dataclass_fields__}
            | {"widens": list(proposal.widens), "document": dict(proposal.document)}
        )
    )


async def decide(
    connection: AsyncConnection, proposal: Proposal, status: str, *, operator: str, now: datetime
) -> bool:
    """Approve or reject an open proposal of this digest; false where it is no longer open."""
    decided = await connection.execute(
        update(_TABLE)
        .where(
            _TABLE.c.proposal_id == proposal.proposal_id,
            _TABLE.c.status == "open",
            _TABLE.c.digest == proposal.digest,
        )
        .values(status=status, decided_by=operator, decided_at=now)
        .returning(_TABLE.c.proposal_id)
    )
    return decided.scalar_one_or_none() is not None


async def supersede_open(connection: AsyncConnection, client_id: str, *, now: datetime) -> None:
    """Supersede a client's open proposals: their base version no longer counts."""
    await connection.execute(
        update(_TABLE)
        .where(_TABLE.c.client_id == client_id, _TABLE.c.status == "open")
        .values(status="superseded", decided_at=now)
    )


async def proposal_of(connection: AsyncConnection, proposal_id: str) -> Proposal | None:
    """The proposal of this id."""
    asked = select(_TABLE).where(_TABLE.c.proposal_id == proposal_id)
    row = (await connection.execute(asked)).one_or_none()
    return _proposal(row) if row is not None else None


async def proposals_for(
    connection: AsyncConnection, client_id: str | None = None, *, status: str | None = None
) -> list[Proposal]:
    """Proposals, the newest first, by client and by status if given."""
    asked = select(_TABLE).order_by(_TABLE.c.proposed_at.desc(), _TABLE.c.proposal_id)
    if client_id is not None:
        asked = asked.where(_TABLE.c.client_id == client_id)
    if status is not None:
        asked = asked.where(_TABLE.c.status == status)
    return [_proposal(row) for row in await connection.execute(asked)]


def _proposal(row: Row[Any]) -> Proposal:
    found = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return Proposal(**found | {"widens": tuple(found["widens"])})
