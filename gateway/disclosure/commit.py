"""The write statement of an answer: disclosure, consent use, probes and stored answer, all or nothing.

It checks again that the consent holds and that every record relied on is the version that was read.
If anything has changed since (consent withdrawn or used up, record repaired, same probe or idempotency
key in between), the call is undone and the caller reads again. Calls that are under way together are
written in one statement, each all or nothing by itself.

The records stay locked until the commit: a change of one waits for it, and then finds this disclosure
when it writes its withdrawal notices (R14).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.engine import to_json
from gateway.db.prepared import HotDatabase, certain
from gateway.db.statements import SetStatement
from gateway.db.unavailable import CONFLICTS, makes_unfit
from gateway.disclosure.idempotency import IdempotencyKey, oldest_answer_time
from gateway.disclosure.items import DisclosedItem
from gateway.transparency.disclosure_leaf import Disclosure, DisclosureLeaf

STATE_CHANGED = "XQ001"
STATE_CHANGED_CODES = CONFLICTS | {STATE_CHANGED}
LARGEST_WRITE: Final = 48
"""Disclosures in one statement: each is a subtransaction, and PostgreSQL tracks 64 at little cost."""

_PARAMETERS: Final[Mapping[str, str]] = {
    "uscc": "text",
    "disclosure_id": "text",
    "client_id": "text",
    "kind": "text",
    "outcome": "text",
    "reason": "text",
    "purpose": "text",
    "consent_id": "text",
    "agreement_version": "integer",
    "asked": "jsonb",
    "relied_on": "jsonb",
    "items": "jsonb",
    "result_digest": "bytea",
    "leaf_hash": "bytea",
    "salt": "bytea",
    "now": "timestamptz",
    "consent_version": "integer",
    "held_version": "integer",
    "key": "text",
    "request_digest": "bytea",
    "answer": "text",
    "replaceable_before": "timestamptz",
    "probes": "jsonb",
}
DISCLOSE = SetStatement.function("xinqiao_disclose", _PARAMETERS, key=("uscc", "client_id"))
"""Made by migrations 0060 and 0075; its result is the number of uses left."""
DISCLOSE_ALL = SetStatement.array_function("xinqiao_disclose_many", _PARAMETERS)
"""Made by migration 0059; its results are these numbers."""

NOTHING_SPENT: Final[Mapping[str, Any]] = {
    "items": None,
    "consent_version": None,
    "held_version": None,
    "key": None,
    "request_digest": b"",
    "answer": "",
    "probes": "[]",
}


class Probe(NamedTuple):
    """One question's probe budget after this answer; `revision` is the one that was read."""

    question: str
    asked: Mapping[str, int]
    revision: int


class PendingDisclosure(NamedTuple):
    """A disclosure to commit, with its answer and costs.

    `consent_version` is set where a use of the consent is spent, `held_version` where the consent must
    hold but nothing is spent (a further page). `sealed_answer` is stored under `key`.
    """

    disclosure: Disclosure
    leaf: DisclosureLeaf
    consent_version: int | None
    key: IdempotencyKey | None
    answer: bytes
    sealed_answer: str
    held_version: int | None = None
    probes: Sequence[Probe] = ()
    items: Sequence[DisclosedItem] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """The disclosure is written; `uses_left` is `None` if nothing was spent or uses are unlimited."""

    uses_left: int | None


class StateChanged:
    """The state has changed since it was read, and nothing was written: read again."""


async def commit(hot: HotDatabase, pending: PendingDisclosure) -> Committed | StateChanged:
    """Write a disclosure, spend the consent use, count the probes: all or nothing."""
    try:
        row = await hot.submit(DISCLOSE, _values(pending))
    except asyncpg.PostgresError as error:
        if error.sqlstate in STATE_CHANGED_CODES:
            return StateChanged()
        raise
    return Committed(uses_left=certain(row)["result"])


