"""Parsing of a watch list: what of it depends on no enterprise and no agreement."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from consent import PURPOSES
from gateway.access.errors import (
    GatewayError,
    InvalidRequestError,
    InvalidUsccError,
    QuotaExhaustedError,
    Refusal,
    UnknownPurposeError,
    UnknownQuestionError,
)
from gateway.access.subject_uscc import parse_subject
from gateway.creditfile.watches.lists import MOST_ENTERPRISES
from gateway.limits.quotas import DAY
from gateway.verifications.watches.schemas import WatchIn
from verification import find_question, is_watchable

MOST_PLACES: Final = 10
"""Places that a problem names."""
TOO_MANY: Final = f"A list holds at most {MOST_ENTERPRISES} enterprises."


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest:
    """A well-formed list: a known purpose, questions without consent, codes each once."""

    purpose: str
    questions: tuple[str, ...]
    usccs: tuple[str, ...]


def parse_watch(body: WatchIn) -> WatchRequest | Refusal:
    """The list in a parsed body, or what is wrong with it, by its places and never its values."""
    if len(body.enterprises) > MOST_ENTERPRISES:
        return Refusal(QuotaExhaustedError, TOO_MANY, retry_after=DAY)
    if body.purpose not in PURPOSES:
        return Refusal(UnknownPurposeError)
    refused = _refused_questions(body.questions)
    if refused is not None:
        return refused
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
        questions=tuple(body.questions),
        usccs=tuple(code for code in codes if code is not None),
    )


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
