"""Decision whether a consent covers an access request, now and for this purpose. Pure.

Another client's consent, or one never granted, is `not_available`: so the answer shows neither whether
the enterprise exists nor its decisions about others (R7).
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
    relation_of,
    status_at,
    uses_left,
)

# A client may be told the state of a consent that was once granted to it, and no other.
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
    if consent is None or not consent.was_granted or relation_of(consent) != relation_of(ask):
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
        separate_consents=consent.separate_consents,
        retention_days=consent.retention_days,
    )


def _both(asked: tuple[str, ...], consented: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(item for item in asked if item in consented)
