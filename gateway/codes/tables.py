"""Database tables of enterprise codes."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from gateway.db import column_types


class CodeRow(SQLModel, table=True):
    """One printed sticker of an enterprise."""

    __tablename__ = "enterprise_code"

    uscc: str = column_types.text(primary_key=True)
    code_id: str = column_types.text(primary_key=True)
    sign_name: str = column_types.text()
    label: str = column_types.text(sa_column_kwargs={"server_default": ""})
    check_phrase: str = column_types.text()
    printed_name: str | None = column_types.text(nullable=True)
    printed_division: str | None = column_types.text(nullable=True)
    issued_at: datetime = column_types.moment()
    issued_by: str | None = column_types.text(nullable=True)
    issued_token_digest: bytes | None = column_types.digest(nullable=True)
    expires_at: datetime | None = column_types.moment(nullable=True)
    revoked_at: datetime | None = column_types.moment(nullable=True)
    revoked_by: str | None = column_types.text(nullable=True)
    revoked_token_digest: bytes | None = column_types.digest(nullable=True)
    replaced_by: str | None = column_types.text(nullable=True)
    batch_id: str | None = column_types.text(nullable=True)

    __table_args__ = (
        Index(
            "ix_enterprise_code_batch",
            "batch_id",
            "uscc",
            postgresql_where=text("batch_id IS NOT NULL"),
        ),
    )


class CodeLocatorRow(SQLModel, table=True):
    """Maps a code id to its enterprise."""

    __tablename__ = "enterprise_code_locator"

    code_id: str = column_types.text(primary_key=True)
    uscc: str = column_types.text()


class NationalCodeRow(SQLModel, table=True):
    """Maps the digest of a national enterprise code's identifier to its enterprise."""

    __tablename__ = "national_code"

    digest: bytes = column_types.digest(primary_key=True)
    uscc: str = column_types.text()


class CodeBatchRow(SQLModel, table=True):
    """One bulk issue for a division: one code for each enterprise that has none."""

    __tablename__ = "enterprise_code_batch"

    batch_id: str = column_types.text(primary_key=True)
    division: str = column_types.text()
    label: str = column_types.text()
    expires_at: datetime | None = column_types.moment(nullable=True)
    file: str = column_types.text()
    issued_by: str = column_types.text()
    started_at: datetime = column_types.moment()
    finished_at: datetime | None = column_types.moment(nullable=True)
