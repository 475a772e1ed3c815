"""Due deletions: records whose `delete_by` has passed, or that withdrawal notices name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from xinqiao._core.api import changes, consents
from xinqiao._core.evidence.answer import Evidence
from xinqiao._core.transport.retry import utc_time
from xinqiao._core.wire import parsing
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.results import (
    Change,
    Due,
    DueForDeletion,
    QueryResult,
    Record,
    Verification,
)

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session

_NARROWED: Final = "consent_narrowed"
_NO_TIME: Final = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The parts of a kept answer on which its deletion depends."""

    disclosure_id: str
    consent_id: str | None
    records: tuple[Record, ...]

    @classmethod
    def of(cls, item: QueryResult | Verification | Evidence) -> KeptAnswer:
        """Read a result, or the evidence of one."""
        body = Reader.body(item if isinstance(item, Evidence) else item.evidence)
        consent = body.optional_object("consent")
        return cls(
            disclosure_id=body.text("disclosure_id"),
            consent_id=None if consent is None else consent.text("consent_id"),
            records=parsing.records(body) if "records" in body.members else (),
        )


def due_for_deletion(
    session: Session,
    kept: Iterable[QueryResult | Verification | Evidence] = (),
    *,
    after: str | None = None,
) -> Flow[DueForDeletion]:
    """Find what must be deleted by now, in what you kept and by the notices of your feed.

    `kept` are results, or their evidence as you stored it. `after` is the cursor up to which everything
    is deleted already: None the first time, when the feed is read from its first change, then the
    `cursor` of the result before. Once you have deleted what is due, keep that, and acknowledge it. Needs
    the scope `changes`, and `consents` where the term of a consent was shortened.
    """
    answers = [KeptAnswer.of(item) for item in kept]
    notices: list[Change] = []
    cursor = after
    while True:
        page = yield from changes.changes(session, after=cursor)
        notices += page.changes
        cursor = page.cursor
        if not page.changes:
            break
    held = {each.consent_id for each in answers}
    narrowed = {each.consent_id for each in notices if each.kind == _NARROWED}
    ends: dict[str, datetime] = {}
    for consent_id in filter(None, held & narrowed):
        consent = yield from consents.consent(session, consent_id)
        if consent.valid_until is not None:
            ends[consent_id] = consent.valid_until
    items = [*_named(notices), *_overdue(answers, ends, now=utc_time(session.now()))]
    return DueForDeletion(items=_first_reasons(items), cursor=cursor)


def _named(changes: Iterable[Change]) -> Iterator[Due]:
    """Due deletions that withdrawal notices name."""
    for change in changes:
        if change.takes_back:
            for disclosure_id in change.disclosure_ids:
                yield Due(
                    disclosure_id=disclosure_id,
                    record_id=change.record_id,
                    since=change.occurred_at,
                    reason=change.kind,
                )


def _overdue(
    answers: Iterable[KeptAnswer], consent_ends: Mapping[str, datetime], *, now: datetime
) -> Iterator[Due]:
    """Records whose `delete_by` has passed, which a shortened consent may have brought forward."""
    for answer in answers:
        consent_end = consent_ends.get(answer.consent_id or "")
        for record in answer.records:
            since, reason = record.delete_by, "delete_by"
            if since is not None and record.use_until is not None and consent_end is not None:
                shortened = since - max(record.use_until - consent_end, _NO_TIME)
                since, reason = shortened, reason if shortened == since else _NARROWED
            if since is not None and since <= now:
                yield Due(
                    disclosure_id=answer.disclosure_id,
                    record_id=record.record_id,
                    since=since,
                    reason=reason,
                )


def _first_reasons(items: Iterable[Due]) -> tuple[Due, ...]:
    """Each once, by its first reason, in the order of time."""
    first: dict[tuple[str, str | None], Due] = {}
    for item in sorted(items, key=lambda each: each.since):
        whole = (item.disclosure_id, None)
        if whole not in first:
            first.setdefault((item.disclosure_id, item.record_id), item)
    return tuple(first.values())
