"""A code's id is random and means nothing; one id for each printed sticker, revocable alone."""

from datetime import datetime

from sqlmodel import SQLModel

from gateway.db import columns


class CodeRow(SQLModel, table=True):
    """One printed sticker of one enterprise."""

    __tablename__ = "enterprise_code"

    uscc: str = columns.text(primary_key=True)
    code_id: str = columns.text(primary_key=True)
    sign_name: str = columns.text()
    check_phrase: str = columns.text()
    issued_at: datetime = columns.moment()
    revoked_at: datetime | None = columns.moment(nullable=True)
    revoked_by: str | None = columns.text(nullable=True)
    revoked_token_digest: bytes | None = columns.digest(nullable=True)


class CodeLocatorRow(SQLModel, table=True):
    """From a scanned id to its enterprise."""

    __tablename__ = "enterprise_code_locator"

    code_id: str = columns.text(primary_key=True)
    uscc: str = columns.text()
