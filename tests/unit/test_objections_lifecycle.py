"""Objection lifecycle: actors, deadlines, decisions. Noon in the tests is Sunday, 22 November 2026."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from gateway.creditfile.local_dates import midnight
from gateway.creditfile.objections import lifecycle
from gateway.creditfile.objections.model import (
    Actor,
    Objection,
    ObjectionAct,
    ObjectionChanged,
    ObjectionKind,
    ObjectionOutcome,
    ObjectionRefused,
    RefusalReason,
    Role,
    Status,
)
from tests.creditfile_builders import NOON
from tests.objection_builders import (
    ENTERPRISE,
    KINDS,
    REVIEWER,
    SOURCE,
    make_objection,
    must_succeed,
    try_raise,
)

DAY = timedelta(days=1)


def try_decide(
    objection: Objection,
    outcome: ObjectionOutcome = ObjectionOutcome.REJECTED,
    *,
    corrected: bool = False,
    actor: Actor = SOURCE,
    now: datetime = NOON + DAY,
) -> ObjectionChanged | ObjectionRefused:
    """Result of the source's decision."""
    return lifecycle.decide(
        objection,
        actor=actor,
        outcome=outcome,
        reasons="处罚决定仍然有效。",
        corrected=corrected,
        kinds=KINDS,
        now=now,
    )


def try_appeal(
    objection: Objection, *, actor: Actor = ENTERPRISE, now: datetime = NOON + 2 * DAY
) -> ObjectionChanged | ObjectionRefused:
    """Result of a request for review."""
    return lifecycle.ask_for_review(objection, actor=actor, text="请复核。", kinds=KINDS, now=now)


def try_review(
    objection: Objection,
    outcome: ObjectionOutcome = ObjectionOutcome.UPHELD,
    *,
    actor: Actor = REVIEWER,
) -> ObjectionChanged | ObjectionRefused:
    """Result of a review."""
    return lifecycle.review(
        objection,
        actor=actor,
        outcome=outcome,
        reasons="事实不清。",
        record_version=4,
        kinds=KINDS,
        now=NOON + 3 * DAY,
    )


def test_an_objection_is_due_in_five_working_days_and_twenty_at_most() -> None:
    """Received on a Sunday: Friday, and the Friday three weeks later."""
    objection = make_objection()
    assert (objection.due_on, objection.latest_on) == (date(2026, 11, 27), date(2026, 12, 18))
    assert objection.status is Status.OPEN
    assert objection.marks


def test_r15_a_rating_has_an_appeal_of_its_own_with_deadlines_of_its_own() -> None:
    """Ten working days, and the same acts."""
    for dataset in ("public_rating", "industry_rating", "third_party_rating"):
        appeal = make_objection(dataset=dataset)
        assert appeal.kind is ObjectionKind.RATING_APPEAL
        assert appeal.due_on == date(2026, 12, 4)
        assert appeal.source_id == "source"
    assert make_objection(dataset="licence").kind is ObjectionKind.OBJECTION


def test_only_the_records_own_enterprise_objects() -> None:
    """Neither another enterprise nor the source."""
    other = replace(ENTERPRISE, party="91330106MA2CXXXX16")
    assert try_raise(actor=other) == ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)
    assert try_raise(actor=SOURCE) == ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)


def test_upholding_needs_a_correction_and_is_final() -> None:
    """The mark is removed with the correction."""
    objection = make_objection()
    assert try_decide(objection, ObjectionOutcome.UPHELD) == ObjectionRefused(
        reason=RefusalReason.NOT_CORRECTED
    )
    assert try_decide(objection, ObjectionOutcome.PARTLY) == ObjectionRefused(
        reason=RefusalReason.NOT_CORRECTED
    )
    upheld = must_succeed(try_decide(objection, ObjectionOutcome.UPHELD, corrected=True))
    assert upheld.status is Status.CLOSED
    assert not upheld.marks


