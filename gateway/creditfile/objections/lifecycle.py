"""From decided nothing leads back but a review, and a review is asked for once.

Each act takes the objection as it is and gives it as it becomes, with the event to be kept beside it;
or says why not. Only its enterprise raises, withdraws and asks for a review; only the record's source
decides; only somebody else reviews. Deadlines are working days and end with their last day.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from gateway.creditfile.catalogue_schema import ObjectionKinds, ObjectionRules
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.model import (
    NOBODY,
    Actor,
    Objection,
    ObjectionAct,
    ObjectionChanged,
    ObjectionEvent,
    ObjectionGround,
    ObjectionKind,
    ObjectionOutcome,
    ObjectionRefused,
    RefusalReason,
    Role,
    Status,
)
from gateway.creditfile.working_days import is_known, working_days_after

LEEWAY = timedelta(days=14)  # more than the longest holiday with what is made up around it
_TO_SOURCE = (Status.OPEN, Status.ORDERED)


def kind_of(dataset: str, kinds: ObjectionKinds) -> ObjectionKind:
    """R15: ratings are appealed against, other records objected to."""
    is_rating = dataset in kinds.rating_appeal.datasets
    return ObjectionKind.RATING_APPEAL if is_rating else ObjectionKind.OBJECTION


def rules_of(kind: ObjectionKind, kinds: ObjectionKinds) -> ObjectionRules:
    """The deadlines of this kind."""
    return kinds.rating_appeal if kind is ObjectionKind.RATING_APPEAL else kinds.objection


def raise_(
    ground: ObjectionGround,
    *,
    objection_id: str,
    text: str,
    wanted: str,
    by: Actor,
    kinds: ObjectionKinds,
    now: datetime,
) -> ObjectionChanged | ObjectionRefused:
    """The enterprise objects to one record; the source's time begins to run on the next day."""
    if by.role is not Role.ENTERPRISE or by.of != ground.uscc:
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    kind = kind_of(ground.dataset, kinds)
    rules = rules_of(kind, kinds)
    received = day_of(now)
    due = working_days_after(received, rules.decide)
    objection = Objection(
        uscc=ground.uscc,
        objection_id=objection_id,
        kind=kind,
        dataset=ground.dataset,
        record_id=ground.record_id,
        record_version=ground.record_version,
        source_id=ground.source_id,
        source_name=ground.source_name,
        status=Status.OPEN,
        text=text,
        wanted=wanted,
        raised_at=now,
        due_on=due.day,
        due_provisional=due.provisional,
        latest_on=working_days_after(received, rules.at_most).day,
    )
    return _changed(objection, ObjectionAct.RAISED, by, now)


def extend(
    objection: Objection,
    *,
    by: Actor,
    reason: str,
    until: date | None = None,
    now: datetime,
) -> ObjectionChanged | ObjectionRefused:
    """The source takes more time, once, before its time is over and with a reason."""
    refusal = _unless(objection, (Status.OPEN,), by, Role.SOURCE)
    if refusal:
        return refusal
    if objection.extended_at is not None:
        return ObjectionRefused(reason=RefusalReason.ALREADY_EXTENDED)
    due, last = objection.due_on or date.max, until or objection.latest_on
    if day_of(now) > due:
        return ObjectionRefused(reason=RefusalReason.TOO_LATE)
    if not due < last <= objection.latest_on:
        return ObjectionRefused(reason=RefusalReason.NOT_LATER)
    provisional = last == objection.latest_on and not is_known(last.year)
    longer = replace(objection, due_on=last, due_provisional=provisional, extended_at=now)
    return _changed(longer, ObjectionAct.EXTENDED, by, now, reason=reason)


