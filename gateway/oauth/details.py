"""`authorization_details` (RFC 9396) are taken whole or refused: nothing unknown is let be.

What is judged here is the ask, the catalogue and the client's own agreement: never the enterprise,
so that a pushed request tells nothing about one (R7, R9).
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from consent import Consent, Purpose
from gateway.access.body import Wire
from gateway.clients.agreements import Agreement
from gateway.creditfile.catalogue import Catalogue
from gateway.oauth.errors import OAuthError
from verification import NotACode, parse_uscc, question

TYPE: Final = "credit_data"
MOST_ITEMS: Final = 64
MOST_USES: Final = 100_000
LONGEST_TERM: Final = timedelta(days=2 * 365 + 1)
DEFAULT_TERM: Final = timedelta(days=90)
SHOWN_MISTAKES: Final = 3

Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9_.]+$")]
Names = Annotated[tuple[Name, ...], Field(max_length=MOST_ITEMS)]
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


class EnterpriseIn(Wire):
    """The enterprise that is asked."""

    uscc: Annotated[str, StringConstraints(max_length=32)]


class CreditData(Wire):
    """What a client asks an enterprise to allow."""

    type: Literal["credit_data"]
    enterprise: EnterpriseIn | None = None
    purpose: Annotated[str, StringConstraints(max_length=64)]
    datasets: Names = ()
    questions: Names = ()
    valid_until: Annotated[str, StringConstraints(max_length=40)] | None = None
    max_uses: Annotated[int, Field(ge=1, le=MOST_USES)] | None = None


_LIST: Final = TypeAdapter(Annotated[tuple[CreditData, ...], Field(min_length=1, max_length=1)])


def checked_details(
    text: str, *, agreement: Agreement, catalogue: Catalogue, now: datetime
) -> dict[str, Any]:
    """What `text` asks for, as the decision page needs it: the members of `AskDocument`."""
    asked = _parsed(text)
    uscc = _uscc(asked)
    _known(asked, catalogue)
    outside = agreement.missing(
        purpose=asked.purpose, datasets=asked.datasets, questions=asked.questions
    )
    if outside:
        raise _invalid(f"This client's agreement does not cover: {', '.join(outside)}.")
    return {
        "uscc": uscc,
        "purpose": asked.purpose,
        "datasets": list(dict.fromkeys(asked.datasets)),
        "questions": list(dict.fromkeys(asked.questions)),
        "valid_until": _term(asked.valid_until, now).isoformat(),
        "max_uses": asked.max_uses,
    }


def granted_details(consent: Consent) -> list[dict[str, Any]]:
    """What the enterprise granted, as the token response and introspection tell it."""
    told = {
        "type": TYPE,
        "consent_id": consent.consent_id,
        "enterprise": {"uscc": consent.uscc},
        "purpose": consent.purpose.value,
        "datasets": list(consent.datasets),
        "questions": list(consent.questions),
        "valid_until": consent.valid_until.isoformat(),
    }
    return [told if consent.max_uses is None else told | {"max_uses": consent.max_uses}]


def _parsed(text: str) -> CreditData:
    try:
        return _LIST.validate_json(text)[0]
    except ValidationError as error:
        raise _invalid(_mistakes(error)) from None


def _mistakes(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    places = (
        f"{'.'.join(map(str, e['loc']))[:64] or 'the list'}: {e['msg']}"
        for e in found[:SHOWN_MISTAKES]
    )
    return f"authorization_details is a list of one {TYPE}. Mend: {'; '.join(places)}."


def _uscc(asked: CreditData) -> str | None:
    if asked.enterprise is None:
        return None
    code = parse_uscc(asked.enterprise.uscc)
    if isinstance(code, NotACode):
        raise _invalid("enterprise.uscc is not a unified social credit code.")
    return code


def _known(asked: CreditData, catalogue: Catalogue) -> None:
    if asked.purpose not in {purpose.value for purpose in Purpose}:
        raise _invalid("There is no such purpose; the documentation lists them.")
    if not asked.datasets and not asked.questions:
        raise _invalid("Ask for datasets or questions.")
    _all_known("dataset", asked.datasets, set(catalogue.codes))
    _all_known("question", asked.questions, {tag for tag in asked.questions if question(tag)})


def _all_known(what: str, names: Iterable[str], known: set[str]) -> None:
    unknown = sorted(set(names) - known)
    if unknown:
        raise _invalid(f"There is no such {what}: {', '.join(unknown)}.")


def _term(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now + DEFAULT_TERM
    try:
        ends = datetime.fromisoformat(text.upper()) if _MOMENT.fullmatch(text) else None
    except ValueError:
        ends = None
    if ends is None:
        raise _invalid("valid_until is a time of RFC 3339 with its offset.")
    if not now < ends <= now + LONGEST_TERM:
        raise _invalid("valid_until is in the future and at most two years ahead.")
    return ends


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_authorization_details", description)
