"""Decision whether a consent covers an access request, now and for this purpose. Pure.

What is not the caller's own, or was never granted, is `not_available`, whatever else is true: so
the answer shows neither whether the enterprise exists nor what it has decided about others (R7).
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from consent.model import (
    AccessRequest,
    Consent,
    Granted,
    Reason,
    Refused,
    Status,
    status_at,
    uses_left,
)

# Of a consent that it was once given, a client may know the state; of anything else, nothing.
STATES_THAT_MAY_BE_TOLD: Mapping[Status, Reason] = MappingProxyType(
    {
        Status.WITHDRAWN: Reason.CONSENT_WITHDRAWN,
        Status.EXPIRED: Reason.CONSENT_EXPIRED,
        Status.EXHAUSTED: Reason.CONSENT_EXHAUSTED,
        Status.PAUSED: Reason.CONSENT_PAUSED,
    }
)


def decide(consent: Consent | None, ask: AccessRequest, *, now: datetime) -> Granted | Refused:
    """The consented part of an access request, or the reason for refusal."""
    if consent is None or not consent.was_granted or not _binds(consent, ask):
        return Refused(Reason.NOT_AVAILABLE)
    status = status_at(consent, now)
    if status is not Status.ACTIVE:
        return Refused(STATES_THAT_MAY_BE_TOLD.get(status, Reason.NOT_AVAILABLE))
    datasets = _both(ask.datasets, consent.datasets)
    questions = _both(ask.questions, consent.questions)
    if not datasets and not questions:
        return Refused(Reason.NOT_IN_CONSENT)
    return Granted(
        consent_id=consent.consent_id,
        version=consent.version,
        datasets=datasets,
        questions=questions,
        valid_until=consent.valid_until,
        uses_left=uses_left(consent),
        fields=consent.fields,
    )


def _binds(consent: Consent, ask: AccessRequest) -> bool:
    return (consent.client_id, consent.uscc, consent.purpose) == (
        ask.client_id,
        ask.uscc,
        ask.purpose,
    )


def _both(asked: tuple[str, ...], consented: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(item for item in asked if item in consented)
