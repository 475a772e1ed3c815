"""The terms of an agreement are checked before they are kept, and its document is their digest."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from consent import Purpose
from gateway.limits.guard import Quotas
from verification import question


class TermsError(ValueError):
    """These terms cannot be agreed; the message says what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one version of an agreement allows. Datasets are checked against the catalogue by
    whoever holds one (`unknown_datasets`)."""

    purposes: frozenset[str]
    datasets: frozenset[str] = frozenset()
    questions: frozenset[str] = frozenset()
    quotas: Quotas = field(default_factory=Quotas)
    valid_from: datetime
    valid_until: datetime

    def __post_init__(self) -> None:
        """Refuse what does not exist or never begins."""
        unknown = sorted(self.purposes - {purpose.value for purpose in Purpose})
        unknown += sorted(tag for tag in self.questions if question(tag) is None)
        if unknown:
            raise TermsError(f"There is no such purpose or question: {', '.join(unknown)}.")
        if self.valid_from.utcoffset() is None or self.valid_until.utcoffset() is None:
            raise TermsError("The term's ends have a zone.")
        if self.valid_until <= self.valid_from:
            raise TermsError("The term ends before it begins.")

    def unknown_datasets(self, catalogue: tuple[str, ...]) -> tuple[str, ...]:
        """Which datasets the catalogue does not have."""
        return tuple(sorted(self.datasets - set(catalogue)))

    def columns(self, client_id: str, version: int) -> dict[str, Any]:
        """The columns of `agreement` that terms fill."""
        document = {
            "purposes": sorted(self.purposes),
            "datasets": sorted(self.datasets),
            "questions": sorted(self.questions),
            "quotas": self.quotas.to_json(),
        }
        term = {"valid_from": self.valid_from, "valid_until": self.valid_until}
        dates = {name: moment.isoformat() for name, moment in term.items()}
        signed = {"client_id": client_id, "version": version, **document, **dates}
        digest = hashlib.sha256(
            json.dumps(signed, sort_keys=True, ensure_ascii=False).encode()
        ).digest()
        return {
            **document,
            **term,
            "agreement_id": f"agr_{digest.hex()[:32]}",
            "document_digest": digest,
        }
