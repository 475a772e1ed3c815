"""`authorization_details` (RFC 9396): parsed as a consent request, and written for a token.

An unknown member or type is refused.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from consent import Consent, Request
from gateway import strict_json
from gateway.access.consent_request_body import ConsentRequestIn, validated_request
from gateway.access.errors import Refusal
from gateway.access.http.body import EnterpriseIn
from gateway.access.http.invalid_members import invalid_members
from gateway.access.serializers.consent import serialize_separate_consents
from gateway.access.serializers.timestamps import format_time
from gateway.access.subject_uscc import parse_subject
from gateway.clients.agreements import Agreement
from gateway.creditfile.catalogue import Catalogue
from gateway.oauth.errors import OAuthError
from gateway.privacy.redaction import scan
from gateway.strict_json import StrictJsonError

PARAMETER: Final = "authorization_details"
TYPE: Final = "credit_data"
SHOWN_MISTAKES: Final = 3


class CreditDataIn(ConsentRequestIn):
    """One member of `authorization_details`."""

    type: Literal["credit_data"]
    enterprise: EnterpriseIn | None = None


_LIST: Final = TypeAdapter(Annotated[tuple[CreditDataIn, ...], Field(min_length=1, max_length=1)])


def requested_consent(
    text: str, *, client_id: str, agreement: Agreement, catalogue: Catalogue, now: datetime
) -> Request:
    """The consent request in the parameter's `text`; raises `invalid_authorization_details`."""
    asked = _parsed(text)
    request = validated_request(
        asked,
        asked.enterprise,
        client_id=client_id,
        agreement=agreement,
        catalogue=catalogue,
        now=now,
    )
    if isinstance(request, Refusal):
        raise _invalid(request.detail or "")
    return request


def enterprise_in(text: str | None) -> str | None:
    """The enterprise that `text` asks, where it is in order that far."""
    try:
        named = _read(text or "").enterprise
    except ValueError:
        return None
    return parse_subject(named.uscc) if named else None


def granted_details(consent: Consent) -> list[dict[str, Any]]:
    """The granted consent, as in the token response and in introspection."""
    told = {
        "type": TYPE,
        "consent_id": consent.consent_id,
        "enterprise": {"uscc": consent.uscc},
        "purpose": consent.purpose.value,
        "datasets": list(consent.datasets),
        "questions": list(consent.questions),
        "separate_consents": serialize_separate_consents(consent.separate_consents),
        "valid_until": format_time(consent.valid_until),
    }
    return [told if consent.max_uses is None else told | {"max_uses": consent.max_uses}]


def _parsed(text: str) -> CreditDataIn:
    try:
        return _read(text)
    except ValidationError as error:
        raise _invalid(_mistakes(error)) from None
    except ValueError as error:
        raise _invalid(f"{PARAMETER} cannot be read: {error}.") from None


def _read(text: str) -> CreditDataIn:
    data = text.encode()
    strict_json.parse(data)
    if strict_json.holds_nul(data):
        raise StrictJsonError("it has the character U+0000")
    return _LIST.validate_json(data)[0]


def _mistakes(error: ValidationError) -> str:
    every = error.errors(include_url=False, include_input=False)
    # A list whose one member is wrong has no member, pydantic says: of no help beside what is wrong.
    found = [e for e in every if e["loc"]] or every
    wrong = invalid_members(found, most=SHOWN_MISTAKES)
    return f"{PARAMETER} is a list of one {TYPE}. Mend: {wrong}."


def _invalid(description: str) -> OAuthError:
    """The error, without personal numbers: a name that was sent may be one."""
    return OAuthError("invalid_authorization_details", scan(description).text)
