"""The fake gateway's change feed: notices to its one client, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from .ids import new_id

_PAGE: Final = 100
_MAX_WAIT: Final = 30
#: Kinds after which a record can be told again.
_ENDS: Final = frozenset({"record_ended", "record_repaired", "record_suspended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeDisclosure:
    """Basis of a disclosure: its consent, what was asked, the records told."""

    consent_id: str
    asked: frozenset[str]
    record_ids: frozenset[str]


@dataclass(slots=True, kw_only=True)
class FakeFeed:
    """Notices, and the disclosures that they name."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    disclosed: dict[str, FakeDisclosure] = field(default_factory=dict)
    """By disclosure id."""
    expired: set[str] = field(default_factory=set)
    """Ids of the consents whose end was notified."""

    def tell_record(self, kind: str, when: datetime, *, dataset: str, record_id: str) -> None:
        """Append a notice on a record, if the client was told of it.

        A correction names the disclosures since the last notice; a reinstatement is told to those who were
        told of the end.
        """
        earlier = [each for each in self.changes if each["record_id"] == record_id]
        if kind == "record_reinstated" and not any(each["kind"] in _ENDS for each in earlier):
            return
        known = {name for each in earlier for name in each["disclosure_ids"]}
        named = [
            disclosure_id
            for disclosure_id, each in self.disclosed.items()
            if record_id in each.record_ids
            and not (kind == "record_corrected" and disclosure_id in known)
        ]
        if named:
            self._append(kind, when, dataset=dataset, record_id=record_id, disclosure_ids=named)

    def tell_consent(
        self,
        kind: str,
        when: datetime,
        *,
        consent_id: str,
        taken_back: Collection[str] | None = frozenset(),
    ) -> None:
        """Append a notice on a consent, with the ids of disclosures of what is taken back (None: of all)."""
        named = [
            disclosure_id
            for disclosure_id, each in self.disclosed.items()
            if each.consent_id == consent_id
            and (taken_back is None or not each.asked.isdisjoint(taken_back))
        ]
        self._append(kind, when, consent_id=consent_id, disclosure_ids=named)

    def tell_answer(self, when: datetime, *, uscc: str, questions: Iterable[str]) -> None:
        """Append a notice on a watched enterprise."""
        self._append("answer_may_have_changed", when, uscc=uscc, questions=list(questions))

    def page(self, after: str, wait: str = "0") -> dict[str, Any] | None:
        """The page after a cursor; None for a cursor that the feed has not given, or too long a wait."""
        if not after.isascii() or not after.isdecimal() or int(after) > len(self.changes):
            return None
        if not is_wait(wait, _MAX_WAIT):
            return None
        found = self.changes[int(after) : int(after) + _PAGE]
        return {"changes": found, "cursor": str(int(after) + len(found))}

    def _append(self, kind: str, when: datetime, **members: Any) -> None:
        nothing: dict[str, Any] = {
            "dataset": None,
            "record_id": None,
            "consent_id": None,
            "disclosure_ids": [],
        }
        change_id = new_id("chg")
        self.changes.append(
            {"change_id": change_id, "kind": kind, "occurred_at": when.isoformat()}
            | nothing
            | members
        )


def is_wait(text: str, most: float) -> bool:
    """True if it is a number of seconds from 0 to `most`."""
    try:
        return 0 <= float(text) <= most
    except ValueError:
        return False
