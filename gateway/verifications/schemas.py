"""Request and response models of a verification."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticKnownError

from gateway.access.http.body import EnterpriseIn, WireModel
from gateway.access.named_bundle import either_bundle_or
from gateway.signing.jwe import MAX_LENGTH as MAX_JWE_LENGTH
from gateway.signing.jwe import is_compact_jwe
from verification import Answer, Match
from verification.asked_question import LONGEST_VALUE

VerificationText = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _within_bounds(value: str) -> str:
    """The value, unless it is longer than what it is may be: an asserted text, or a compact JWE."""
    longest = MAX_JWE_LENGTH if is_compact_jwe(value) else LONGEST_VALUE
    if len(value) > longest:
        raise PydanticKnownError("string_too_long", {"max_length": longest})
    return value


SentValue = Annotated[
    str,
    StringConstraints(min_length=1),
    AfterValidator(_within_bounds),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_JWE_LENGTH}),
]
"""A value, or an ID number encrypted to the gateway's key (compact JWE)."""
MAX_QUESTIONS = 20


class ElementsIn(WireModel):
    """The value of a group: the members that `GET /v1/questions` names for it, and no other."""

    name: VerificationText | None = Field(default=None, examples=["杭州云栖数据科技有限公司"])
    legal_representative: VerificationText | None = None
    id_number: SentValue | None = None


class QuestionIn(WireModel):
    """One question, with the asserted value (of a group an object) or the chosen band."""

    question: VerificationText = Field(examples=["enterprise_name.v1"])
    value: SentValue | ElementsIn | None = None


class VerificationIn(WireModel):
    """`POST /v1/verifications`."""

    model_config = either_bundle_or("questions")

    enterprise: EnterpriseIn
    purpose: VerificationText = Field(examples=["merchant_onboarding"])
    bundle: VerificationText | None = Field(default=None, examples=["onboarding.v1"])
    questions: Annotated[list[QuestionIn], Field(min_length=1, max_length=MAX_QUESTIONS)] | None = (
        None
    )


class AnswerOut(WireModel):
    """One answer; `match` is present only with a `yes` on a name."""

    question: str
    answer: Answer
    match: Match | None = None


class LogPromiseOut(WireModel):
    """The log's promise: this leaf will be in the tree by `merge_by`."""

    leaf_hash: str
    log: str
    merge_by: str


class VerificationOut(WireModel):
    """The answer of `POST /v1/verifications`."""

    verification_id: str
    disclosure_id: str
    enterprise: EnterpriseIn
    purpose: str
    as_of: str
    catalogue_version: str
    answers: list[AnswerOut]
    warnings: list[Literal["check_character"]] | None = None
    log_promise: LogPromiseOut
