"""Queries of told outcomes: whose a query is, its outcomes, and the next version with its log leaf."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement
from gateway.disclosure.application_outcomes.leaf import leaf_hash, leaf_id
from gateway.disclosure.application_outcomes.model import (
    ApplicationOutcome,
    OutcomeReason,
    ToldOutcome,
)
from gateway.transparency.disclosure_leaf import new_salt

_MERGED: Final = Statement(
    "SELECT uscc FROM log_entry WHERE disclosure_id = CAST(:disclosure_id AS text)"
)
_PENDING: Final = Statement(
    "SELECT uscc FROM pending_leaf WHERE disclosure_id = CAST(:disclosure_id AS text)"
)
_QUERY: Final = Statement("""
    SELECT at FROM disclosure
    WHERE uscc = CAST(:uscc AS text) AND disclosure_id = CAST(:disclosure_id AS text)
      AND client_id = CAST(:client_id AS text) AND kind = 'query' AND outcome = 'told'""")
_COLUMNS: Final = "uscc, disclosure_id, version, client_id, outcome, reasons, leaf_hash, at"
_OUTCOMES: Final = Statement(f"""
    SELECT {_COLUMNS} FROM application_outcome
    WHERE uscc = CAST(:uscc AS text) AND disclosure_id = ANY(CAST(:disclosure_ids AS text[]))
    ORDER BY disclosure_id, version DESC""")  # noqa: S608  # constants
_ADD: Final = Statement("""
    INSERT INTO application_outcome (uscc, disclosure_id, version, client_id, outcome, reasons, salt,
                                     leaf_hash, at)
    VALUES (:uscc, :disclosure_id, :version, :client_id, :outcome, CAST(:reasons AS text[]), :salt,
            :leaf_hash, :at)
    ON CONFLICT (uscc, disclosure_id, version) DO NOTHING""")
_ADD_LEAF: Final = Statement("""
    INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
    VALUES (:uscc, :leaf_id, :leaf_hash, :at)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnQuery:
    """A query that a client made and was answered."""

    uscc: str
    disclosure_id: str
    client_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOutcome:
    """A told outcome and the hash of its leaf."""

    told: ToldOutcome
    leaf_hash: bytes


async def find_query(
    connection: AsyncConnection, client_id: str, disclosure_id: str
) -> OwnQuery | None:
    """The client's query of this id; `None` where it is unknown, refused or another client's.

    Each of these is asked for in the same statements. A leaf that is merged meanwhile is found.
    """
    named = {"disclosure_id": disclosure_id}
    pending = (await connection.execute(_PENDING, named)).scalar_one_or_none()
    merged = (await connection.execute(_MERGED, named)).scalar_one_or_none()
    uscc = pending or merged or ""
    values = {**named, "uscc": uscc, "client_id": client_id}
    at = (await connection.execute(_QUERY, values)).scalar_one_or_none()
    if at is None:
        return None
    return OwnQuery(uscc=uscc, disclosure_id=disclosure_id, client_id=client_id, at=at)


async def outcomes_of(
    connection: AsyncConnection, uscc: str, disclosure_ids: Collection[str]
) -> Mapping[str, Sequence[LoggedOutcome]]:
    """The outcomes told of these queries about one enterprise, by query, the newest first."""
    values = {"uscc": uscc, "disclosure_ids": sorted(disclosure_ids)}
    found: dict[str, list[LoggedOutcome]] = {}
    for row in await connection.execute(_OUTCOMES, values):
        found.setdefault(row.disclosure_id, []).append(_read(row))
    return found


async def add_outcome(connection: AsyncConnection, told: ToldOutcome) -> LoggedOutcome | None:
    """Write this version and its leaf; `None` where another call has written it meanwhile."""
    salt = new_salt()
    logged = LoggedOutcome(told=told, leaf_hash=leaf_hash(told, salt))
    values = {
        "uscc": told.uscc,
        "disclosure_id": told.disclosure_id,
        "version": told.version,
        "client_id": told.client_id,
        "outcome": told.outcome.value,
        "reasons": [each.value for each in told.reasons],
        "salt": salt,
        "leaf_hash": logged.leaf_hash,
        "leaf_id": leaf_id(told),
        "at": told.at,
    }
    added = await connection.execute(_ADD, {name: values[name] for name in _ADD.names})
    if not added.rowcount:
        return None
    await connection.execute(_ADD_LEAF, {name: values[name] for name in _ADD_LEAF.names})
    return logged


def _read(row: Any) -> LoggedOutcome:
    return LoggedOutcome(
        told=ToldOutcome(
            uscc=row.uscc,
            disclosure_id=row.disclosure_id,
            version=row.version,
            client_id=row.client_id,
            outcome=ApplicationOutcome(row.outcome),
            reasons=tuple(OutcomeReason(each) for each in row.reasons),
            at=row.at,
        ),
        leaf_hash=row.leaf_hash,
    )
