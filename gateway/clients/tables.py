"""A client's row may change state; an agreement's version never changes, it only ends."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from gateway.db import columns


class ClientRow(SQLModel, table=True):
    """One registered third party or source (接入方)."""

    __tablename__ = "client"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'suspended')", name="state"),
        CheckConstraint("kind IN ('bank', 'platform', 'agency', 'source')", name="kind"),
    )

    client_id: str = columns.text(primary_key=True)
    kind: str = columns.text()
    name_zh: str = columns.text()
    name_en: str = columns.text()
    state: str = columns.text()
    jwks: dict[str, Any] = columns.document()
    redirect_uris: list[str] = columns.texts()
    scopes: list[str] = columns.texts()
    filing_number: str | None = columns.text(nullable=True)
    created_at: datetime = columns.moment()


class AgreementRow(SQLModel, table=True):
    """One version of what one client may do (数字合约). The newest version counts."""

    __tablename__ = "agreement"

    client_id: str = columns.text(primary_key=True)
    version: int = Field(primary_key=True)
    agreement_id: str = columns.text()
    purposes: list[str] = columns.texts()
    datasets: list[str] = columns.texts()
    questions: list[str] = columns.texts()
    quotas: dict[str, Any] = columns.document()
    valid_from: datetime = columns.moment()
    valid_until: datetime = columns.moment()
    ended_at: datetime | None = columns.moment(nullable=True)
    document_digest: bytes = columns.digest()
