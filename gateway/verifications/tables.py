"""A probe's row grows only by the statement that also writes the answer it paid for."""

from typing import Any

from sqlmodel import Field, SQLModel

from gateway.db import column_types


class ProbeRow(SQLModel, table=True):
    """Which values one client has asserted about one enterprise in one question: digest → when."""

    __tablename__ = "probe"

    uscc: str = column_types.text(primary_key=True)
    client_id: str = column_types.text(primary_key=True)
    question: str = column_types.text(primary_key=True)
    asked: dict[str, Any] = column_types.document()
    revision: int = Field()
