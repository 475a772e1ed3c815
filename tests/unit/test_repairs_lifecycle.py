"""Application for repair: who may do what in which state, deadlines and waiting times."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.model import Actor, Role
from gateway.creditfile.repair_terms import RepairTerms, repair_terms
from gateway.creditfile.repairs import lifecycle
from gateway.creditfile.repairs.model import (
    ApplicationRefusal,
    ApplicationStatus,
    RepairApplication,
)
from gateway.creditfile.working_days import working_days_after
from tests.creditfile_builders import CATALOGUE, NOON, make_record
from tests.objection_builders import ENTERPRISE, GROUND, REVIEWER, SOURCE
from tests.repair_builders import PAPER

assert CATALOGUE.repair is not None
RULES = CATALOGUE.repair


def _terms(now: datetime = NOON) -> RepairTerms:
    terms = repair_terms(make_record(), CATALOGUE, now)
    assert isinstance(terms, RepairTerms)
    return terms


def _try(
    now: datetime = NOON, *, actor: Actor = ENTERPRISE, terms: RepairTerms | None = None
) -> RepairApplication | ApplicationRefusal:
    return lifecycle.apply(
        GROUND,
        terms or _terms(now),
        application_id="rep_1",
        statement="罚款已缴清。",
        papers=(PAPER,) * 7,
        actor=actor,
        now=now,
    )


def _made(now: datetime = NOON) -> RepairApplication:
    made = _try(now)
    assert isinstance(made, RepairApplication), made
    return made


def _decided(
    application: RepairApplication, now: datetime = NOON, *, accepted: bool = False
) -> RepairApplication:
    done = lifecycle.decide(application, actor=SOURCE, accepted=accepted, reason="理由", now=now)
    assert isinstance(done, RepairApplication), done
    return done


def test_an_application_is_due_after_the_working_days_of_its_rule() -> None:
    """From the day after receipt, by Shanghai's days; five papers at most."""
    made = _made()
    assert made.due_on == working_days_after(day_of(NOON), 10).day
    assert (made.status, len(made.papers)) == (ApplicationStatus.OPEN, 5)
    late_evening = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)  # Monday has begun in Shanghai
    assert _made(late_evening).due_on == working_days_after(date(2026, 11, 23), 10).day


@pytest.mark.parametrize("actor", [SOURCE, REVIEWER, replace(ENTERPRISE, party="elsewhere")])
def test_only_the_records_enterprise_applies_and_withdraws(actor: Actor) -> None:
    """Anybody else finds nothing."""
    assert _try(actor=actor) is ApplicationRefusal.NOT_AVAILABLE
    done = lifecycle.withdraw(_made(), actor=actor, now=NOON)
    assert done is ApplicationRefusal.NOT_AVAILABLE


@pytest.mark.parametrize(
    "actor", [ENTERPRISE, REVIEWER, replace(SOURCE, party="elsewhere"), replace(SOURCE, party="")]
)
def test_only_the_records_source_decides(actor: Actor) -> None:
    """Anybody else finds nothing."""
    done = lifecycle.decide(_made(), actor=actor, accepted=True, reason="理由", now=NOON)
    assert done is ApplicationRefusal.NOT_AVAILABLE


def test_nothing_is_applied_for_before_its_day() -> None:
    """Nor while another application is open."""
    early = repair_terms(make_record(severity="严重"), CATALOGUE, NOON)
    applied = repair_terms(make_record(), CATALOGUE, NOON, applied=True)
    for terms in (early, applied):
        assert isinstance(terms, RepairTerms)
        assert _try(terms=terms) is ApplicationRefusal.NOT_REPAIRABLE


@pytest.mark.parametrize("accepted", [True, False])
def test_what_is_decided_is_neither_decided_again_nor_withdrawn(*, accepted: bool) -> None:
    """A late decision counts."""
    done = _decided(_made(), NOON + timedelta(days=90), accepted=accepted)
    status = ApplicationStatus.ACCEPTED if accepted else ApplicationStatus.REJECTED
    assert (done.status, done.reason, done.is_open) == (status, "理由", False)
    again = lifecycle.decide(done, actor=SOURCE, accepted=True, reason="理由", now=NOON)
    assert again is ApplicationRefusal.NOT_NOW
    assert lifecycle.withdraw(done, actor=ENTERPRISE, now=NOON) is ApplicationRefusal.NOT_NOW


def test_the_next_application_waits_after_a_rejection_and_to_the_end_of_the_day_of_a_withdrawal() -> (
    None
):
    """An acceptance and an overtaken application make nobody wait."""
    rejected = _decided(_made())
    withdrawn = lifecycle.withdraw(_made(), actor=ENTERPRISE, now=NOON)
    assert isinstance(withdrawn, RepairApplication)
    overtaken = lifecycle.closed(_made(), ApplicationStatus.OVERTAKEN, "clock", NOON)
    wait = working_days_after(day_of(NOON), RULES.again).day
    assert lifecycle.waits_until([rejected], RULES) == wait
    assert lifecycle.waits_until([withdrawn], RULES) == day_of(NOON)
    assert lifecycle.waits_until([withdrawn, rejected], RULES) == wait
    for free in ([], [_made()], [overtaken], [_decided(_made(), accepted=True)]):
        assert lifecycle.waits_until(free, RULES) is None


def test_a_provisional_deadline_is_counted_again_once_its_year_is_known() -> None:
    """Others stay as they are, and so do closed applications."""
    made = _made()
    guessed = replace(made, due_on=date(2026, 12, 31), due_provisional=True)
    assert lifecycle.recount(guessed, RULES) == made
    assert lifecycle.recount(made, RULES) is ApplicationRefusal.NOT_NOW
    assert lifecycle.recount(_decided(guessed), RULES) is ApplicationRefusal.NOT_NOW
    unknown = replace(guessed, applied_at=datetime(2040, 12, 30, tzinfo=UTC))
    assert lifecycle.recount(unknown, RULES) is ApplicationRefusal.NOT_NOW


def test_the_actor_of_an_act_is_kept_as_evidence() -> None:
    """With the identity token of the application."""
    signed = replace(ENTERPRISE, identity_token_digest=b"\x01" * 32)
    made = _try(actor=signed)
    assert isinstance(made, RepairApplication)
    assert (made.applied_by, made.identity_token_digest) == ("demo:zhang", b"\x01" * 32)
    assert _decided(made).closed_by == SOURCE.name
    assert signed.role is Role.ENTERPRISE
