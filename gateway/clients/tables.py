"""Tables of clients, their keys, agreements, proposals and operators' acts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, false
from sqlmodel import Field, SQLModel

from gateway.clients.authentication_method import (
    METHODS,
    PRIVATE_KEY_JWT,
    SUBJECTS,
    TLS_CLIENT_AUTH,
)
from gateway.db import column_types


class ClientRow(SQLModel, table=True):
    """A registered third party or source (接入方), with its keys or its `jwks_uri`."""

    __tablename__ = "client"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'suspended', 'ended')", name="state"),
        CheckConstraint(
            "kind IN ('bank', 'platform', 'agency', 'source', 'operator')", name="kind"
        ),
        CheckConstraint(
            f"token_endpoint_auth_method IN {METHODS}", name="token_endpoint_auth_method"
        ),
        CheckConstraint(
            f"num_nonnulls({', '.join(SUBJECTS)})"
            f" = (token_endpoint_auth_method = '{TLS_CLIENT_AUTH}')::int",
            name="tls_client_auth_subject",
        ),
    )

    client_id: str = column_types.text(primary_key=True)
    kind: str = column_types.text()
    name_zh: str = column_types.text()
    name_en: str = column_types.text()
    state: str = column_types.text()
    jwks: dict[str, Any] = column_types.document()
    jwks_uri: str | None = column_types.text(nullable=True)
    redirect_uris: list[str] = column_types.texts()
    scopes: list[str] = column_types.texts()
    filing_kind: str | None = column_types.text(nullable=True)
    filing_authority: str | None = column_types.text(nullable=True)
    filing_number: str | None = column_types.text(nullable=True)
    filing_checked_on: date | None = Field(default=None)
    filing_valid_until: date | None = Field(default=None)
    personal_credit_licence: str | None = column_types.text(nullable=True)
    contact: str | None = column_types.text(nullable=True)
    token_endpoint_auth_method: str = column_types.text(
        sa_column_kwargs={"server_default": PRIVATE_KEY_JWT}
    )
    tls_client_auth_subject_dn: str | None = column_types.text(nullable=True)
    tls_client_auth_san_dns: str | None = column_types.text(nullable=True)
    tls_client_auth_san_uri: str | None = column_types.text(nullable=True)
    tls_client_auth_san_ip: str | None = column_types.text(nullable=True)
    tls_client_auth_san_email: str | None = column_types.text(nullable=True)
    tls_client_certificate_bound_access_tokens: bool = Field(
        nullable=False, sa_column_kwargs={"server_default": false()}
    )
    created_at: datetime = column_types.moment()


class ClientKeySetRow(SQLModel, table=True):
    """The last good key set fetched from a client's `jwks_uri`, and the last fetch."""

    __tablename__ = "client_key_set"

    client_id: str = column_types.text(primary_key=True)
    jwks_uri: str = column_types.text()
    jwks: dict[str, Any] | None = column_types.document(nullable=True)
    fetched_at: datetime | None = column_types.moment(nullable=True)
    fresh_until: datetime | None = column_types.moment(nullable=True)
    tried_at: datetime = column_types.moment()
    settled_at: datetime | None = column_types.moment(nullable=True)
    trouble: str | None = column_types.text(nullable=True)


class AgreementRow(SQLModel, table=True):
    """One version of a client's agreement (数字合约); it may end but never change."""

    __tablename__ = "agreement"

    client_id: str = column_types.text(primary_key=True)
    version: int = Field(primary_key=True)
    agreement_id: str = column_types.text()
    purposes: list[str] = column_types.texts()
    datasets: list[str] = column_types.texts()
    questions: list[str] = column_types.texts()
    quotas: dict[str, Any] = column_types.document()
    retention_days: int = Field(nullable=False, sa_column_kwargs={"server_default": "0"})
    automated_decisions: bool | None = Field(default=None, nullable=True)
    id_numbers: str | None = column_types.text(nullable=True)
    signatures: dict[str, Any] | None = column_types.document(nullable=True)
    valid_from: datetime = column_types.moment()
    valid_until: datetime = column_types.moment()
    """Where `signed_until` is set, the beginning: the version has no term for who does not know that."""
    signed_until: datetime | None = column_types.moment(nullable=True)
    """The end of the term of a version that requires signed requests."""
    ended_at: datetime | None = column_types.moment(nullable=True)
    document_digest: bytes = column_types.digest()


class AgreementProposalRow(SQLModel, table=True):
    """A proposed version that would widen an agreement, for a second operator to decide."""

    __tablename__ = "agreement_proposal"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'approved', 'rejected', 'superseded')", name="status"),
        CheckConstraint(
            "status <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="approved_by_another",
        ),
        Index("ix_agreement_proposal_client_id", "client_id"),
    )

    proposal_id: str = column_types.text(primary_key=True)
    client_id: str = column_types.text()
    version: int = Field()
    document: dict[str, Any] = column_types.document()
    digest: bytes = column_types.digest()
    widens: list[str] = column_types.texts()
    status: str = column_types.text()
    proposed_by: str = column_types.text()
    proposed_name: str | None = column_types.text(nullable=True)
    proposed_at: datetime = column_types.moment()
    decided_by: str | None = column_types.text(nullable=True)
    decided_at: datetime | None = column_types.moment(nullable=True)


class OperatorActRow(SQLModel, table=True):
    """One act of an operator, with its leaf of the transparency log; append-only."""

    __tablename__ = "operator_act"
    __table_args__ = (
        Index("ix_operator_act_at", "at"),
        Index("ix_operator_act_client_id_at", "client_id", "at"),
    )

    act_id: str = column_types.text(primary_key=True)
    operator: str = column_types.text()
    operator_name: str | None = column_types.text(nullable=True)
    what: str = column_types.text()
    client_id: str = column_types.text()
    subject: str | None = column_types.text(nullable=True)
    before: bytes | None = column_types.digest(nullable=True)
    after: bytes | None = column_types.digest(nullable=True)
    salt: bytes = column_types.digest()
    leaf_hash: bytes = column_types.digest()
    at: datetime = column_types.moment()
