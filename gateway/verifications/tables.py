"""Table of probe budgets, written only by the statement that writes the answer."""

from typing import Any

from sqlmodel import Field, SQLModel

from gateway.db import column_types


class ProbeRow(SQLModel, table=True):
    """Values that a client asserted about an enterprise in one question: digest → time."""

    __tablename__ = "probe"

    uscc: str = column_types.text(primary_key=True)
    client_id: str = column_types.text(primary_key=True)
    question: str = column_types.text(primary_key=True)
    asked: dict[str, Any] = column_types.document()
    revision: int = Field()
