"""The fake gateway's change feed: notices to its one client, in order."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

_PAGE: Final = 100


@dataclass(slots=True, kw_only=True)
class FakeFeed:
    """Notices, and the disclosures that they name."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    disclosed: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """Consent and record ids by disclosure id."""

    def append(
        self,
        kind: str,
        when: datetime,
        *,
        dataset: str | None = None,
        record_id: str | None = None,
        consent_id: str | None = None,
        takes_back: bool = True,
    ) -> None:
        """Append a notice on a record or a consent, if the client was told of the record."""
        named = [
            disclosure_id
            for disclosure_id, (consent, records) in self.disclosed.items()
            if takes_back and (record_id in records or consent_id == consent)
        ]
        if record_id is not None and not named:
            return
        self.changes.append(
            {
                "change_id": f"chg_{secrets.token_hex(8)}",
                "kind": kind,
                "occurred_at": when.isoformat(),
                "dataset": dataset,
                "record_id": record_id,
                "consent_id": consent_id,
                "disclosure_ids": named,
            }
        )

    def page(self, after: str) -> dict[str, Any] | None:
        """The page after a cursor; None for a cursor that the feed has not given."""
        if not after.isascii() or not after.isdecimal() or int(after) > len(self.changes):
            return None
        found = self.changes[int(after) : int(after) + _PAGE]
        return {"changes": found, "cursor": str(int(after) + len(found))}
