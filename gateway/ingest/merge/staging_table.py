"""Temporary staging tables that a batch is copied into, one per target table."""

from dataclasses import dataclass
from typing import Final

from gateway.creditfile.catalogue.field_definition import COLUMNS
from gateway.creditfile.records import REGISTRATION

RECORD_ID_BYTES: Final = 12
COPY_NULL: Final = ""
"""NULL in a COPY line; accepted values are never empty."""
_HEAD: Final = ("row", "uscc", "natural_key", "record_id", "source_time")
_TAIL: Final = ("personal", "digests")

ENTERPRISE_COLUMNS: Final = (
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
    "small_or_micro",
    "small_or_micro_on",
    "scope_industries",
    "code_ok",
)
"""Columns of `enterprise` that a delivery fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingTable:
    """Target table of a dataset, and the columns that a delivery fills."""

    table: str
    id_column: str
    filled: tuple[str, ...]

    @property
    def staged(self) -> str:
        """Name of the temporary table of staged rows."""
        return f"staged_{self.table}"

    @property
    def held(self) -> str:
        """Name of the temporary table of existing rows with the same keys."""
        return f"held_{self.table}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a COPY line, in order."""
        return (*_HEAD, *self.filled, *_TAIL)


ENTERPRISE_STAGING: Final = StagingTable(
    table="enterprise", id_column="registration_id", filled=ENTERPRISE_COLUMNS
)
RECORD_STAGING: Final = StagingTable(
    table="record", id_column="record_id", filled=(*COLUMNS, "fields")
)


def staging_table_of(dataset_code: str) -> StagingTable:
    """Staging table of a dataset: registrations go to `enterprise`, all else to `record`."""
    return ENTERPRISE_STAGING if dataset_code == REGISTRATION else RECORD_STAGING