def test_a_rejection_keeps_the_mark_until_the_time_for_a_review_is_over() -> None:
    """Ten working days, through the last."""
    rejected = must_succeed(try_decide(make_objection()))
    assert rejected.status is Status.DECIDED
    assert rejected.marks
    assert rejected.due_on == date(2026, 12, 7)
    on_the_last_day = midnight(date(2026, 12, 8)) - timedelta(seconds=1)
    assert lifecycle.lapse(rejected, now=on_the_last_day) == ObjectionRefused(
        reason=RefusalReason.NOT_NOW
    )
    lapsed = must_succeed(lifecycle.lapse(rejected, now=midnight(date(2026, 12, 8))))
    assert (lapsed.status, lapsed.outcome) == (Status.CLOSED, ObjectionOutcome.REJECTED)


def test_a_review_is_asked_for_once_and_in_time() -> None:
    """By another actor than the source."""
    rejected = must_succeed(try_decide(make_objection()))
    late = midnight(date(2026, 12, 8))
    assert try_appeal(rejected, now=late) == ObjectionRefused(reason=RefusalReason.TOO_LATE)
    asked = must_succeed(try_appeal(rejected))
    assert asked.status is Status.IN_REVIEW
    assert try_appeal(asked) == ObjectionRefused(reason=RefusalReason.NOT_NOW)
    itself = Actor(role=Role.REVIEWER, name="client:source", party="source")
    assert try_review(asked, actor=itself) == ObjectionRefused(reason=RefusalReason.OWN_DECISION)
    assert try_decide(asked) == ObjectionRefused(reason=RefusalReason.NOT_NOW)


def test_a_source_that_lets_its_time_pass_cannot_keep_the_enterprise_waiting() -> None:
    """The enterprise may then request a review, not a day earlier."""
    objection = make_objection()
    assert try_appeal(objection, now=NOON + 4 * DAY) == ObjectionRefused(
        reason=RefusalReason.NOT_NOW
    )
    assert (
        must_succeed(try_appeal(objection, now=midnight(date(2026, 11, 28)))).status
        is Status.IN_REVIEW
    )


def test_after_an_upholding_review_the_source_must_correct() -> None:
    """Rejecting again or pointing to an earlier correction is refused."""
    asked = must_succeed(try_appeal(must_succeed(try_decide(make_objection()))))
    ordered = must_succeed(try_review(asked))
    assert (ordered.status, ordered.record_version) == (Status.ORDERED, 4)
    assert ordered.marks
    assert try_decide(ordered) == ObjectionRefused(reason=RefusalReason.MUST_CORRECT)
    assert try_decide(ordered, ObjectionOutcome.UPHELD) == ObjectionRefused(
        reason=RefusalReason.NOT_CORRECTED
    )
    assert lifecycle.withdraw(ordered, actor=ENTERPRISE, now=NOON) == ObjectionRefused(
        reason=RefusalReason.NOT_NOW
    )
    partly = must_succeed(try_decide(ordered, ObjectionOutcome.PARTLY, corrected=True))
    assert partly.status is Status.CLOSED


def test_a_review_that_rejects_is_final() -> None:
    """No further act."""
    closed = must_succeed(
        try_review(
            must_succeed(try_appeal(must_succeed(try_decide(make_objection())))),
            ObjectionOutcome.REJECTED,
        )
    )
    assert closed.status is Status.CLOSED
    assert try_appeal(closed) == ObjectionRefused(reason=RefusalReason.NOT_NOW)


def try_extend(
    objection: Objection, until: date | None = None, now: datetime = NOON
) -> ObjectionChanged | ObjectionRefused:
    """Result of an extension."""
    return lifecycle.extend(objection, actor=SOURCE, reason="需要外调", until=until, now=now)


