"""What one enterprise allows one client: asked, decided, counted, taken back.

This is the pure face: values, decisions and acts. What needs a database is asked for by name:
`consent.store`, `consent.spending`, `consent.tables`.
"""

from consent.decide import decide
from consent.ids import consent_id_from
from consent.lifecycle import (
    ANSWER_WITHIN,
    COOL_DOWN,
    Changed,
    amend,
    give_up,
    grant,
    may_ask_again,
    narrow,
    pause,
    refuse,
    request,
    resume,
    supersede,
    withdraw,
)
from consent.model import (
    PURPOSE_NAMES,
    Act,
    Ask,
    Bilingual,
    Channel,
    Consent,
    Event,
    Granted,
    Person,
    Purpose,
    Reason,
    Refused,
    Scope,
    Shown,
    Status,
    status_at,
    uses_left,
)

__all__ = [
    "ANSWER_WITHIN",
    "COOL_DOWN",
    "PURPOSE_NAMES",
    "Act",
    "Ask",
    "Bilingual",
    "Changed",
    "Channel",
    "Consent",
    "Event",
    "Granted",
    "Person",
    "Purpose",
    "Reason",
    "Refused",
    "Scope",
    "Shown",
    "Status",
    "amend",
    "consent_id_from",
    "decide",
    "give_up",
    "grant",
    "may_ask_again",
    "narrow",
    "pause",
    "refuse",
    "request",
    "resume",
    "status_at",
    "supersede",
    "uses_left",
    "withdraw",
]
