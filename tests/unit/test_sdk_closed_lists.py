"""The SDK's closed lists are the wire's."""

from __future__ import annotations

from typing import get_args

from consent import Purpose, Status
from gateway.disclosure.consent_change_events import ConsentNoticeKind
from gateway.disclosure.withdrawal_notices import RecordKind
from verification import QUESTIONS
from xinqiao import PURPOSES, ConsentStatus, QuestionTag
from xinqiao._core import closed_lists


def test_purposes_questions_and_statuses_are_those_of_the_wire() -> None:
    """In both directions."""
    assert set(PURPOSES) == {each.value for each in Purpose}
    assert set(get_args(QuestionTag)) == {each.tag for each in QUESTIONS}
    assert set(get_args(ConsentStatus)) == {each.value for each in Status}


def test_kinds_of_notices_are_those_of_the_wire() -> None:
    """Expiry has no act; a changed answer is the wire's, for watch lists."""
    assert set(closed_lists.RECORD_CHANGE_KINDS) == set(get_args(RecordKind))
    assert set(closed_lists.CONSENT_CHANGE_KINDS) == {
        *get_args(ConsentNoticeKind),
        "consent_expired",
    }
