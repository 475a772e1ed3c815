"""State machine of an objection, with its due dates. Pure: an act returns the changed objection or why not.

Only the enterprise raises, withdraws and asks for a review, once; only the record's source decides;
only another party reviews. Deadlines are working days and end with their last day.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from gateway.creditfile.catalogue.procedure_rules import ObjectionKinds, ObjectionRules
from gateway.creditfile.disclosure_terms import FINAL_ACTS, End, EndReason
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.model import (
    CLOCK_ACTOR,
    Actor,
    ActResult,
    Contested,
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
from gateway.creditfile.working_days import is_known_year, working_days_after

LEEWAY = timedelta(days=14)  # more than the longest holiday with its make-up days
_TO_SOURCE = (Status.OPEN, Status.ORDERED)


def kind_of(dataset: str, kinds: ObjectionKinds) -> ObjectionKind:
    """R15: a rating appeal for ratings, an objection for other records."""
    is_rating = dataset in kinds.rating_appeal.datasets
    return ObjectionKind.RATING_APPEAL if is_rating else ObjectionKind.OBJECTION


def rules_of(kind: ObjectionKind, kinds: ObjectionKinds) -> ObjectionRules:
    """Deadlines of this kind."""
    return kinds.rating_appeal if kind is ObjectionKind.RATING_APPEAL else kinds.objection


def is_open_to_objection(end: End | None) -> bool:
    """True unless the source has ended the record, or a later one has taken its place.

    A record whose term is over can still be wrong: it stays in the file until retention ends.
    """
    return end is None or end.reason not in {*FINAL_ACTS, EndReason.SUPERSEDED}


def create(
    record: ObjectionGround,
    *,
    objection_id: str,
    text: str,
    wanted: str,
    actor: Actor,
    kinds: ObjectionKinds,
    now: datetime,
    contests: Contested | None = None,
) -> ActResult:
    """Raise an objection to one record; the source's term begins on the next day.

    `contests` is of ratings only: the indicator or reason code that the appeal names.
    """
    if actor.role is not Role.ENTERPRISE or actor.party != record.uscc:
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    kind = kind_of(record.dataset, kinds)
    if contests is not None and kind is not ObjectionKind.RATING_APPEAL:
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    rules = rules_of(kind, kinds)
    received = day_of(now)
    due = working_days_after(received, rules.decide)
    objection = Objection(
        uscc=record.uscc,
        objection_id=objection_id,
        kind=kind,
        dataset=record.dataset,
        record_id=record.record_id,
        record_version=record.record_version,
        source_id=record.source_id,
        source_name=record.source_name,
        status=Status.OPEN,
        text=text,
        wanted=wanted,
        raised_at=now,
        due_on=due.day,
        due_provisional=due.provisional,
        latest_on=working_days_after(received, rules.at_most).day,
        scheme=contests.scheme if contests else None,
        indicator=contests.indicator if contests else None,
        reason_code=contests.reason_code if contests else None,
    )
    return _change(objection, ObjectionAct.RAISED, actor, now)


def extend(
    objection: Objection, *, actor: Actor, reason: str, until: date | None = None, now: datetime
) -> ActResult:
    """Extend the source's term, once, before it is over and with a reason."""
    refusal = _refusal(objection, (Status.OPEN,), actor, Role.SOURCE)
    if refusal:
        return refusal
    if objection.extended_at is not None:
        return ObjectionRefused(reason=RefusalReason.ALREADY_EXTENDED)
    due, last = objection.due_on or date.max, until or objection.latest_on
    if day_of(now) > due:
        return ObjectionRefused(reason=RefusalReason.TOO_LATE)
    if not due < last <= objection.latest_on:
        return ObjectionRefused(reason=RefusalReason.NOT_LATER)
    provisional = last == objection.latest_on and not is_known_year(last.year)
    longer = replace(objection, due_on=last, due_provisional=provisional, extended_at=now)
    return _change(longer, ObjectionAct.EXTENDED, actor, now, reason=reason)


def decide(
    objection: Objection,
    *,
    actor: Actor,
    outcome: ObjectionOutcome,
    reasons: str,
    corrected: bool,
    kinds: ObjectionKinds,
    now: datetime,
) -> ActResult:
    """Record the source's decision. `corrected`: the record has changed since the objection.

    Full upholding, and a decision after a review, are final. A late decision counts.
    """
    refusal = _refusal(objection, _TO_SOURCE, actor, Role.SOURCE)
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
    return _change(decided, ObjectionAct.DECIDED, actor, now, reason=reasons)


def may_be_reviewed(objection: Objection, now: datetime) -> bool:
    """True if the enterprise may ask for a review now.

    A provisional deadline gets `LEEWAY`: unpublished holidays may still move it.
    """
    last = objection.due_on
    if last is None:
        return False
    if objection.status is Status.OPEN:
        return day_of(now) > last
    leeway = LEEWAY if objection.due_provisional else timedelta()
    return objection.status is Status.DECIDED and day_of(now) <= last + leeway


