"""Outcomes of applications, as the access history shows them beside their queries. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.disclosure.application_outcomes.model import (
    OUTCOME_WORDS,
    REASON_WORDS,
    ApplicationOutcome,
    OutcomeReason,
    ToldOutcome,
)
from gateway.disclosure.application_outcomes.store import LoggedOutcome
from gateway.pages.i18n import Translated

TONES: Final = {
    ApplicationOutcome.APPROVED: "told",
    ApplicationOutcome.APPROVED_LESS: "paused",
    ApplicationOutcome.REFUSED: "refused",
    ApplicationOutcome.WITHDRAWN: "withdrawn",
}
"""CSS class of each outcome."""
ELSEWHERE: Final = frozenset(
    {OutcomeReason.OTHER_SOURCES, OutcomeReason.NOT_A_CREDIT_MATTER, OutcomeReason.OTHER}
)
"""Reasons that rest on no record here: only the organisation can explain them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOutcome:
    """An outcome in words."""

    name: Translated
    tone: str
    reasons: Sequence[Translated]
    moment: datetime
    rests_on_file: bool = False
    """True where a reason can rest on records here: look, object, have repaired."""
    rests_elsewhere: bool = False
    earlier: "ShownOutcome | None" = None
    """The outcome that it replaced."""


def shown_outcomes(found: Mapping[str, Sequence[LoggedOutcome]]) -> Mapping[str, ShownOutcome]:
    """The outcome of each query, by the query's id; the versions come with the newest first."""
    shown: dict[str, ShownOutcome] = {}
    for disclosure_id, versions in found.items():
        earlier = _shown(versions[1].told, None) if len(versions) > 1 else None
        shown[disclosure_id] = _shown(versions[0].told, earlier)
    return shown


def _shown(told: ToldOutcome, earlier: ShownOutcome | None) -> ShownOutcome:
    name, reasons = OUTCOME_WORDS[told.outcome], set(told.reasons)
    return ShownOutcome(
        name=Translated(name.zh, name.en),
        tone=TONES[told.outcome],
        reasons=[Translated(REASON_WORDS[each].zh, REASON_WORDS[each].en) for each in told.reasons],
        moment=told.at,
        rests_on_file=bool(reasons - ELSEWHERE),
        rests_elsewhere=bool(reasons & ELSEWHERE),
        earlier=earlier,
    )
