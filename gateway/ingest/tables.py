"""Table of file ingest jobs (`intake_job`); small, and not distributed by enterprise."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
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
    Column("chunk_rows", Integer, nullable=False),
    Column("state", Text, nullable=False),
    *columns(BigInteger, "rows", "created", "updated", "unchanged", "rejected"),
    Column("warnings", JSONB, nullable=False),
    Column("rejects_bytes", BigInteger, nullable=False),
    Column("masked_bytes", BigInteger, nullable=False, server_default="0"),
    Column("sentence", Text),  # why it stopped
    Column("catalogue_version", Text, nullable=False),
    *columns(Moment, "started_at", "moved_at"),
    CheckConstraint("state IN ('running', 'done', 'stopped')", name="state"),
    UniqueConstraint("source_id", "dataset", "file_digest", name="uq_intake_job_file"),
)
