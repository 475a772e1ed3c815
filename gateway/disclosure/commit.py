"""The write statement of an answer: disclosure, consent use, probes and stored answer, all or nothing.

It checks again that the consent holds and that every record relied on is the version that was read.
If anything has changed since (consent withdrawn or used up, record repaired, same probe or idempotency
key in between), the statement is undone and the caller reads again.

The records stay locked until the commit: a change of one waits for it, and then finds this disclosure
when it writes its withdrawal notices (R14).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from consent.use_counter import SPEND
from gateway.db.engine import to_json
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.db.unavailable import CONFLICTS
from gateway.disclosure.idempotency import IdempotencyKey
from gateway.disclosure.items import DisclosedItem
from gateway.transparency.disclosure_leaf import Disclosure, leaf_hash, new_salt

STATE_CHANGED = "XQ001"
STATE_CHANGED_CODES = CONFLICTS | {STATE_CHANGED}

DISCLOSED = """
    disclosed AS (
        INSERT INTO disclosure (
            uscc, disclosure_id, client_id, kind, outcome, reason, purpose, consent_id,
            agreement_version, asked, relied_on, items, result_digest, leaf_hash, at)
        VALUES (
            CAST(:uscc AS text), CAST(:disclosure_id AS text), CAST(:client_id AS text),
            CAST(:kind AS text), CAST(:outcome AS text), CAST(:reason AS text),
            CAST(:purpose AS text), CAST(:consent_id AS text), CAST(:agreement_version AS integer),
            CAST(:asked AS jsonb), CAST(:relied_on AS jsonb), CAST(:items AS jsonb),
            CAST(:result_digest AS bytea), CAST(:leaf_hash AS bytea), CAST(:now AS timestamptz))),
    salted AS (
        INSERT INTO disclosure_salt (uscc, disclosure_id, salt)
        VALUES (CAST(:uscc AS text), CAST(:disclosure_id AS text), CAST(:salt AS bytea))),
    pending AS (
        INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
        VALUES (CAST(:uscc AS text), CAST(:disclosure_id AS text), CAST(:leaf_hash AS bytea),
                CAST(:now AS timestamptz)))"""

COMMIT = Statement(f"""
    WITH spent AS ({SPEND}),
    held AS (
        SELECT 1 FROM consent
        WHERE uscc = CAST(:uscc AS text) AND consent_id = CAST(:consent_id AS text)
          AND version = CAST(:held_version AS integer) AND status = 'active'
          AND valid_until > CAST(:now AS timestamptz)
        FOR SHARE),
    kept AS (
        INSERT INTO idempotency (uscc, client_id, key, request_digest, answer, uses_left, at)
        SELECT CAST(:uscc AS text), CAST(:client_id AS text), CAST(:key AS text),
               CAST(:request_digest AS bytea), CAST(:answer AS text),
               (SELECT max_uses - uses FROM spent), CAST(:now AS timestamptz)
        WHERE CAST(:key AS text) IS NOT NULL
        ON CONFLICT (uscc, client_id, key) DO UPDATE
            SET request_digest = excluded.request_digest, answer = excluded.answer,
                uses_left = excluded.uses_left, at = excluded.at
            WHERE idempotency.at < excluded.at - interval '24 hours'
        RETURNING 1),
    counted AS (
        INSERT INTO probe (uscc, client_id, question, asked, revision)
        SELECT CAST(:uscc AS text), CAST(:client_id AS text), p.question, p.asked, p.revision + 1
        FROM jsonb_to_recordset(CAST(:probes AS jsonb))
            AS p(question text, asked jsonb, revision integer)
        ORDER BY p.question
        ON CONFLICT (uscc, client_id, question) DO UPDATE
            SET asked = excluded.asked, revision = excluded.revision
            WHERE probe.revision = excluded.revision - 1
        RETURNING 1),
    current AS (
        SELECT 1 FROM record r
        JOIN jsonb_array_elements(CAST(:relied_on AS jsonb)) AS told(one)
          ON r.record_id = told.one ->> 0 AND r.version = CAST(told.one ->> 1 AS integer)
        WHERE r.uscc = CAST(:uscc AS text)
        ORDER BY r.record_id FOR SHARE OF r),
    registered AS (
        SELECT 1 FROM enterprise e
        WHERE e.uscc = CAST(:uscc AS text)
          AND CAST(:relied_on AS jsonb)
              @> jsonb_build_array(jsonb_build_array(e.registration_id, e.version))
        FOR SHARE),
    {DISCLOSED}
    SELECT (SELECT max_uses - uses FROM spent) AS uses_left,
           xinqiao_abort_unless(
               (SELECT count(*) FROM current) + (SELECT count(*) FROM registered)
                   = jsonb_array_length(CAST(:relied_on AS jsonb))
               AND (SELECT count(*) FROM spent) = (CAST(:consent_version AS integer) IS NOT NULL)::integer
               AND (SELECT count(*) FROM held) = (CAST(:held_version AS integer) IS NOT NULL)::integer
               AND (SELECT count(*) FROM kept) = (CAST(:key AS text) IS NOT NULL)::integer
               AND (SELECT count(*) FROM counted) = jsonb_array_length(CAST(:probes AS jsonb)))
    """)  # noqa: S608  # constants only

REFUSE = Statement(f"WITH {DISCLOSED} SELECT 1 AS written")  # constants only


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question's probe budget after this answer; `revision` is the one that was read."""

    question: str
    asked: Mapping[str, int]
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDisclosure:
    """A disclosure to commit, with its answer and costs.

    `consent_version` is set where a use of the consent is spent, `held_version` where the consent must
    hold but nothing is spent (a further page). `sealed_answer` is stored under `key`.
    """

    disclosure: Disclosure
    salt: bytes
    consent_version: int | None
    key: IdempotencyKey | None
    answer: str
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
    key = pending.key
    values = {
        **_row(pending.disclosure, pending.salt),
        "items": to_json([each.as_json() for each in pending.items]),
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
    try:
        row = await hot.row(COMMIT, values)
    except asyncpg.PostgresError as error:
        if error.sqlstate in STATE_CHANGED_CODES:
            return StateChanged()
        raise
    return Committed(uses_left=row["uses_left"] if row else None)


async def log_refusal(hot: HotDatabase, disclosure: Disclosure) -> None:
    """Log a refused request of an authenticated client (R10)."""
    await hot.row(REFUSE, _row(disclosure, new_salt()))


def _row(disclosure: Disclosure, salt: bytes) -> dict[str, Any]:
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
        "items": None,
        "result_digest": disclosure.result_digest,
        "leaf_hash": leaf_hash(disclosure, salt),
        "salt": salt,
        "now": disclosure.at,
    }
