"""How the public page names what the credit file holds, in both languages."""

from typing import Final

from gateway.creditfile.labels import HEADLINES, headline, label, rest, said, value
from gateway.creditfile.local_dates import SHANGHAI

__all__ = ["HEADLINES", "REGISTRATION", "SHANGHAI", "headline", "label", "rest", "said", "value"]

REGISTRATION: Final = (
    "uscc",
    "kind",
    "status",
    "legal_representative",
    "established_on",
    "registering_authority",
    "capital",
    "address",
    "scope",
)
