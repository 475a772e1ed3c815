"""Withdrawal notices (撤回通知, R14; table `tombstone`) in the change feeds of past recipients.

Written in the transaction of the change, one for each client and record. A notice names disclosures
and the record, never the new content. They are written by a later statement than the change: only then
are all disclosures visible whose commit that change waited for (`disclosure.commit`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from consent import Consent, Transition
from gateway.db.statements import Statement
from gateway.disclosure.consent_change_events import ConsentNoticeKind, notices_for
from gateway.disclosure.ids import new_id

RecordKind = Literal[
    "record_corrected",
    "record_repaired",
    "record_suspended",
    "record_withdrawn",
    "record_ended",
    "record_reinstated",
]
NoticeKind = RecordKind | ConsentNoticeKind | Literal["consent_expired", "answer_may_have_changed"]

UNACKNOWLEDGED_KINDS: Final = (
    "consent_granted",
    "consent_refused",
    "consent_expired",
    "record_reinstated",
    "answer_may_have_changed",
)
"""Notices that take nothing back and need no acknowledgement."""
EXPIRY_NOTICE_PERIOD: Final = timedelta(days=30)
MAX_EXPIRED: Final = 1_000

# Readers of a report learn of a change from its page, and have no feed.
# A second correction concerns only disclosures since the first; any end concerns all;
# that a record is told again concerns those who may still ask for it.
_NOTICES: Final = """
    INSERT INTO tombstone (
        uscc, change_id, client_id, kind, occurred_at, dataset, record_id, disclosure_ids)
    SELECT told.uscc, 'chg_' || replace(CAST(gen_random_uuid() AS text), '-', ''), told.client_id,
           CAST(:kind AS text), CAST(:now AS timestamptz), told.dataset, told.record_id,
           told.disclosure_ids
    FROM (
        SELECT c.uscc, c.dataset, c.record_id, d.client_id,
               array_agg(d.disclosure_id ORDER BY d.at, d.disclosure_id) AS disclosure_ids
        FROM ({changed}) AS c(uscc, dataset, record_id)
        JOIN disclosure d ON d.uscc = c.uscc AND d.outcome = 'told' AND d.kind <> 'report'
         AND d.relied_on @> jsonb_build_array(jsonb_build_array(c.record_id))
        WHERE CASE CAST(:kind AS text)
            WHEN 'record_corrected' THEN NOT EXISTS (
                SELECT 1 FROM tombstone t
                WHERE t.uscc = d.uscc AND t.record_id = c.record_id AND t.client_id = d.client_id
                  AND d.disclosure_id = ANY(t.disclosure_ids))
            WHEN 'record_reinstated' THEN d.consent_id IS NULL OR EXISTS (
                SELECT 1 FROM consent k
                WHERE k.uscc = d.uscc AND k.client_id = d.client_id
                  AND k.status IN ('active', 'paused') AND k.valid_until > CAST(:now AS timestamptz)
                  AND (c.dataset = ANY(k.datasets) OR d.asked ?| k.questions))
            ELSE true END AND ({condition})
        GROUP BY c.uscc, c.dataset, c.record_id, d.client_id) AS told"""


def notices_sql(changed: str, condition: str = "true") -> str:
    """The statement that writes the notices for the records of the query `changed`: uscc, dataset, id.

    `condition` narrows the disclosures `d` for each row `c`. Parameters `:kind` and `:now`, and those
    of the query.
    """
    return _NOTICES.format(changed=changed, condition=condition)


_OF_RECORDS: Final = Statement(
    notices_sql("""
        SELECT * FROM unnest(CAST(:usccs AS text[]), CAST(:datasets AS text[]),
                             CAST(:record_ids AS text[]))""")
)

# Only queries are told a term of use: the earlier of the record's and the consent's.
_OF_SHORTER_TERMS: Final = Statement(
    notices_sql(
        """
        SELECT * FROM unnest(CAST(:usccs AS text[]), CAST(:datasets AS text[]),
                             CAST(:record_ids AS text[]), CAST(:ends AS timestamptz[]))
                   AS given(uscc, dataset, record_id, ends_at)""",
        """d.kind = 'query' AND EXISTS (
            SELECT 1 FROM consent k WHERE k.uscc = d.uscc AND k.consent_id = d.consent_id
                AND k.valid_until > c.ends_at)""",
    )
)

_OF_CONSENT: Final = Statement("""
    INSERT INTO tombstone (
        uscc, change_id, client_id, kind, occurred_at, consent_id, disclosure_ids)
    SELECT CAST(:uscc AS text), CAST(:change_id AS text), CAST(:client_id AS text),
           CAST(:kind AS text), CAST(:now AS timestamptz), CAST(:consent_id AS text),
           CASE WHEN cardinality(CAST(:taken_back AS text[])) = 0 THEN CAST('{}' AS text[])
           ELSE ARRAY(SELECT d.disclosure_id FROM disclosure d
                 WHERE d.uscc = CAST(:uscc AS text) AND d.outcome = 'told'
                   AND d.consent_id = CAST(:consent_id AS text)
                   AND d.client_id = CAST(:client_id AS text)
                   AND (CAST(:taken_back AS text[]) IS NULL
                        OR d.asked ?| CAST(:taken_back AS text[]))
                 ORDER BY d.at, d.disclosure_id) END""")

# Expiry is notified once (the notice's id holds the consent's), and only within 30 days.
EXPIRED: Final = Statement("""
    INSERT INTO tombstone (
        uscc, change_id, client_id, kind, occurred_at, consent_id, disclosure_ids)
    SELECT c.uscc, 'chg_end_' || c.consent_id, c.client_id, 'consent_expired', c.valid_until,
           c.consent_id, '{}'
    FROM consent c
    WHERE c.status IN ('active', 'paused')
      AND c.valid_until <= CAST(:now AS timestamptz) AND c.valid_until > CAST(:since AS timestamptz)
      AND NOT EXISTS (SELECT 1 FROM tombstone t
                      WHERE t.uscc = c.uscc AND t.change_id = 'chg_end_' || c.consent_id)
    ORDER BY c.valid_until LIMIT :most
    ON CONFLICT (uscc, change_id) DO NOTHING""")

_OWING: Final = Statement("""
    SELECT client_id, count(*) AS open, min(occurred_at) AS since
    FROM tombstone WHERE acknowledged_at IS NULL AND kind <> ALL(CAST(:nothing_taken AS text[]))
    GROUP BY client_id ORDER BY since, client_id""")

NOTICE_COLUMNS: Final = (
    "change_id",
    "kind",
    "occurred_at",
    "dataset",
    "record_id",
    "consent_id",
    "disclosure_ids",
    "uscc",
    "questions",
)
"""The columns of a `WithdrawalNotice`."""
_OWED_BY: Final = Statement(f"""
    SELECT {", ".join(NOTICE_COLUMNS)}
    FROM tombstone
    WHERE acknowledged_at IS NULL AND client_id = CAST(:client_id AS text)
      AND kind <> ALL(CAST(:nothing_taken AS text[]))
    ORDER BY occurred_at, change_id LIMIT :limit""")  # noqa: S608  # constants


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRecord:
    """A record (or registration) that was changed, ended or reinstated."""

    uscc: str
    dataset: str
    record_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnacknowledgedCount:
    """Number of a client's unacknowledged notices, and the time of the oldest."""

    client_id: str
    open: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalNotice:
    """One notice, as its client will get it."""

    change_id: str
    kind: NoticeKind
    occurred_at: datetime
    dataset: str | None
    record_id: str | None
    consent_id: str | None
    disclosure_ids: Sequence[str]
    uscc: str
    questions: Sequence[str] | None = None
    """Of a watched answer."""


