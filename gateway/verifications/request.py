"""What is asked is checked in full before anything about an enterprise is read."""

from collections.abc import Iterator
from dataclasses import dataclass

from consent import Purpose
from gateway.access.errors import (
    GatewayError,
    InvalidRequestError,
    InvalidUsccError,
    UnknownPurposeError,
    UnknownQuestionError,
)
from gateway.access.refused_request import UNKNOWN, RefusedRequest
from gateway.access.subject_uscc import subject_of
from gateway.verifications.schemas import VerificationIn
from verification import Asked, Question, problem_with, question


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRequest:
    """A well-formed verification: a possible code, a known purpose, questions of the catalogue."""

    uscc: str
    purpose: str
    asked: tuple[Asked, ...]
    questions: tuple[Question, ...]

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that the questions rest on."""
        return tuple(sorted({name for each in self.questions for name in each.datasets}))

    @property
    def open_datasets(self) -> tuple[str, ...]:
        """Those of them that what is asked without need of consent rests on."""
        return tuple(
            sorted({name for each, closed in self._each if not closed for name in each.datasets})
        )

    @property
    def under_consent(self) -> tuple[str, ...]:
        """The tags by which a consent names those questions that, as they are asked, need one."""
        return tuple(tag for each, closed in self._each if closed for tag in each.consented_by)

    @property
    def closed_datasets(self) -> tuple[tuple[str, str], ...]:
        """Pairs: a tag by which a consent names a question that needs one, a dataset it rests on."""
        return tuple(
            (tag, dataset)
            for each, closed in self._each
            if closed
            for tag in each.consented_by
            for dataset in each.datasets
        )

    @property
    def budgets(self) -> tuple[str, ...]:
        """The tags under which asserted values are counted."""
        return tuple(dict.fromkeys(each.budget for each in self.questions))

    @property
    def _each(self) -> Iterator[tuple[Question, bool]]:
        """Each question, and whether it is closed with the value that it is asked with."""
        pairs = zip(self.questions, self.asked, strict=True)
        return ((each, each.closed(asked.value)) for each, asked in pairs)


def ask_of(body: VerificationIn) -> VerificationRequest | RefusedRequest | GatewayError:
    """The ask in `body`, or what is wrong with it."""
    uscc = subject_of(body.enterprise.uscc)
    if isinstance(uscc, InvalidUsccError):
        return uscc
    asked = tuple(Asked(tag=each.question, value=each.value) for each in body.questions)
    questions = tuple(found for each in asked if (found := question(each.tag)) is not None)
    known = tuple(dict.fromkeys(each.tag for each in questions))
    if body.purpose not in set(Purpose):
        return _amiss(UnknownPurposeError(), uscc, UNKNOWN, known)
    if len(questions) < len(asked):
        return _amiss(UnknownQuestionError(), uscc, body.purpose, known)
    if len(set(asked)) < len(asked):
        return InvalidRequestError("Ask each question, with each value, once.")
    problems = [problem for each in asked if (problem := problem_with(each))]
    if problems:
        return InvalidRequestError(problems[0])
    return VerificationRequest(uscc=uscc, purpose=body.purpose, asked=asked, questions=questions)


def _amiss(error: GatewayError, uscc: str, purpose: str, asked: tuple[str, ...]) -> RefusedRequest:
    return RefusedRequest(error=error, uscc=uscc, kind="verification", purpose=purpose, asked=asked)