def ask_for_review(
    objection: Objection, *, actor: Actor, text: str, kinds: ObjectionKinds, now: datetime
) -> ActResult:
    """Ask for the review, once: of a decision, or because the source's term has passed."""
    refusal = _refusal(objection, (Status.OPEN, Status.DECIDED), actor, Role.ENTERPRISE)
    if refusal:
        return refusal
    if not may_be_reviewed(objection, now):
        late = objection.status is Status.DECIDED
        return ObjectionRefused(reason=RefusalReason.TOO_LATE if late else RefusalReason.NOT_NOW)
    rules = rules_of(objection.kind, kinds)
    asked = _due(objection, Status.IN_REVIEW, rules.review, now)
    asked = replace(asked, review_text=text, review_asked_at=now)
    return _change(asked, ObjectionAct.REVIEW_ASKED, actor, now, reason=text)


def review(
    objection: Objection,
    *,
    actor: Actor,
    outcome: ObjectionOutcome,
    reasons: str,
    record_version: int,
    kinds: ObjectionKinds,
    now: datetime,
) -> ActResult:
    """Record the reviewer's final decision; the source must correct what is found wrong.

    `record_version` is the present one: the correction must have a newer.
    """
    refusal = _refusal(objection, (Status.IN_REVIEW,), actor, Role.REVIEWER)
    if refusal:
        return refusal
    reviewed = replace(objection, outcome=outcome, review_reasons=reasons, reviewed_at=now)
    if outcome is ObjectionOutcome.REJECTED:
        reviewed = _closed(reviewed, now)
    else:
        reviewed = replace(reviewed, record_version=record_version)
        reviewed = _due(reviewed, Status.ORDERED, rules_of(objection.kind, kinds).review, now)
    return _change(reviewed, ObjectionAct.REVIEWED, actor, now, reason=reasons)


def withdraw(objection: Objection, *, actor: Actor, now: datetime) -> ActResult:
    """Withdraw the objection; an existing decision stands."""
    undecided = (Status.OPEN, Status.DECIDED, Status.IN_REVIEW)
    refusal = _refusal(objection, undecided, actor, Role.ENTERPRISE)
    if refusal:
        return refusal
    outcome = objection.outcome or ObjectionOutcome.WITHDRAWN
    closed = replace(_closed(objection, now), outcome=outcome)
    return _change(closed, ObjectionAct.WITHDRAWN, actor, now)


def lapse(objection: Objection, *, now: datetime) -> ActResult:
    """Close the objection after the term for a review has passed."""
    if objection.status is not Status.DECIDED or may_be_reviewed(objection, now):
        return ObjectionRefused(reason=RefusalReason.NOT_NOW)
    return _change(_closed(objection, now), ObjectionAct.LAPSED, CLOCK_ACTOR, now)


def recount(objection: Objection, *, kinds: ObjectionKinds, now: datetime) -> ActResult:
    """Recompute a provisional deadline with the current calendar."""
    if not objection.due_provisional:
        return ObjectionRefused(reason=RefusalReason.NOT_NOW)
    rules = rules_of(objection.kind, kinds)
    start, days = _term(objection, rules)
    due = working_days_after(day_of(start), days)
    latest = working_days_after(day_of(objection.raised_at), rules.at_most)
    if due.provisional:
        return ObjectionRefused(reason=RefusalReason.NOT_NOW)
    counted = replace(objection, due_on=due.day, due_provisional=False, latest_on=latest.day)
    return _change(counted, ObjectionAct.RECOUNTED, CLOCK_ACTOR, now)


def forget(objection: Objection, *, now: datetime) -> ObjectionChanged:
    """Blank all texts because the record is deleted, and close the objection."""
    blank = replace(
        objection,
        text=None,
        wanted=None,
        reasons=None,
        review_text=None,
        review_reasons=None,
        indicator=None,
        reason_code=None,
    )
    if objection.status is not Status.CLOSED:
        blank = replace(_closed(blank, now), outcome=ObjectionOutcome.RECORD_DELETED)
    return _change(blank, ObjectionAct.FORGOTTEN, CLOCK_ACTOR, now)


def _refusal(
    objection: Objection, allowed: tuple[Status, ...], actor: Actor, role: Role
) -> ObjectionRefused | None:
    """Refusal if this actor may not do this in this state."""
    own = {Role.ENTERPRISE: objection.uscc, Role.SOURCE: objection.source_id}
    if actor.role is not role or (role in own and actor.party != own[role]):
        return ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    if role is Role.REVIEWER and actor.party == objection.source_id:
        return ObjectionRefused(reason=RefusalReason.OWN_DECISION)
    return None if objection.status in allowed else ObjectionRefused(reason=RefusalReason.NOT_NOW)


def _due(objection: Objection, status: Status, days: int, now: datetime) -> Objection:
    last = working_days_after(day_of(now), days)
    return replace(objection, status=status, due_on=last.day, due_provisional=last.provisional)


def _term(objection: Objection, rules: ObjectionRules) -> tuple[datetime, int]:
    """Start and length in working days of the current term."""
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


def _change(
    changed: Objection, what: ObjectionAct, actor: Actor, now: datetime, reason: str | None = None
) -> ObjectionChanged:
    objection = replace(changed, version=changed.version + 1)
    event = ObjectionEvent(
        uscc=objection.uscc,
        objection_id=objection.objection_id,
        seq=objection.version,
        what=what,
        role=actor.role,
        actor=actor.name,
        at=now,
        outcome=objection.outcome,
        reason=reason,
        due_on=objection.due_on,
        identity_token_digest=actor.identity_token_digest,
    )
    return ObjectionChanged(objection=objection, event=event)