async def notify_changed_records(
    connection: AsyncConnection,
    kind: RecordKind,
    changed: Iterable[ChangedRecord],
    *,
    now: datetime,
) -> int:
    """Write the notices for these records, each given once; how many were written."""
    each = tuple(changed)
    if not each:
        return 0
    written = await connection.execute(
        _OF_RECORDS,
        {
            "kind": kind,
            "now": now,
            "usccs": [one.uscc for one in each],
            "datasets": [one.dataset for one in each],
            "record_ids": [one.record_id for one in each],
        },
    )
    return written.rowcount


async def notify_shorter_terms(
    connection: AsyncConnection,
    shorter: Iterable[tuple[ChangedRecord, datetime]],
    *,
    now: datetime,
) -> int:
    """Write `record_corrected` for records whose term now ends as given, to those told a later end."""
    each = tuple(shorter)
    if not each:
        return 0
    written = await connection.execute(
        _OF_SHORTER_TERMS,
        {
            "kind": "record_corrected",
            "now": now,
            "usccs": [one.uscc for one, _ in each],
            "datasets": [one.dataset for one, _ in each],
            "record_ids": [one.record_id for one, _ in each],
            "ends": [end for _, end in each],
        },
    )
    return written.rowcount


async def notify_changed_consent(
    connection: AsyncConnection, previous: Consent, changed: Transition
) -> None:
    """Write the client's notices on a change of its consent."""
    held = changed.consent
    for each in notices_for(previous, changed):
        taken = each.taken_back
        await connection.execute(
            _OF_CONSENT,
            {
                "uscc": held.uscc,
                "change_id": new_id("chg"),
                "client_id": held.client_id,
                "consent_id": held.consent_id,
                "kind": each.kind,
                "taken_back": None if taken is None else list(taken),
                "now": changed.event.at,
            },
        )


async def write_expiry_notices(connection: AsyncConnection, *, now: datetime) -> int:
    """Write the notices for expired consents, at most `MAX_EXPIRED`; called every few minutes."""
    written = await connection.execute(
        EXPIRED, {"now": now, "since": now - EXPIRY_NOTICE_PERIOD, "most": MAX_EXPIRED}
    )
    return written.rowcount


async def count_unacknowledged(connection: AsyncConnection) -> list[UnacknowledgedCount]:
    """The clients with unacknowledged notices, the longest overdue first."""
    found = await connection.execute(_OWING, {"nothing_taken": list(UNACKNOWLEDGED_KINDS)})
    return [UnacknowledgedCount(**row._asdict()) for row in found]


async def unacknowledged_notices(
    connection: AsyncConnection, client_id: str, *, limit: int
) -> list[WithdrawalNotice]:
    """One client's unacknowledged notices, the oldest first."""
    found = await connection.execute(
        _OWED_BY,
        {"client_id": client_id, "limit": limit, "nothing_taken": list(UNACKNOWLEDGED_KINDS)},
    )
    return [WithdrawalNotice(**row._asdict()) for row in found]
