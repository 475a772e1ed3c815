"""Interactions: a consent request put to a person by redirect; decided once, and resumed once.

The authorization endpoint opens and resumes an interaction; the portal shows and decides it. Only the
session that it was shown to can decide and resume it, so its address is of no use to others.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self

from sqlalchemy import RowMapping, Select, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from consent import Request
from consent.mapping import request_from_json, request_to_json
from gateway.identity.keyed_rows import insert_keyed
from gateway.identity.sessions import is_live
from gateway.identity.tables import InteractionRow, SessionRow
from gateway.signing.keyed_digests import KeyedDigests

INTERACTION_LIFETIME: Final = timedelta(minutes=30)
"""Longer than an idle session, so that a person whose session has ended can continue."""

Outcome = Literal["granted", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """An interaction, as stored."""

    digest: bytes
    request_digest: bytes
    client_id: str
    asked: Request
    redirect_origin: str
    session_digest: bytes | None
    opened_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    outcome: Outcome | None
    consent_id: str | None
    uscc: str | None
    subject: str | None
    resumed_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> Self:
        """An interaction from the columns of its row."""
        return cls(
            **{name: value for name, value in row.items() if name != "ask"},
            asked=request_from_json(row["ask"]),
        )


async def open_interaction(
    connection: AsyncConnection,
    digests: KeyedDigests,
    *,
    request_digest: bytes,
    asked: Request,
    redirect_origin: str,
    now: datetime,
) -> str:
    """Open an interaction for a pushed request; the id goes into `/portal/decide/{id}`."""
    return await insert_keyed(
        connection,
        digests,
        "interaction",
        InteractionRow,
        request_digest=request_digest,
        client_id=asked.client_id,
        ask=request_to_json(asked),
        redirect_origin=redirect_origin,
        opened_at=now,
        expires_at=now + INTERACTION_LIFETIME,
    )


async def find(
    connection: AsyncConnection, digests: KeyedDigests, interaction_id: str
) -> Interaction | None:
    """The interaction of this id, in any state."""
    digest = digests.of("interaction", interaction_id)
    found = await connection.execute(select(*_COLUMNS).where(_is(digest)))
    row = found.mappings().one_or_none()
    return Interaction.from_row(row) if row else None


async def bind_session(
    connection: AsyncConnection, interaction: Interaction, *, session_digest: bytes, now: datetime
) -> bool:
    """Bind an interaction to the session it is shown to; false while another live session has it."""
    holder = col(InteractionRow.session_digest)
    other_is_live = (
        select(col(SessionRow.digest))
        .where(col(SessionRow.digest) == holder, is_live(now))
        .exists()
    )
    bound = await connection.execute(
        update(InteractionRow)
        .where(
            _is(interaction.digest),
            col(InteractionRow.decided_at).is_(None),
            or_(holder.is_(None), holder == session_digest, ~other_is_live),
        )
        .values(session_digest=session_digest)
        .returning(col(InteractionRow.digest)),
    )
    return bound.scalar_one_or_none() is not None


async def set_consent(
    connection: AsyncConnection, interaction: Interaction, uscc: str, consent_id: str
) -> None:
    """Note the consent that its decision page requests of the enterprise `uscc`."""
    await connection.execute(
        update(InteractionRow)
        .where(_is(interaction.digest), col(InteractionRow.decided_at).is_(None))
        .values(consent_id=consent_id, uscc=uscc)
    )


async def consents_requested(
    connection: AsyncConnection, request_digest: bytes, uscc: str
) -> list[str]:
    """The consents that undecided interactions of one pushed request ask of this enterprise."""
    found = await connection.execute(
        select(col(InteractionRow.consent_id)).where(
            col(InteractionRow.request_digest) == request_digest,
            col(InteractionRow.uscc) == uscc,
            col(InteractionRow.consent_id).is_not(None),
            col(InteractionRow.decided_at).is_(None),
        )
    )
    return [each for each in found.scalars() if each is not None]


async def is_request_decided(connection: AsyncConnection, request_digest: bytes) -> bool:
    """True where an interaction of this pushed request was decided."""
    found = await connection.execute(decided_interaction(request_digest))
    return found.scalar_one_or_none() is not None


def decided_interaction(request_digest: bytes) -> Select[Any]:
    """Query of the decided interaction of a pushed request; there is one at most."""
    return select(col(InteractionRow.digest)).where(
        col(InteractionRow.request_digest) == request_digest,
        col(InteractionRow.decided_at).is_not(None),
    )


async def decide(
    connection: AsyncConnection,
    interaction: Interaction,
    outcome: Outcome,
    *,
    uscc: str,
    consent_id: str | None,
    subject: str,
    session_digest: bytes,
    now: datetime,
) -> bool:
    """Decide an interaction, in the caller's transaction; false if it can no longer be decided.

    The unique index lets one interaction of a pushed request be decided, of any number open.
    """
    statement = (
        update(InteractionRow)
        .where(
            _is(interaction.digest),
            col(InteractionRow.session_digest) == session_digest,
            col(InteractionRow.decided_at).is_(None),
            col(InteractionRow.expires_at) > now,
        )
        .values(decided_at=now, outcome=outcome, consent_id=consent_id, uscc=uscc, subject=subject)
        .returning(col(InteractionRow.digest))
    )
    try:
        async with connection.begin_nested():
            decided = await connection.execute(statement)
            return decided.scalar_one_or_none() is not None
    except IntegrityError:
        return False


async def take_decided(
    connection: AsyncConnection,
    digests: KeyedDigests,
    interaction_id: str,
    *,
    session_digest: bytes,
    now: datetime,
) -> Interaction | None:
    """Take a decided interaction for the session that decided it, once."""
    taken = await connection.execute(
        update(InteractionRow)
        .where(
            _is(digests.of("interaction", interaction_id)),
            col(InteractionRow.session_digest) == session_digest,
            col(InteractionRow.decided_at).is_not(None),
            col(InteractionRow.resumed_at).is_(None),
            col(InteractionRow.expires_at) > now,
        )
        .values(resumed_at=now)
        .returning(*_COLUMNS),
    )
    row = taken.mappings().one_or_none()
    return Interaction.from_row(row) if row else None


_COLUMNS: Final = tuple(InteractionRow.__table__.columns)  # type: ignore[attr-defined]


def _is(digest: bytes) -> Any:  # a column expression
    return col(InteractionRow.digest) == digest