def decide(
    objection: Objection,
    *,
    by: Actor,
    outcome: ObjectionOutcome,
    reasons: str,
    corrected: bool,
    kinds: ObjectionKinds,
    now: datetime,
) -> ObjectionChanged | ObjectionRefused:
    """The source decides. `corrected` says that the record is no longer as it was objected to.

    What is upheld in full, and what a review has ordered, is final with that. Late is better than
    not at all: a decision after the last day counts.
    """
    refusal = _unless(objection, _TO_SOURCE, by, Role.SOURCE)
    if refusal:
        return refusal
    if outcome is ObjectionOutcome.REJECTED and objection.status is Status.ORDERED:
        return ObjectionRefused(reason=RefusalReason.MUST_CORRECT)
    if outcome is not ObjectionOutcome.REJECTED and not corrected:
        return ObjectionRefused(reason=RefusalReason.NOT_CORRECTED)
    decided = replace(objection, outcome=outcome, reasons=reasons, decided_at=now)
    if outcome is ObjectionOutcome.UPHELD or objection.status is Status.ORDERED:
        decided = _closed(decided, now)
    else:
        rules = rules_of(objection.kind, kinds)
        decided = _due(decided, Status.DECIDED, rules.ask_for_review, now)
    return _changed(decided, ObjectionAct.DECIDED, by, now, reason=reasons)


def may_be_reviewed(objection: Objection, now: datetime) -> bool:
    """Whether the enterprise may ask for a review now.

    A provisional last day takes nothing from it: holidays that are not published yet may move that
    day by as much as `LEEWAY`.
    """
    last = objection.due_on
    if last is None:
        return False
    if objection.status is Status.OPEN:
        return day_of(now) > last
    leeway = LEEWAY if objection.due_provisional else timedelta()
    return objection.status is Status.DECIDED and day_of(now) <= last + leeway


def ask_for_review(
    objection: Objection,
    *,
    by: Actor,
    text: str,
    kinds: ObjectionKinds,
    now: datetime,
) -> ObjectionChanged | ObjectionRefused:
    """The enterprise asks, once: against a decision, or because the source let its time pass."""
    refusal = _unless(objection, (Status.OPEN, Status.DECIDED), by, Role.ENTERPRISE)
    if refusal:
        return refusal
    if not may_be_reviewed(objection, now):
        late = objection.status is Status.DECIDED
        return ObjectionRefused(reason=RefusalReason.TOO_LATE if late else RefusalReason.NOT_NOW)
    rules = rules_of(objection.kind, kinds)
    asked = _due(objection, Status.IN_REVIEW, rules.review, now)
    asked = replace(asked, review_text=text, review_asked_at=now)
    return _changed(asked, ObjectionAct.REVIEW_ASKED, by, now, reason=text)


def review(
    objection: Objection,
    *,
    by: Actor,
    outcome: ObjectionOutcome,
    reasons: str,
    record_version: int,
    kinds: ObjectionKinds,
    now: datetime,
) -> ObjectionChanged | ObjectionRefused:
    """Somebody above the source decides, finally; what is found wrong, the source must correct.

    `record_version` is the record's present one: the source has to come with a newer.
    """
    refusal = _unless(objection, (Status.IN_REVIEW,), by, Role.REVIEWER)
    if refusal:
        return refusal
    reviewed = replace(objection, outcome=outcome, review_reasons=reasons, reviewed_at=now)
    if outcome is ObjectionOutcome.REJECTED:
        reviewed = _closed(reviewed, now)
    else:
        reviewed = replace(reviewed, record_version=record_version)
        reviewed = _due(reviewed, Status.ORDERED, rules_of(objection.kind, kinds).review, now)
    return _changed(reviewed, ObjectionAct.REVIEWED, by, now, reason=reasons)


def withdraw(
    objection: Objection, *, by: Actor, now: datetime
) -> ObjectionChanged | ObjectionRefused:
    """The enterprise lets it rest; a decision that was made stands."""
    undecided = (Status.OPEN, Status.DECIDED, Status.IN_REVIEW)
    refusal = _unless(objection, undecided, by, Role.ENTERPRISE)
    if refusal:
        return refusal
    closed = replace(
        _closed(objection, now), outcome=objection.outcome or ObjectionOutcome.WITHDRAWN
    )
    return _changed(closed, ObjectionAct.WITHDRAWN, by, now)


