"""Tables of enterprises, records and their histories; every primary key begins with the USCC.

No unique constraint omits the USCC, and there are no foreign keys: an enterprise's rows can be
placed on one shard, and each statement about it touches that shard only.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gateway.db.column_types import Moment, columns
from gateway.db.metadata import metadata

_NOTHING: Final = text("'{}'")
_NOW: Final = text("now()")


enterprise = Table(
    "enterprise",
    metadata,
    Column("uscc", Text, nullable=False),
    # Record id of the registration, which is disclosed as a record too.
    Column("registration_id", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, comment="the name, strictly normalised"),
    Column("former_names", ARRAY(Text), nullable=False, server_default=_NOTHING),
    *columns(Text, "kind", "entity_type", "status", "legal_representative"),
    Column("capital", Numeric(20, 6), comment="10,000 units of the currency"),
    Column("currency", Text),
    *columns(Date, "established_on", "approved_on", "term_from", nullable=True),
    Column("term_to", Date, comment="none, or 2099-12-31: no end"),
    Column("registering_authority", Text),
    Column("division", Text, nullable=False, comment="GB/T 2260"),
    Column("industry", Text, comment="GB/T 4754"),
    *columns(Text, "scope", "address", nullable=True),
    Column("small_or_micro", Boolean, comment="on the list of small and micro enterprises"),
    Column("small_or_micro_on", Date, comment="the day from which that holds"),
    Column("scope_industries", ARRAY(Text), comment="GB/T 4754, as the authority gives them"),
    *columns(Text, "source_id", "source_name"),
    Column("source_uscc", Text),
    Column("source_time", Moment, nullable=False),
    Column("catalogue_version", Text, nullable=False),
    Column("objection_since", Moment),
    Column("code_ok", Boolean, nullable=False, server_default="true"),
    # Datasets whose source is unavailable for this enterprise (R6).
    Column("unavailable", ARRAY(Text), nullable=False, server_default=_NOTHING),
    Column("personal", LargeBinary, comment="sealed JSON: ID number, phone, home address"),
    Column("digests", JSONB, nullable=False, server_default=_NOTHING),
    Column("received_at", Moment, nullable=False, server_default=_NOW),
    PrimaryKeyConstraint("uscc", name="pk_enterprise"),
)

record = Table(
    "record",
    metadata,
    *columns(Text, "uscc", "record_id", "dataset", "source_id", "natural_key"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("source_name", Text, nullable=False),
    Column("source_uscc", Text),
    Column("source_time", Moment, nullable=False),
    Column("catalogue_version", Text, nullable=False),
    # Typed columns for clocks, filters and questions, filled as the catalogue maps them.
    *columns(Date, "decided_on", "determined_on", "published_on", nullable=True),
    *columns(Date, "valid_from", "valid_to", nullable=True),
    Column("publicity_ends_on", Date, comment="the last day on which it is shown"),
    Column("removed_on", Date, comment="the first day on which it is on its list no more"),
    *columns(Text, "level", "severity", "category", nullable=True),
    Column("period", Text, comment="YYYY-MM, YYYY-Qn or YYYY"),
    *columns(Moment, "repaired_at", "suspended_at", "withdrawn_at", nullable=True),
    Column("objection_since", Moment),
    Column("fields", JSONB, nullable=False, comment="every field of the catalogue, by name"),
    Column("received_at", Moment, nullable=False, server_default=_NOW),
    Column("personal", LargeBinary, comment="sealed JSON: the personal fields that are not public"),
    # Keyed digests, for comparison of encrypted fields.
    Column("digests", JSONB),
    PrimaryKeyConstraint("uscc", "record_id", name="pk_record"),
    # Also the index for an enterprise's records of one dataset.
    UniqueConstraint("uscc", "dataset", "source_id", "natural_key", name="uq_record_natural_key"),
)
# An expression instead of the plain column `dataset`: with outdated statistics, lookups by USCC would
# use this index and read the whole dataset.
Index(
    "ix_record_retention",
    record.c.dataset.concat(""),
    func.coalesce(record.c.determined_on, record.c.decided_on),
)

# A source's records by the moment of receipt, for the figures of data quality.
Index("ix_record_source_id", record.c.source_id, record.c.received_at)
Index("ix_enterprise_source_id", enterprise.c.source_id, enterprise.c.received_at)


def _history(name: str, *key: str, own: Sequence[Column[Any]] = ()) -> Table:
    """A history table: superseded rows in full."""
    return Table(
        name,
        metadata,
        *columns(Text, *key),
        Column("version", Integer, nullable=False),
        Column("replaced_at", Moment, nullable=False),
        Column("change", Text, nullable=False),
        Column("reason", Text),
        Column("decided_on", Date),
        Column("actor", Text, nullable=False),
        Column("row", JSONB, nullable=False),
        Column("personal", LargeBinary),
        *own,
        PrimaryKeyConstraint(*key, "version", name=f"pk_{name}"),
    )


enterprise_history = _history("enterprise_history", "uscc")
record_history = _history(
    "record_history",
    "uscc",
    "record_id",
    own=(
        Column("merged_into", Text, comment="the record that this one became part of"),
        Column("operator", Text, comment="who asked for it"),
        Column("approved_by", Text, comment="the second person, if any"),
    ),
)
for _table in (enterprise_history, record_history):
    Index(f"ix_{_table.name}_source_id", text("(\"row\" ->> 'source_id')"), _table.c.replaced_at)
