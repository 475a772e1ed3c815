"""An idempotency key keeps the answer it was first given, for a day."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from gateway.db import columns


class IdempotencyRow(SQLModel, table=True):
    """One answered call that may be repeated without spending anything again."""

    __tablename__ = "idempotency"

    uscc: str = columns.text(primary_key=True)
    client_id: str = columns.text(primary_key=True)
    key: str = columns.text(primary_key=True)
    request_digest: bytes = columns.digest()
    answer: str = columns.text()
    uses_left: int | None = Field(nullable=True)
    at: datetime = columns.moment()
