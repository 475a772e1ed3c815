"""A refused request about an enterprise, as it is logged (R10).

Only names of the catalogues are logged: an unknown text may hold anything.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.access.authentication import Caller
from gateway.access.errors import Refusal
from gateway.disclosure.ids import new_id
from gateway.transparency.disclosure_leaf import Disclosure, LeafKind

UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRequest:
    """A refusal with the enterprise, the purpose and the known names of the request."""

    refusal: Refusal
    uscc: str
    kind: LeafKind
    purpose: str
    asked: tuple[str, ...]

    def disclosure(self, caller: Caller, now: datetime) -> Disclosure:
        """The disclosure to log."""
        return Disclosure(
            disclosure_id=new_id("dsc"),
            uscc=self.uscc,
            client_id=caller.client_id,
            kind=self.kind,
            outcome="refused",
            reason=self.refusal.error.code,
            purpose=self.purpose,
            asked=list(self.asked),
            at=now,
        )
