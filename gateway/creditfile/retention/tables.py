"""Tables of deletion proofs and of completed daily runs."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Date, LargeBinary
from sqlmodel import Field, SQLModel

from gateway.db import column_types


class DeletionProofRow(SQLModel, table=True):
    """Proof of one transaction's deletions: signed statement, salt, commitments."""

    __tablename__ = "deletion_proof"

    deletion_id: str = column_types.text(primary_key=True)
    statement: str = column_types.text()
    salt: bytes = column_types.digest()
    commitments: list[Any] = Field(sa_type=ARRAY(LargeBinary), nullable=False)
    records: int = Field()
    versions: int = Field()
    leaf_hash: bytes = column_types.digest()
    at: datetime = column_types.moment()


class RetentionDayRow(SQLModel, table=True):
    """A day whose retention run is complete."""

    __tablename__ = "retention_day"

    day: date = Field(sa_type=Date, primary_key=True)
    records: int = Field()
    finished_at: datetime = column_types.moment()
