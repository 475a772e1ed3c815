"""Parsing of a watch list: what of it depends on no enterprise."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from consent import PURPOSES
from gateway.access.errors import (
    GatewayError,
    InvalidRequestError,
    InvalidUsccError,
    NotInAgreementError,
    QuotaExhaustedError,
    Refusal,
    UnknownPurposeError,
    UnknownQuestionError,
)
from gateway.access.named_bundle import named_bundle
from gateway.access.subject_uscc import parse_subject
from gateway.clients.agreements import Agreement
from gateway.creditfile.watches.lists import MOST_ENTERPRISES
from gateway.limits.quotas import DAY
from gateway.verifications.watches.schemas import WatchIn
from verification import find_question, is_watchable

MOST_PLACES: Final = 10
"""Places that a problem names."""
_NOTHING_WATCHED: Final = Refusal(
    InvalidRequestError, "Mend these members: questions: watch at least one, or name a bundle."
)
TOO_MANY: Final = f"A list holds at most {MOST_ENTERPRISES} enterprises."


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest:
    """A well-formed list: a known purpose, questions without consent, codes each once."""

    purpose: str
    questions: tuple[str, ...]
    usccs: tuple[str, ...]


def parse_watch(body: WatchIn, agreement: Agreement) -> WatchRequest | Refusal:
    """The list in a parsed body, or what is wrong with it, by its places and never its values.

    A bundle stands for those of its questions that need no consent and that the agreement covers.
    """
    if len(body.enterprises) > MOST_ENTERPRISES:
        return Refusal(QuotaExhaustedError, TOO_MANY, retry_after=DAY)
    if body.purpose not in PURPOSES:
        return Refusal(UnknownPurposeError)
    questions = _watched_questions(body, agreement)
    if isinstance(questions, Refusal):
        return questions
    codes = [parse_subject(each) for each in body.enterprises]
    malformed = [place for place, code in enumerate(codes) if code is None]
    if malformed:
        return _refused(InvalidUsccError, malformed, "not a unified social credit code")
    counts = Counter(codes)
    repeated = [place for place, code in enumerate(codes) if counts[code] > 1]
    if repeated:
        return _refused(InvalidRequestError, repeated, "named more than once")
    return WatchRequest(
        purpose=body.purpose,
        questions=questions,
        usccs=tuple(code for code in codes if code is not None),
    )


def _watched_questions(body: WatchIn, agreement: Agreement) -> tuple[str, ...] | Refusal:
    """The questions that are watched, or those of the bundle that is named."""
    if body.bundle is None:
        questions = tuple(body.questions or ())
        refused = _refused_questions(questions) if questions else _NOTHING_WATCHED
        return refused or questions
    bundle = named_bundle(body.bundle, purpose=body.purpose, beside=body.questions or ())
    if isinstance(bundle, Refusal):
        return bundle
    sentence = f"Your agreement covers nothing of the bundle {bundle.name} that can be watched."
    return bundle.watched_under(agreement) or Refusal(NotInAgreementError, sentence)


def _refused_questions(tags: Sequence[str]) -> Refusal | None:
    found = [find_question(tag) for tag in tags]
    if None in found:
        return Refusal(UnknownQuestionError)
    if len(set(tags)) < len(tags):
        return Refusal(InvalidRequestError, "Name each question once.")
    closed = [each.tag for each in found if each is not None and not is_watchable(each)]
    if closed:
        named = ", ".join(closed)
        return Refusal(InvalidRequestError, f"What needs a consent cannot be watched: {named}.")
    return None


def _refused(error: type[GatewayError], places: Iterable[int], why: str) -> Refusal:
    """A refusal that names the places, from 0; the first ten of them."""
    found = list(places)
    named = ", ".join(f"enterprises[{place}]" for place in found[:MOST_PLACES])
    more = f" and {len(found) - MOST_PLACES} more" if len(found) > MOST_PLACES else ""
    return Refusal(error, f"{named}{more}: {why}.")
