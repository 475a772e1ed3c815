"""Change-feed events for a client's consents: granted, refused, narrowed, withdrawn. Pure.

None for the client's own acts (asked, gave up) or for paused, resumed and superseded.
"""

from dataclasses import dataclass
from typing import Literal

from consent import Act, Consent, Scope, Transition

ConsentNoticeKind = Literal[
    "consent_granted", "consent_refused", "consent_narrowed", "consent_withdrawn"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentNotice:
    """One notice to the client of a consent."""

    kind: ConsentNoticeKind
    taken_back: tuple[str, ...] | None = ()
    """Datasets and questions that are allowed no more, in whole or of which a field is; `None`: all."""


def notices_for(previous: Consent, changed: Transition) -> tuple[ConsentNotice, ...]:
    """The notices that a transition of a consent causes."""
    match changed.event.what:
        case Act.GRANTED:
            return (ConsentNotice(kind="consent_granted"),)
        case Act.REFUSED:
            return (ConsentNotice(kind="consent_refused"),)
        case Act.WITHDRAWN:
            return (ConsentNotice(kind="consent_withdrawn", taken_back=None),)
        case Act.AMENDED:
            return _notices_of_amendment(previous.scope, changed.consent.scope)
        case _:
            return ()


def _notices_of_amendment(old: Scope, new: Scope) -> tuple[ConsentNotice, ...]:
    """An amendment may take one thing back and give another."""
    left = {*new.datasets, *new.questions}
    taken = tuple(each for each in (*old.datasets, *old.questions) if each not in left)
    separate = set(old.separate_consents or ()) - set(new.separate_consents or ())
    fields_of = {each.item.rpartition(".")[0] for each in separate} & set(new.datasets)
    taken += tuple(sorted(fields_of))
    less = () if old.within(new) else (ConsentNotice(kind="consent_narrowed", taken_back=taken),)
    more = () if new.within(old) else (ConsentNotice(kind="consent_granted"),)
    return (*less, *more)
