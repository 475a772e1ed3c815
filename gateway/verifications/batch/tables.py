"""Table of batches: client, key, digests of the body, leaf hashes and manifest; no line itself."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from gateway.db import column_types


class VerificationBatchRow(SQLModel, table=True):
    """One batch; `marks` are the lines up to which its body is known, `prefixes` the body's digests there.

    `holder` is the call that answers it at the moment. `leaves` are the leaf hashes of the answered
    lines, one after another, once it has its manifest, which is encrypted; `manifest` is one of before.
    """

    __tablename__ = "verification_batch"
    __table_args__ = (
        UniqueConstraint("client_id", "key", name="uq_verification_batch_client_id_key"),
    )

    batch_id: str = column_types.text(primary_key=True)
    client_id: str = column_types.text()
    key: str | None = column_types.text(nullable=True)
    declared_digest: bytes | None = column_types.digest(nullable=True)
    holder: str | None = column_types.text(nullable=True)
    held_until: datetime | None = column_types.moment(nullable=True)
    marks: list[int] = Field(sa_type=ARRAY(BigInteger), nullable=False)
    prefixes: list[bytes] = Field(sa_type=ARRAY(LargeBinary), nullable=False)
    manifest: str | None = column_types.text(nullable=True)
    sealed_manifest: bytes | None = column_types.digest(nullable=True)
    numbers: list[int] | None = Field(sa_type=ARRAY(BigInteger), nullable=True)
    leaves: bytes | None = column_types.digest(nullable=True)
    created_at: datetime = column_types.moment(index=True)