def test_time_is_extended_once_in_time_and_to_twenty_working_days_at_most() -> None:
    """With a reason, which is in the history."""
    objection = make_objection()
    changed = try_extend(objection)
    longer = must_succeed(changed)
    assert longer.due_on == objection.latest_on
    assert isinstance(changed, ObjectionChanged)
    assert (changed.event.what, changed.event.reason) == (ObjectionAct.EXTENDED, "需要外调")
    assert try_extend(longer) == ObjectionRefused(reason=RefusalReason.ALREADY_EXTENDED)
    assert try_extend(objection, now=NOON + 6 * DAY) == ObjectionRefused(
        reason=RefusalReason.TOO_LATE
    )
    assert try_extend(objection, date(2026, 12, 19)) == ObjectionRefused(
        reason=RefusalReason.NOT_LATER
    )
    assert try_extend(objection, date(2026, 11, 27)) == ObjectionRefused(
        reason=RefusalReason.NOT_LATER
    )
    assert must_succeed(try_extend(objection, date(2026, 11, 30))).due_on == date(2026, 11, 30)


def test_a_late_decision_still_counts() -> None:
    """Accepted after the deadline."""
    assert must_succeed(try_decide(make_objection(), now=NOON + 30 * DAY)).status is Status.DECIDED


@pytest.mark.parametrize("stranger", ["another-source", ""])
def test_only_the_records_source_decides(stranger: str) -> None:
    """Neither another department, the enterprise nor the operator."""
    for by in (replace(SOURCE, party=stranger), ENTERPRISE, REVIEWER):
        assert try_decide(make_objection(), actor=by) == ObjectionRefused(
            reason=RefusalReason.NOT_AVAILABLE
        )


def test_the_enterprise_may_let_it_rest() -> None:
    """The decision before stands."""
    withdrawn = must_succeed(lifecycle.withdraw(make_objection(), actor=ENTERPRISE, now=NOON))
    assert (withdrawn.status, withdrawn.outcome) == (Status.CLOSED, ObjectionOutcome.WITHDRAWN)
    accepted = lifecycle.withdraw(
        must_succeed(try_decide(make_objection())), actor=ENTERPRISE, now=NOON
    )
    assert must_succeed(accepted).outcome is ObjectionOutcome.REJECTED


def test_a_provisional_day_is_counted_again_when_the_calendar_knows() -> None:
    """Marked as provisional until then."""
    in_2090 = datetime(2090, 9, 29, 4, 0, tzinfo=NOON.tzinfo)
    far = make_objection(now=in_2090)
    assert far.due_provisional
    assert lifecycle.recount(far, kinds=KINDS, now=NOON) == ObjectionRefused(
        reason=RefusalReason.NOT_NOW
    )
    guessed = replace(make_objection(), due_on=date(2026, 11, 30), due_provisional=True)
    counted = must_succeed(lifecycle.recount(guessed, kinds=KINDS, now=NOON))
    assert (counted.due_on, counted.due_provisional) == (date(2026, 11, 27), False)


def test_a_provisional_day_takes_nothing_from_the_enterprise() -> None:
    """The time for a review is extended while holidays are unknown."""
    rejected = replace(must_succeed(try_decide(make_objection())), due_provisional=True)
    a_day_late, too_late = midnight(date(2026, 12, 8)), midnight(date(2026, 12, 22))
    assert lifecycle.lapse(rejected, now=a_day_late) == ObjectionRefused(
        reason=RefusalReason.NOT_NOW
    )
    assert must_succeed(try_appeal(rejected, now=a_day_late)).status is Status.IN_REVIEW
    assert try_appeal(rejected, now=too_late) == ObjectionRefused(reason=RefusalReason.TOO_LATE)
    assert must_succeed(lifecycle.lapse(rejected, now=too_late)).status is Status.CLOSED


def test_a_deleted_record_takes_every_text_with_it() -> None:
    """An open objection ends; an ended one keeps its outcome."""
    gone = lifecycle.forget(make_objection(), now=NOON).objection
    assert (gone.status, gone.outcome) == (Status.CLOSED, ObjectionOutcome.RECORD_DELETED)
    assert not any((gone.text, gone.wanted, gone.reasons, gone.review_text, gone.review_reasons))
    closed = must_succeed(try_decide(make_objection(), ObjectionOutcome.UPHELD, corrected=True))
    assert lifecycle.forget(closed, now=NOON).objection.outcome is ObjectionOutcome.UPHELD
