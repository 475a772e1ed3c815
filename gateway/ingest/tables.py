"""Table of file ingest jobs (`intake_job`); small, and not distributed by enterprise."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from gateway.db.metadata import metadata

intake_job = Table(
    "intake_job",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("file_digest", LargeBinary, nullable=False),  # SHA-256 of the file as delivered
    Column("file_name", Text, nullable=False),
    Column("file_bytes", BigInteger, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("chunk_rows", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("warnings", JSONB, nullable=False),
    Column("rejects_bytes", BigInteger, nullable=False),
    Column("masked_bytes", BigInteger, nullable=False, server_default="0"),
    Column("sentence", Text),  # why it stopped
    Column("catalogue_version", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state IN ('running', 'done', 'stopped')", name="state"),
    UniqueConstraint("source_id", "dataset", "file_digest", name="uq_intake_job_file"),
)
