"""The SDK's closed lists are the wire's."""

from __future__ import annotations

from typing import get_args

from consent import Purpose, Status
from gateway.clients.bundles import PUBLISHED
from gateway.credit_reports.model import ReportState as StateOfReport
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.disclosure_policy import never_disclosed_fields
from gateway.disclosure.application_outcomes import model
from gateway.disclosure.consent_change_events import ConsentNoticeKind
from gateway.disclosure.withdrawal_notices import RecordKind
from gateway.queries import withheld
from tests.generated.sdk_labels import LABELS, text_of
from verification import LIMIT, QUESTIONS, Answer
from xinqiao import (
    PURPOSES,
    AnswerValue,
    ApplicationOutcome,
    BundleName,
    ConsentStatus,
    OutcomeReason,
    QuestionTag,
    ReportState,
    WithheldReason,
)
from xinqiao._core.wire import closed_lists


def test_purposes_questions_and_statuses_are_those_of_the_wire() -> None:
    """In both directions; and the reasons for which something is withheld, and the answers."""
    assert set(get_args(WithheldReason)) == set(get_args(withheld.WithheldReason))
    assert set(get_args(AnswerValue)) == set(get_args(Answer))
    assert set(PURPOSES) == {each.value for each in Purpose}
    assert set(get_args(QuestionTag)) == {each.tag for each in QUESTIONS}
    assert get_args(ApplicationOutcome) == tuple(model.ApplicationOutcome)
    assert get_args(OutcomeReason) == tuple(model.OutcomeReason)
    assert get_args(BundleName) == tuple(each.name for each in PUBLISHED)
    assert set(get_args(ConsentStatus)) == {each.value for each in Status}
    assert set(get_args(ReportState)) == {each.value for each in StateOfReport}


def test_kinds_of_notices_are_those_of_the_wire() -> None:
    """Expiry has no act; a changed answer is the wire's, for watch lists."""
    assert set(closed_lists.RECORD_CHANGE_KINDS) == set(get_args(RecordKind))
    assert set(closed_lists.CONSENT_CHANGE_KINDS) == {
        *get_args(ConsentNoticeKind),
        "consent_expired",
    }


def test_rules_of_questions_are_those_of_the_catalogue() -> None:
    """Values, members, consents, and what shares a budget."""
    published = {
        each.tag: closed_lists.QuestionRule(
            value=each.value,
            one_of=each.values,
            members={element.name: element.question for element in each.elements},
            optional=each.optional,
            needs_consent=each.needs_consent,
            value_needs_consent=each.value_needs_consent,
            earlier=each.earlier,
        )
        for each in QUESTIONS
    }
    assert published == closed_lists.QUESTION_RULES
    assert closed_lists.DISTINCT_VALUES == LIMIT


def test_datasets_are_those_of_the_catalogue() -> None:
    """Codes, purposes, fields that no client is told, and the day that a query filters by."""
    catalogue = load_catalogue()
    datasets = {code: catalogue.dataset(code) for code in sorted(catalogue.codes)}
    assert tuple(datasets) == closed_lists.DATASETS
    limited = {code: set(each.purposes) for code, each in datasets.items() if each.purposes}
    assert limited == {code: set(each) for code, each in closed_lists.PURPOSES_OF.items()}
    never = {code: never_disclosed_fields(catalogue, code) for code in datasets}
    assert {code: fields for code, fields in never.items() if fields} == closed_lists.NEVER_TOLD
    days = {code: each.field_of.get("decided_on") for code, each in datasets.items()}
    assert {code: day for code, day in days.items() if day} == closed_lists.DECISION_DAYS


def test_labels_of_the_command_are_those_of_the_catalogue() -> None:
    """As `make docs` writes them."""
    assert LABELS.read_text(encoding="utf-8") == text_of(load_catalogue())
