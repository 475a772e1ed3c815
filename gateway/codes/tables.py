"""Database tables of enterprise codes."""

from datetime import datetime

from sqlmodel import SQLModel

from gateway.db import column_types


class CodeRow(SQLModel, table=True):
    """One printed sticker of an enterprise."""

    __tablename__ = "enterprise_code"

    uscc: str = column_types.text(primary_key=True)
    code_id: str = column_types.text(primary_key=True)
    sign_name: str = column_types.text()
    check_phrase: str = column_types.text()
    issued_at: datetime = column_types.moment()
    revoked_at: datetime | None = column_types.moment(nullable=True)
    revoked_by: str | None = column_types.text(nullable=True)
    revoked_token_digest: bytes | None = column_types.digest(nullable=True)


class CodeLocatorRow(SQLModel, table=True):
    """Maps a code id to its enterprise."""

    __tablename__ = "enterprise_code_locator"

    code_id: str = column_types.text(primary_key=True)
    uscc: str = column_types.text()
