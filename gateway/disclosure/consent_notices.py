"""What a client hears of its consents, beside what it was told: granted, refused, narrowed, withdrawn.

Pure. What the client did itself (asked, gave up) and what takes nothing from it and gives nothing to
it (paused, resumed, superseded by a newer grant that it hears of) is no news.
"""

from dataclasses import dataclass
from typing import Literal

from consent import Act, Consent, Scope, Transition

NewsKind = Literal["consent_granted", "consent_refused", "consent_narrowed", "consent_withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentNotice:
    """One thing to tell the client of one consent."""

    kind: NewsKind
    taken_back: tuple[str, ...] | None = ()
    """Datasets and questions that are allowed no more; `None` is the whole consent."""


def news_of(before: Consent, changed: Transition) -> tuple[ConsentNotice, ...]:
    """What this act on a consent, which was `before`, is to its client."""
    match changed.event.what:
        case Act.GRANTED:
            return (ConsentNotice(kind="consent_granted"),)
        case Act.REFUSED:
            return (ConsentNotice(kind="consent_refused"),)
        case Act.WITHDRAWN:
            return (ConsentNotice(kind="consent_withdrawn", taken_back=None),)
        case Act.AMENDED:
            return _of_change(before.scope, changed.consent.scope)
        case _:
            return ()


def _of_change(before: Scope, after: Scope) -> tuple[ConsentNotice, ...]:
    """A change may take one thing back and give another."""
    left = {*after.datasets, *after.questions}
    taken = tuple(each for each in (*before.datasets, *before.questions) if each not in left)
    less = (
        () if before.within(after) else (ConsentNotice(kind="consent_narrowed", taken_back=taken),)
    )
    more = () if after.within(before) else (ConsentNotice(kind="consent_granted"),)
    return (*less, *more)
