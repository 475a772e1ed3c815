"""Database tables of the enterprises' own credit reports."""

from datetime import datetime

from sqlmodel import SQLModel

from gateway.db import column_types


class CreditReportRow(SQLModel, table=True):
    """One report: number, file and recipient encrypted, and the digests of what was issued.

    The file is deleted when the report is taken back, or some time after its term.
    """

    __tablename__ = "credit_report"

    uscc: str = column_types.text(primary_key=True)
    report_id: str = column_types.text(primary_key=True)
    number: bytes = column_types.digest()
    recipient: bytes | None = column_types.digest(nullable=True)
    file: bytes | None = column_types.digest(nullable=True)
    digests: list[str] = column_types.texts()
    """SHA-256 in hexadecimal of each file issued: the JSON, and the PDF once it was drawn."""
    registration_status: str = column_types.text()
    created_at: datetime = column_types.moment()
    created_by: str = column_types.text()
    created_token_digest: bytes = column_types.digest()
    valid_until: datetime = column_types.moment(index=True)
    taken_back_at: datetime | None = column_types.moment(nullable=True)
    taken_back_by: str | None = column_types.text(nullable=True)
    taken_back_token_digest: bytes | None = column_types.digest(nullable=True)


class CreditReportLocatorRow(SQLModel, table=True):
    """Maps a report's id to its enterprise."""

    __tablename__ = "credit_report_locator"

    report_id: str = column_types.text(primary_key=True)
    uscc: str = column_types.text()
    valid_until: datetime = column_types.moment(index=True)
