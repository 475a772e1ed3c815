"""Credit files of the fake gateway: enterprises with their records, and the records that were ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xinqiao.testing._rules.setup_checks import known

from .enterprises import FakeEnterprise


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRecord:
    """A record that is told no more, the code of its enterprise, and the kind of its notice."""

    uscc: str
    record: Mapping[str, Any]
    kind: str


@dataclass(slots=True, kw_only=True)
class FakeFiles:
    """Enterprises, and what their files have held."""

    enterprises: dict[str, FakeEnterprise] = field(default_factory=dict)
    """By code."""
    ended: dict[str, EndedRecord] = field(default_factory=dict)
    """Records that are told no more, by id."""

    @property
    def record_ids(self) -> list[str]:
        """Ids of the records in all files."""
        return [each["record_id"] for file in self.enterprises.values() for each in file.records]

    def find(self, record_id: str) -> tuple[str, Mapping[str, Any]]:
        """A record of a file, with the code of its enterprise."""
        known(record_id, self.record_ids, "id of a record in a file")
        return next(
            (uscc, record)
            for uscc, enterprise in self.enterprises.items()
            for record in enterprise.records
            if record["record_id"] == record_id
        )

    def drop(self, record_id: str) -> None:
        """Take a record out of its file."""
        uscc, _ = self.find(record_id)
        enterprise = self.enterprises[uscc]
        left = tuple(each for each in enterprise.records if each["record_id"] != record_id)
        self.enterprises[uscc] = replace(enterprise, records=left)

    def put(self, uscc: str, record: Mapping[str, Any]) -> None:
        """Put a record at the end of its enterprise's file."""
        enterprise = self.enterprises[uscc]
        self.enterprises[uscc] = replace(enterprise, records=(*enterprise.records, record))

    def hold(self, told: Iterable[Mapping[str, Any]]) -> bool:
        """True if every disclosed record is still the same."""
        held = {
            (record["record_id"], record.get("version", 1))
            for enterprise in self.enterprises.values()
            for record in enterprise.records
        }
        return all((record["record_id"], record["version"]) in held for record in told)
