"""Response models of the catalogue of questions, `GET /v1/questions`."""

from typing import Literal

from pydantic import Field

from gateway.access.http.body import WireModel
from verification.question import QuestionKind


class TwoLanguagesOut(WireModel):
    """A text in Chinese and in English."""

    zh: str
    en: str


class QuestionValueOut(WireModel):
    """The value that a question takes; a `type` has the members that it needs."""

    type: Literal["none", "text", "one_of", "elements"]
    required: bool = Field(default=False, description="There but for the type `none`.")
    needs_consent: bool = Field(default=False, description="There but for the type `none`.")
    one_of: list[str] = Field(default=[], description="The values of the type `one_of`.")
    max_length: int = Field(default=0, description="Characters of a `text` or of each element.")
    members: list[str] = Field(default=[], description="The members of the type `elements`.")


class CatalogueQuestionOut(WireModel):
    """A question: what it means, the value that it takes, and what it needs."""

    question: str
    title: TwoLanguagesOut
    meaning: TwoLanguagesOut
    kind: QuestionKind
    value: QuestionValueOut
    disclosure_class: Literal["public", "authorised"] = Field(
        description="Of what the question tells; `authorised` needs consent."
    )
    needs_consent: bool
    separate_consent: str = Field(
        default="", description="There where a separate consent is needed: who gives it."
    )
    datasets: list[str]
    normalisation: str | None
    loose: bool
    budgeted: bool
    shares_budget_with: list[str] = Field(
        default=[], description="Other questions in whose budgets a value of this one counts."
    )


class QuestionsOut(WireModel):
    """The published catalogue of questions."""

    catalogue_version: str
    questions: list[CatalogueQuestionOut]
