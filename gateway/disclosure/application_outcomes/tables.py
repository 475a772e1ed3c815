"""Table of told outcomes: append-only, so that a replaced one is kept."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from gateway.db import column_types


class ApplicationOutcomeRow(SQLModel, table=True):
    """One version of the outcome that a client told of one of its queries; the salt hides its leaf."""

    __tablename__ = "application_outcome"

    uscc: str = column_types.text(primary_key=True)
    disclosure_id: str = column_types.text(primary_key=True)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    client_id: str = column_types.text()
    outcome: str = column_types.text()
    reasons: list[str] = column_types.texts()
    salt: bytes = column_types.digest()
    leaf_hash: bytes = column_types.digest()
    at: datetime = column_types.moment()
