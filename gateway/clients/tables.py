"""A client's row may change state; an agreement's version never changes, it only ends."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, false
from sqlmodel import Field, SQLModel

from gateway.clients.authentication import METHODS, PRIVATE_KEY_JWT, SUBJECTS, TLS_CLIENT_AUTH
from gateway.db import columns


class ClientRow(SQLModel, table=True):
    """One registered third party or source (接入方). Its keys stand here, or at `jwks_uri`."""

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

    client_id: str = columns.text(primary_key=True)
    kind: str = columns.text()
    name_zh: str = columns.text()
    name_en: str = columns.text()
    state: str = columns.text()
    jwks: dict[str, Any] = columns.document()
    jwks_uri: str | None = columns.text(nullable=True)
    redirect_uris: list[str] = columns.texts()
    scopes: list[str] = columns.texts()
    filing_number: str | None = columns.text(nullable=True)
    personal_credit_licence: str | None = columns.text(nullable=True)
    contact: str | None = columns.text(nullable=True)
    token_endpoint_auth_method: str = columns.text(
        sa_column_kwargs={"server_default": PRIVATE_KEY_JWT}
    )
    tls_client_auth_subject_dn: str | None = columns.text(nullable=True)
    tls_client_auth_san_dns: str | None = columns.text(nullable=True)
    tls_client_auth_san_uri: str | None = columns.text(nullable=True)
    tls_client_auth_san_ip: str | None = columns.text(nullable=True)
    tls_client_auth_san_email: str | None = columns.text(nullable=True)
    tls_client_certificate_bound_access_tokens: bool = Field(
        nullable=False, sa_column_kwargs={"server_default": false()}
    )
    created_at: datetime = columns.moment()


class ClientKeySetRow(SQLModel, table=True):
    """The last good set fetched from a client's `jwks_uri`, and when fetching was last tried."""

    __tablename__ = "client_key_set"

    client_id: str = columns.text(primary_key=True)
    jwks_uri: str = columns.text()
    jwks: dict[str, Any] | None = columns.document(nullable=True)
    fetched_at: datetime | None = columns.moment(nullable=True)
    fresh_until: datetime | None = columns.moment(nullable=True)
    tried_at: datetime = columns.moment()
    settled_at: datetime | None = columns.moment(nullable=True)
    trouble: str | None = columns.text(nullable=True)


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
    signatures: dict[str, Any] | None = columns.document(nullable=True)
    valid_from: datetime = columns.moment()
    valid_until: datetime = columns.moment()
    ended_at: datetime | None = columns.moment(nullable=True)
    document_digest: bytes = columns.digest()


class AgreementProposalRow(SQLModel, table=True):
    """A version that would widen an agreement and waits for a second operator."""

    __tablename__ = "agreement_proposal"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'approved', 'rejected', 'superseded')", name="status"),
        CheckConstraint(
            "status <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="approved_by_another",
        ),
        Index("ix_agreement_proposal_client_id", "client_id"),
    )

    proposal_id: str = columns.text(primary_key=True)
    client_id: str = columns.text()
    version: int = Field()
    document: dict[str, Any] = columns.document()
    digest: bytes = columns.digest()
    widens: list[str] = columns.texts()
    status: str = columns.text()
    proposed_by: str = columns.text()
    proposed_name: str | None = columns.text(nullable=True)
    proposed_at: datetime = columns.moment()
    decided_by: str | None = columns.text(nullable=True)
    decided_at: datetime | None = columns.moment(nullable=True)


class OperatorActRow(SQLModel, table=True):
    """One act of an operator; its leaf goes into the transparency log. Rows are only added."""

    __tablename__ = "operator_act"
    __table_args__ = (Index("ix_operator_act_client_id_at", "client_id", "at"),)

    act_id: str = columns.text(primary_key=True)
    operator: str = columns.text()
    operator_name: str | None = columns.text(nullable=True)
    what: str = columns.text()
    client_id: str = columns.text()
    subject: str | None = columns.text(nullable=True)
    before: bytes | None = columns.digest(nullable=True)
    after: bytes | None = columns.digest(nullable=True)
    salt: bytes = columns.digest()
    leaf_hash: bytes = columns.digest()
    at: datetime = columns.moment()
