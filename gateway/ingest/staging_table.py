"""A batch reaches PostgreSQL as one COPY into a temporary table of its connection's own."""

from dataclasses import dataclass
from typing import Final

from gateway.creditfile.catalogue_schema import COLUMNS
from gateway.creditfile.records import REGISTRATION

ID_BYTES: Final = 12
NULL: Final = ""
"""Stands for no value in a cell: no value that is taken is empty."""
_HEAD: Final = ("row", "uscc", "natural_key", "record_id", "source_time")
_TAIL: Final = ("personal", "digests")

OF_ENTERPRISE: Final = (
    "name",
    "name_key",
    "former_names",
    "kind",
    "entity_type",
    "status",
    "legal_representative",
    "capital",
    "currency",
    "established_on",
    "approved_on",
    "term_from",
    "term_to",
    "registering_authority",
    "division",
    "industry",
    "scope",
    "address",
    "code_ok",
)
"""The columns of `enterprise` that a delivery fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingTable:
    """Where rows of a dataset go: the table, and the columns that a delivery fills."""

    table: str
    id_column: str
    filled: tuple[str, ...]

    @property
    def staged(self) -> str:
        """The name of the temporary table."""
        return f"staged_{self.table}"

    @property
    def held(self) -> str:
        """The name of the temporary table of what is held under the same keys."""
        return f"held_{self.table}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a line, in order."""
        return (*_HEAD, *self.filled, *_TAIL)


ENTERPRISE: Final = StagingTable(
    table="enterprise", id_column="registration_id", filled=OF_ENTERPRISE
)
RECORD: Final = StagingTable(table="record", id_column="record_id", filled=(*COLUMNS, "fields"))


def target_of(dataset_code: str) -> StagingTable:
    """Registrations are kept as enterprises, everything else as records."""
    return ENTERPRISE if dataset_code == REGISTRATION else RECORD