async def commit_set(
    hot: HotDatabase, pending: Sequence[PendingDisclosure]
) -> list[Committed | StateChanged]:
    """Write disclosures of one client about different enterprises, each all or nothing by itself.

    One that met a lock or a value that cannot be written counts as changed: it is left to be read and
    written by itself.
    """
    if len(pending) > 1 and hot.has_sets:
        written = await _commit_all(hot, pending)
        if written is not None:
            return [*written]
    outcomes: list[Committed | StateChanged] = []
    for first in range(0, len(pending), LARGEST_WRITE):
        outcomes += await _commit_each(hot, pending[first : first + LARGEST_WRITE])
    return outcomes


async def _commit_all(
    hot: HotDatabase, pending: Sequence[PendingDisclosure]
) -> list[Committed] | None:
    """Write all of them in one statement; `None` if nothing was written."""
    try:
        rows = await hot.run_set(DISCLOSE_ALL, [_values(each) for each in pending])
    except (asyncpg.PostgresError, ValueError) as error:
        if makes_unfit(error):
            raise
        return None
    return [Committed(uses_left=certain(row)["result"]) for row in rows]


async def _commit_each(
    hot: HotDatabase, pending: Sequence[PendingDisclosure]
) -> list[Committed | StateChanged]:
    """Write each by itself, in one statement."""
    try:
        rows = await hot.run_set(DISCLOSE, [_values(each) for each in pending])
    except (asyncpg.PostgresError, ValueError) as error:
        if makes_unfit(error):
            raise
        return [StateChanged() for _ in pending]  # nothing of it was written
    return [StateChanged() if row is None else Committed(uses_left=row["result"]) for row in rows]


def pending_refusal(
    disclosure: Disclosure, key: IdempotencyKey | None = None, answer: bytes = b""
) -> PendingDisclosure:
    """The log entry of a refused request, written once for its `key`; `answer` is not stored."""
    return PendingDisclosure(
        disclosure=disclosure,
        leaf=DisclosureLeaf.of(disclosure),
        consent_version=None,
        key=key,
        answer=answer,
        sealed_answer="",
    )


async def log_refusal(hot: HotDatabase, disclosure: Disclosure) -> None:
    """Log a refused request of an authenticated client (R10)."""
    leaf = DisclosureLeaf.of(disclosure)
    await hot.submit(DISCLOSE, {**_row(disclosure, leaf), **NOTHING_SPENT})


async def commit_within(
    connection: AsyncConnection, disclosure: Disclosure, items: Sequence[DisclosedItem]
) -> bool:
    """Write a disclosure that needs no consent, in the caller's transaction.

    `False`, and the transaction can only be rolled back, if a record that it relies on has changed.
    """
    values = {
        **_row(disclosure, DisclosureLeaf.of(disclosure)),
        **NOTHING_SPENT,
        "items": to_json([each.as_json() for each in items]),
    }
    try:
        await connection.execute(DISCLOSE.single, values)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in STATE_CHANGED_CODES:
            return False
        raise
    return True


def _values(pending: PendingDisclosure) -> dict[str, Any]:
    key = pending.key
    return {
        **_row(pending.disclosure, pending.leaf),
        "items": None
        if pending.disclosure.outcome == "refused"
        else to_json([each.as_json() for each in pending.items]),
        "consent_version": pending.consent_version,
        "held_version": pending.held_version,
        "key": key.key if key else None,
        "request_digest": key.request_digest if key else b"",
        "answer": pending.sealed_answer,
        "probes": to_json(
            [
                {"question": p.question, "asked": dict(p.asked), "revision": p.revision}
                for p in pending.probes
            ]
        ),
    }


def _row(disclosure: Disclosure, leaf: DisclosureLeaf) -> dict[str, Any]:
    return {
        "uscc": disclosure.uscc,
        "disclosure_id": disclosure.disclosure_id,
        "client_id": disclosure.client_id,
        "kind": disclosure.kind,
        "outcome": disclosure.outcome,
        "reason": disclosure.reason,
        "purpose": disclosure.purpose,
        "consent_id": disclosure.consent_id,
        "agreement_version": disclosure.agreement_version,
        "asked": to_json(disclosure.asked),
        "relied_on": to_json(disclosure.relied_on),
        "result_digest": disclosure.result_digest,
        "leaf_hash": leaf.hash,
        "salt": leaf.salt,
        "now": disclosure.at,
        "replaceable_before": oldest_answer_time(disclosure.at),
    }
