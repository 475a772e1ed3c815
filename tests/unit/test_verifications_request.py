"""Verification request: questions, probe budgets, and tags that a consent must name."""

from dataclasses import replace

from gateway.verifications.request import VerificationRequest
from tests.creditfile_builders import USCC
from verification import Asked, Question, find_question


def make_ask(*questions: Question) -> VerificationRequest:
    """Questions, each with a value."""
    asked = tuple(Asked(tag=each.tag, value="张三") for each in questions)
    return VerificationRequest(uscc=USCC, purpose="loan_approval", asked=asked, questions=questions)


def test_a_consent_that_names_the_earlier_question_covers_the_later_one() -> None:
    """For closed name questions; not the other way round."""
    first, second = find_question("enterprise_name.v1"), find_question("enterprise_name.v2")
    assert first is not None
    assert second is not None
    closed = make_ask(replace(second, needs_consent=True)).plan
    assert closed.consent_tags == ("enterprise_name.v2", "enterprise_name.v1")
    assert closed.closed_questions == ("enterprise_name.v2", "enterprise_name.v1")
    assert closed.closed_datasets == ("registration", "registration")
    first_alone = make_ask(replace(first, needs_consent=True)).plan
    assert first_alone.consent_tags == ("enterprise_name.v1",)
    assert make_ask(second).plan.consent_tags == ()
    assert make_ask(first, second).plan.budgets == ("enterprise_name.v1",)
