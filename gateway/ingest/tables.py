"""Tables of file ingest jobs (small, not distributed by enterprise) and of acts that wait for approval."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from gateway.db.column_types import Moment, columns
from gateway.db.metadata import metadata

intake_job = Table(
    "intake_job",
    metadata,
    Column("job_id", Text, primary_key=True),
    *columns(Text, "source_id", "dataset"),
    Column("file_digest", LargeBinary, nullable=False),  # SHA-256 of the file as delivered
    Column("file_name", Text, nullable=False),
    Column("file_bytes", BigInteger, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("sheet", Text),  # of a workbook, as named by the source
    Column("chunk_rows", Integer, nullable=False),
    Column("state", Text, nullable=False),
    *columns(BigInteger, "rows", "created", "updated", "unchanged", "rejected"),
    Column("passed_over", BigInteger, nullable=False, server_default="0"),
    Column("ignored_columns", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("warnings", JSONB, nullable=False),
    Column("rejects_bytes", BigInteger, nullable=False),
    Column("masked_bytes", BigInteger, nullable=False, server_default="0"),
    *columns(Text, "sentence", "sentence_zh", nullable=True),  # why it stopped
    Column("catalogue_version", Text, nullable=False),
    *columns(Moment, "started_at", "moved_at"),
    CheckConstraint("state IN ('running', 'done', 'stopped')", name="state"),
    UniqueConstraint("source_id", "dataset", "file_digest", name="uq_intake_job_file"),
)

record_action = Table(
    "record_action",
    metadata,
    *columns(Text, "uscc", "action_id", "source_id", "dataset", "record_id", "natural_key"),
    Column("record_version", Integer, nullable=False),
    *columns(Text, "verb", "reason"),
    Column("decided_on", Date, nullable=False),
    Column("operator", Text, nullable=False),
    *columns(Moment, "requested_at", "lapses_at"),
    Column("approved_by", Text),
    Column("approved_at", Moment),
    CheckConstraint("verb IN ('reinstate', 'revoke_repair')", name="verb"),
    CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved_by_somebody"),
    PrimaryKeyConstraint("uscc", "action_id", name="pk_record_action"),
)
Index("ix_record_action_source_id", record_action.c.source_id, record_action.c.action_id)
