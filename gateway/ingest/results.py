"""Results of validation and ingest. They never contain a delivered value, which may be personal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from gateway.creditfile.field_problems import FieldProblem
from gateway.privacy.redaction import Masking, NumberKind


class BatchResult(StrEnum):
    """Outcome of a delivered row, or of an act on a record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    PENDING = "pending"
    """An act that waits for a second person."""


class RowWarning(StrEnum):
    """Warnings about a row that was accepted nevertheless."""

    CHECK_CHARACTER = "check_character"
    """The USCC's check character is wrong, as it is in some old codes at their source."""
    LIKE_AN_ID_NUMBER = "like_an_id_number"
    """The USCC is valid, but its digits are also a valid personal ID number."""
    PUBLICITY_END = "publicity_end"
    """The delivered end of publicity differs from the computed one (R2)."""
    LIKE_YUAN = "like_yuan"
    """An amount in 万元 (10,000 yuan) that was probably delivered in yuan."""
    ID_NUMBER = "id_number_masked"
    """A personal ID, passport or permit number in a text was masked (R5)."""
    PHONE = "phone_masked"
    """A phone number in a text was masked (R5)."""
    SUPERSEDED = "superseded_in_delivery"
    """A later row of the same delivery has the same key and replaces this one."""
    OLDER = "older_than_held"
    """Its source time is before that of the existing record, which stays."""
    STAYS_REPAIRED = "stays_repaired"
    """The record is repaired; a delivery does not reactivate it."""
    STAYS_SUSPENDED = "stays_suspended"
    """The record is suspended; a delivery does not lift that."""
    STAYS_WITHDRAWN = "stays_withdrawn"
    """The record is withdrawn; a delivery does not reactivate it."""

    LIST_CUT = "list_cut"
    """The job's list is full, and ends before this row."""


NOT_PUBLISHED: Final = "never"
WARNING_OF_NUMBER: Final = {NumberKind.ID: RowWarning.ID_NUMBER, NumberKind.PHONE: RowWarning.PHONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedField:
    """Position of a masked number in a field as delivered; `item` is the index in a list."""

    field: str
    masking: Masking
    item: int | None = None

    def as_document(self, row: int) -> dict[str, Any]:
        """JSON form on the wire (`warning_details`), without the value."""
        place = (
            {"field": self.field} if self.item is None else {"field": self.field, "item": self.item}
        )
        kind, start, length = self.masking.kind, self.masking.start, self.masking.length
        return {"row": row, **place, "kind": kind.value, "start": start, "length": length}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Source of records: a registered client of the kind `source`."""

    source_id: str
    name: str
    uscc: str | None = None


@dataclass(slots=True, kw_only=True)
class AcceptedRow:
    """A valid row. Not frozen, for speed: one is made for each of millions of rows."""

    uscc: str
    key: str
    source_time: datetime | None
    fields: Mapping[str, Any]
    """Fields stored in plain text: all but the personal ones that are not public."""
    personal: Mapping[str, Any] = field(repr=False)
    """Fields stored encrypted."""
    warnings: tuple[RowWarning, ...] = ()
    masked: tuple[MaskedField, ...] = ()
    yuan: tuple[str, ...] = ()
    """Amounts of the warning `LIKE_YUAN`."""
    publicity_end: str = ""
    """Last day of publicity by the rules, or `NOT_PUBLISHED`, for the warning `PUBLICITY_END`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A rejected row, with its problems by field."""

    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """Outcome of one row; `row` is its position in the batch, from 0.

    `record_id` and `version` are those now stored.
    """

    row: int
    outcome: BatchResult
    key: str | None = None
    uscc: str | None = None
    record_id: str | None = None
    version: int | None = None
    warnings: tuple[RowWarning, ...] = ()
    masked: tuple[MaskedField, ...] = ()
    problems: tuple[FieldProblem, ...] = ()
    action_id: str | None = None
    """For an act that waits for a second person: its id, and when it lapses."""
    lapses_at: datetime | None = None
