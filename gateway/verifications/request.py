"""Parsing of a verification request, in full before anything about an enterprise is read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final, Self

from consent import PURPOSES
from gateway.access.errors import (
    InvalidRequestError,
    InvalidUsccError,
    Refusal,
    UnknownPurposeError,
    UnknownQuestionError,
)
from gateway.access.named_bundle import named_bundle
from gateway.access.refused_request import UNKNOWN, RefusedRequest
from gateway.access.subject_uscc import code_warnings
from gateway.clients.agreements import Agreement
from gateway.verifications.id_numbers import without_ciphertext
from gateway.verifications.schemas import ElementsIn, QuestionIn, VerificationIn
from verification import (
    Asked,
    NotACode,
    Question,
    Value,
    budgets_of,
    elements_of,
    find_question,
    problem_with,
)

NOTHING: Final = "Mend these members: questions: ask at least one, or name a bundle."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """Plan of the read for some questions; it depends on them alone, not on the enterprise."""

    datasets: tuple[str, ...]
    """Those that the questions depend on."""
    open_datasets: tuple[str, ...]
    """Those of questions that, as asked, need no consent."""
    consent_tags: tuple[str, ...]
    """The tags under which a consent allows the questions that, as asked, need one."""
    closed_questions: tuple[str, ...]
    """For each dataset of a question that, as asked, needs a consent, a tag that allows it …"""
    closed_datasets: tuple[str, ...]
    """… and that dataset."""
    budgets: tuple[str, ...]
    """The tags under which asserted values are counted."""


@lru_cache(maxsize=1_024)
def read_plan(asked: tuple[tuple[str, bool], ...]) -> ReadPlan:
    """The plan of questions of the catalogue, each with whether, as asked, it needs a consent."""
    each_closed = [(found, closed) for tag, closed in asked if (found := find_question(tag))]
    closed_pairs = [
        (tag, dataset)
        for each, closed in each_closed
        if closed
        for tag in each.consented_by
        for dataset in each.datasets
    ]
    return ReadPlan(
        datasets=_datasets_of(each for each, _ in each_closed),
        open_datasets=_datasets_of(each for each, closed in each_closed if not closed),
        consent_tags=tuple(
            tag for each, closed in each_closed if closed for tag in each.consented_by
        ),
        closed_questions=tuple(tag for tag, _ in closed_pairs),
        closed_datasets=tuple(dataset for _, dataset in closed_pairs),
        budgets=tuple(dict.fromkeys(tag for each, _ in each_closed for tag in budgets_of(each))),
    )


@dataclass(frozen=True, kw_only=True)
class VerificationRequest:
    """A well-formed verification: a valid code, a known purpose, questions of the catalogue."""

    uscc: str
    purpose: str
    asked: tuple[Asked, ...]
    questions: tuple[Question, ...]
    warnings: tuple[str, ...] = ()
    """On the code, from its characters alone."""
    line: int | None = None
    """Its number in a batch."""
    by_bundle: bool = False
    """True where a bundle stood for the questions: then those outside the agreement are not asked."""

    def under(self, agreement: Agreement) -> Self:
        """The request that an agreement leaves of one by bundle; the whole if it leaves nothing."""
        if not self.by_bundle:
            return self
        asked = tuple(each for each in self.asked if each.tag in agreement.questions)
        questions = tuple(each for each in self.questions if each.tag in agreement.questions)
        return replace(self, asked=asked, questions=questions) if asked else self

    @cached_property
    def plan(self) -> ReadPlan:
        """The plan of the read for these questions."""
        pairs = zip(self.questions, self.asked, strict=True)
        return read_plan(
            tuple((each.tag, each.needs_consent_for(asked.value)) for each, asked in pairs)
        )

    def refused(self, refusal: Refusal) -> RefusedRequest:
        """This request with its refusal, for the log."""
        return _refused(refusal, self.uscc, self.purpose, tuple(each.tag for each in self.asked))


def parse_request(
    body: VerificationIn, *, line: int | None = None
) -> VerificationRequest | RefusedRequest | Refusal:
    """The request in a parsed body, or what is wrong with it; `line` is its number in a batch."""
    code = body.enterprise.code
    if isinstance(code, NotACode):
        return Refusal(InvalidUsccError)
    uscc = code.uscc
    asked = _asked(body)
    if isinstance(asked, Refusal):
        return asked
    questions = tuple(found for each in asked if (found := find_question(each.tag)) is not None)
    has_purpose = body.purpose in PURPOSES
    if not has_purpose or len(questions) < len(asked):
        refusal = Refusal(UnknownQuestionError if has_purpose else UnknownPurposeError)
        known = tuple(dict.fromkeys(each.tag for each in questions))
        return _refused(refusal, uscc, body.purpose if has_purpose else UNKNOWN, known)
    mistakes = [problem for each in asked if (problem := problem_with(without_ciphertext(each)))]
    if len(set(asked)) < len(asked):
        mistakes.insert(0, "Ask each question, with each value, once.")
    if mistakes:
        return Refusal(InvalidRequestError, mistakes[0])
    return VerificationRequest(
        uscc=uscc,
        purpose=body.purpose,
        asked=asked,
        questions=questions,
        warnings=code_warnings(code),
        line=line,
        by_bundle=body.bundle is not None,
    )


def _asked(body: VerificationIn) -> tuple[Asked, ...] | Refusal:
    """The questions that are asked, or those of the bundle that is named."""
    if body.bundle is None:
        if body.questions is None:
            return Refusal(InvalidRequestError, NOTHING)
        return tuple(Asked(tag=each.question, value=asked_value(each)) for each in body.questions)
    bundle = named_bundle(body.bundle, purpose=body.purpose, beside=body.questions or ())
    if isinstance(bundle, Refusal):
        return bundle
    return tuple(Asked(tag=each.tag, value=each.value) for each in bundle.questions)


def _datasets_of(questions: Iterable[Question]) -> tuple[str, ...]:
    return tuple(sorted({name for each in questions for name in each.datasets}))


def asked_value(asked: QuestionIn) -> Value | None:
    """The value that a question was sent with; that of a group in its one order."""
    if isinstance(asked.value, ElementsIn):
        return elements_of(asked.value.model_dump(exclude_none=True))
    return asked.value


def _refused(refusal: Refusal, uscc: str, purpose: str, asked: tuple[str, ...]) -> RefusedRequest:
    return RefusedRequest(
        refusal=refusal, uscc=uscc, kind="verification", purpose=purpose, asked=asked
    )
