"""Purpose and questions that a job asks of every line, and the columns that hold the values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from consent import PURPOSES
from gateway.access.errors import (
    InvalidRequestError,
    NotInAgreementError,
    Refusal,
    UnknownPurposeError,
    UnknownQuestionError,
)
from gateway.access.named_bundle import named_bundle
from gateway.clients.agreements import Agreement
from gateway.verifications.jobs.schemas import JobIn, JobQuestionIn
from verification import Question, find_question

BOTH_OR_NONE: Final = "Give purpose and questions (or a bundle) together, or neither."


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateQuestion:
    """One question: its fixed band, or the columns of its values by member (`""`: the value itself)."""

    tag: str
    value: str | None
    columns: tuple[tuple[str, str], ...]
    optional: bool = False
    """Asked without a value where the cell is empty or the column is missing."""

    def as_json(self) -> dict[str, Any]:
        """The question as stored and shown."""
        found: dict[str, Any] = {"question": self.tag}
        if self.value is not None:
            found["value"] = self.value
        if self.columns and self.columns[0][0] == "":
            found["column"] = self.columns[0][1]
        elif self.columns:
            found["columns"] = dict(self.columns)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The purpose and questions of all lines of a job."""

    purpose: str
    questions: tuple[TemplateQuestion, ...]

    @classmethod
    def stored(
        cls, purpose: str | None, questions: Sequence[Mapping[str, Any]] | None
    ) -> Self | None:
        """The template in a job's row; `None` where its lines say themselves what they ask."""
        if purpose is None or questions is None:
            return None
        asked = (JobQuestionIn.model_validate(dict(each)) for each in questions)
        found = [_question(each) for each in asked]
        return cls(
            purpose=purpose,
            questions=tuple(each for each in found if isinstance(each, TemplateQuestion)),
        )


def parse_template(body: JobIn, agreement: Agreement) -> Template | Refusal | None:
    """The template in a request, a refusal, or `None` without one."""
    if body.purpose is None and body.questions is None and body.bundle is None:
        return None
    if body.purpose is None or (body.questions is None and body.bundle is None):
        return Refusal(InvalidRequestError, BOTH_OR_NONE)
    if body.purpose not in PURPOSES:
        return Refusal(UnknownPurposeError)
    if body.bundle is not None:
        return _of_bundle(body.bundle, body.purpose, body.questions or (), agreement)
    return _of_questions(body.purpose, body.questions or ())


def _of_questions(purpose: str, asked: Sequence[JobQuestionIn]) -> Template | Refusal:
    found = [_question(each) for each in asked]
    for each in found:
        if isinstance(each, Refusal):
            return each
    questions = tuple(each for each in found if isinstance(each, TemplateQuestion))
    if len({(each.tag, each.value, each.columns) for each in questions}) < len(questions):
        return Refusal(InvalidRequestError, "Ask each question, with each value, once.")
    return Template(purpose=purpose, questions=questions)


def _of_bundle(
    name: str, purpose: str, beside: Sequence[JobQuestionIn], agreement: Agreement
) -> Template | Refusal:
    """The questions of a bundle that the agreement covers, each with the bundle's value."""
    bundle = named_bundle(name, purpose=purpose, beside=beside)
    if isinstance(bundle, Refusal):
        return bundle
    covered = bundle.tags_under(agreement)
    if not covered:
        sentence = f"Your agreement covers no question of the bundle {name}."
        return Refusal(NotInAgreementError, sentence)
    questions = tuple(
        TemplateQuestion(tag=each.tag, value=each.value, columns=())
        for each in bundle.questions
        if each.tag in covered
    )
    return Template(purpose=purpose, questions=questions)


def _question(asked: JobQuestionIn) -> TemplateQuestion | Refusal:
    question = find_question(asked.question)
    if question is None:
        return Refusal(UnknownQuestionError)
    match question.value:
        case "none" | "one_of":
            return _without_column(question, asked)
        case "text":
            return _with_column(question, asked)
        case _:
            return _with_columns(question, asked)


def _without_column(question: Question, asked: JobQuestionIn) -> TemplateQuestion | Refusal:
    """A public state, or a band that is the same for all lines."""
    if asked.column is not None or asked.columns is not None or not question.offers(asked.value):
        return Refusal(InvalidRequestError, f"{question.tag} takes {_wanted(question)}.")
    return TemplateQuestion(tag=question.tag, value=asked.value, columns=())


def _with_column(question: Question, asked: JobQuestionIn) -> TemplateQuestion | Refusal:
    if asked.value is not None or asked.columns is not None:
        sentence = f"The values of {question.tag} come in a column: name it by column."
        return Refusal(InvalidRequestError, sentence)
    column = asked.column or question.tag
    return TemplateQuestion(
        tag=question.tag, value=None, columns=(("", column),), optional=question.optional
    )


def _with_columns(question: Question, asked: JobQuestionIn) -> TemplateQuestion | Refusal:
    members = [each.name for each in question.elements]
    named = asked.columns or {}
    if asked.value is not None or asked.column is not None or not set(named) <= set(members):
        sentence = f"{question.tag} takes columns for: {', '.join(members)}."
        return Refusal(InvalidRequestError, sentence)
    columns = tuple((each, named.get(each, f"{question.tag}/{each}")) for each in members)
    return TemplateQuestion(tag=question.tag, value=None, columns=columns)


def _wanted(question: Question) -> str:
    if question.value == "none":
        return "no value"
    return f"one value for all lines, one of: {', '.join(question.values)}"
