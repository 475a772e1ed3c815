"""What is said of a delivered row never repeats what is in it: it may be personal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from gateway.creditfile.record_mapping import FieldProblem
from gateway.privacy.redaction import Masking, NumberKind


class BatchResult(StrEnum):
    """What became of a delivered row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


class RowWarning(StrEnum):
    """What a source should look at, though the row was taken."""

    CHECK_CHARACTER = "check_character"
    """The USCC's last character does not fit the others: some old codes are so at their source."""
    LIKE_AN_ID_NUMBER = "like_an_id_number"
    """The USCC is one, and its digits would make a person's ID number as well."""
    PUBLICITY_END = "publicity_end"
    """The delivered end of publicity is not the one that the rules give (R2)."""
    ID_NUMBER = "id_number_masked"
    """A personal ID number, or one of a passport or permit, stood in a text and was masked (R5)."""
    PHONE = "phone_masked"
    """A phone number stood in a text and was masked (R5)."""
    SUPERSEDED = "superseded_in_delivery"
    """A later row of the same delivery has the same key; the later one counts."""
    OLDER = "older_than_held"
    """Its source time is before that of what is held, which stays."""
    STAYS_REPAIRED = "stays_repaired"
    """The record has been repaired, and a delivery does not bring it back."""
    STAYS_WITHDRAWN = "stays_withdrawn"
    """The record has been withdrawn, and a delivery does not bring it back."""


WARNED_OF: Final = {NumberKind.ID: RowWarning.ID_NUMBER, NumberKind.PHONE: RowWarning.PHONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedField:
    """Where in a field, as it was delivered, a number was masked; of a list, in which item."""

    field: str
    masking: Masking
    item: int | None = None

    def as_document(self, row: int) -> dict[str, Any]:
        """As the wire has it (`warning_details`): nothing of the value."""
        place = (
            {"field": self.field} if self.item is None else {"field": self.field, "item": self.item}
        )
        kind, start, length = self.masking.kind, self.masking.start, self.masking.length
        return {"row": row, **place, "kind": kind.value, "start": start, "length": length}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who answers for a record: a registered client of the kind `source`."""

    source_id: str
    name: str
    uscc: str | None = None


@dataclass(slots=True, kw_only=True)
class AcceptedRow:
    """A row that may be taken. Not frozen: one is made for each of millions of rows."""

    uscc: str
    key: str
    source_time: datetime | None
    fields: Mapping[str, Any]
    """To be stored legibly: every field but the personal ones that are not public."""
    personal: Mapping[str, Any] = field(repr=False)
    """To be sealed."""
    warnings: tuple[RowWarning, ...] = ()
    masked: tuple[MaskedField, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that is not taken, and why, by field."""

    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """What became of one row; `row` is its place in the batch, from 0.

    `record_id` and `version` are those that are held now: for whoever must tell of a change.
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
