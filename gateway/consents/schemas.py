"""Request and response models of `/v1/consents`."""

from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from consent import Consent, Status, status_at, uses_left
from gateway.access.consent_request_body import ConsentRequestIn
from gateway.access.http.body import EnterpriseIn, WireModel
from gateway.access.serializers.consent import SeparateConsentOut, serialize_separate_consents
from gateway.access.serializers.timestamps import format_time
from gateway.runtime import Runtime


class ConsentIn(ConsentRequestIn):
    """Body of `POST /v1/consents`: a request to an enterprise that is not at this browser."""

    enterprise: EnterpriseIn
    amends: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    """A running consent of the caller's with the same enterprise and purpose, to be changed."""


class ConsentRequestedOut(WireModel):
    """A request for a consent: the enterprise answers at `capture_url`, until `expires_at`."""

    consent_id: str
    status: Literal["requested"]
    capture_url: str
    expires_at: str


class ClientConsentOut(WireModel):
    """One of the client's consents as it is now; `amends` is the one that it would replace."""

    consent_id: str
    status: Status
    enterprise: EnterpriseIn
    purpose: str
    datasets: list[str]
    questions: list[str]
    separate_consents: list[SeparateConsentOut]
    valid_until: str
    max_uses: int | None
    uses_left: int | None
    requested_at: str
    decided_at: str | None
    amends: str | None


class ClientConsentsOut(WireModel):
    """A page of the client's consents; `after` is the cursor of the next page."""

    consents: list[ClientConsentOut]
    after: str | None


def capture_url(held: Consent, runtime: Runtime) -> str:
    """The address at which the enterprise answers a request."""
    return f"{runtime.settings.issuer}/portal/asked/{held.consent_id}"


def requested(held: Consent, runtime: Runtime) -> dict[str, Any]:
    """The answer to a request: the link, for the client to show as text or as a QR code."""
    return {
        "consent_id": held.consent_id,
        "status": "requested",
        "capture_url": capture_url(held, runtime),
        "expires_at": format_time(held.answer_by),  # as when it was asked, whatever was granted
    }


def shown(held: Consent, runtime: Runtime) -> dict[str, Any]:
    """One consent as its client sees it now."""
    return {
        "consent_id": held.consent_id,
        "status": status_at(held, runtime.now()).value,
        "enterprise": {"uscc": held.uscc},
        "purpose": held.purpose.value,
        "datasets": list(held.datasets),
        "questions": list(held.questions),
        "separate_consents": serialize_separate_consents(held.separate_consents),
        "valid_until": format_time(held.valid_until),
        "max_uses": held.max_uses,
        "uses_left": uses_left(held),
        "requested_at": format_time(held.requested_at),
        "decided_at": format_time(held.decided_at) if held.decided_at else None,
        "amends": held.amends,
    }