def lapse(objection: Objection, *, now: datetime) -> ObjectionChanged | ObjectionRefused:
    """Nobody asked for a review in time: the source's decision is final."""
    if objection.status is not Status.DECIDED or may_be_reviewed(objection, now):
        return ObjectionRefused(reason=RefusalReason.NOT_NOW)
    return _changed(_closed(objection, now), ObjectionAct.LAPSED, NOBODY, now)


def recount(
    objection: Objection, *, kinds: ObjectionKinds, now: datetime
) -> ObjectionChanged | ObjectionRefused:
    """A provisional last day, counted again by the calendar as it is known now."""
    if not objection.due_provisional:
        return ObjectionRefused(reason=RefusalReason.NOT_NOW)
    rules = rules_of(objection.kind, kinds)
    since, days = _term(objection, rules)
    due = working_days_after(day_of(since), days)
    latest = working_days_after(day_of(objection.raised_at), rules.at_most)
    if due.provisional:
        return ObjectionRefused(reason=RefusalReason.NOT_NOW)
    counted = replace(objection, due_on=due.day, due_provisional=False, latest_on=latest.day)
    return _changed(counted, ObjectionAct.RECOUNTED, NOBODY, now)


def forget(objection: Objection, *, now: datetime) -> ObjectionChanged:
    """The record is deleted: every text about it goes too, and the objection ends with it."""
    blank = replace(
        objection, text=None, wanted=None, reasons=None, review_text=None, review_reasons=None
    )
    if objection.status is not Status.CLOSED:
        blank = replace(_closed(blank, now), outcome=ObjectionOutcome.RECORD_DELETED)
    return _changed(blank, ObjectionAct.FORGOTTEN, NOBODY, now)


def _unless(
    objection: Objection, allowed: tuple[Status, ...], by: Actor, role: Role
) -> ObjectionRefused | None:
    """Nothing, if this actor may do this in this state."""
    own = {Role.ENTERPRISE: objection.uscc, Role.SOURCE: objection.source_id}
    if by.role is not role or (role in own and by.of != own[role]):
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    if role is Role.REVIEWER and by.of == objection.source_id:
        return ObjectionRefused(reason=RefusalReason.OWN_DECISION)
    return None if objection.status in allowed else ObjectionRefused(reason=RefusalReason.NOT_NOW)


def _due(objection: Objection, status: Status, days: int, now: datetime) -> Objection:
    last = working_days_after(day_of(now), days)
    return replace(objection, status=status, due_on=last.day, due_provisional=last.provisional)


def _term(objection: Objection, rules: ObjectionRules) -> tuple[datetime, int]:
    """Since when whoever is next has had how many working days."""
    match objection.status:
        case Status.DECIDED:
            return objection.decided_at or objection.raised_at, rules.ask_for_review
        case Status.IN_REVIEW:
            return objection.review_asked_at or objection.raised_at, rules.review
        case Status.ORDERED:
            return objection.reviewed_at or objection.raised_at, rules.review
        case _:
            extended = objection.extended_at is not None
            return objection.raised_at, rules.at_most if extended else rules.decide


def _closed(objection: Objection, now: datetime) -> Objection:
    return replace(
        objection, status=Status.CLOSED, due_on=None, due_provisional=False, final_at=now
    )


def _changed(
    after: Objection, what: ObjectionAct, by: Actor, now: datetime, *, reason: str | None = None
) -> ObjectionChanged:
    objection = replace(after, version=after.version + 1)
    event = ObjectionEvent(
        uscc=objection.uscc,
        objection_id=objection.objection_id,
        seq=objection.version,
        what=what,
        role=by.role,
        actor=by.name,
        at=now,
        outcome=objection.outcome,
        reason=reason,
        due_on=objection.due_on,
        identity_token_digest=by.identity_token_digest,
    )
    return ObjectionChanged(objection=objection, event=event)
