"""Tables of disclosures, their notices, and the transparency log; disclosures are append-only."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, text
from sqlmodel import Field, SQLModel

from gateway.db import column_types


def _given(kind: type[Integer] = BigInteger) -> Any:
    """A number in the primary key without autoincrement."""
    return Field(sa_type=kind, primary_key=True, sa_column_kwargs={"autoincrement": False})


class DisclosureRow(SQLModel, table=True):
    """One disclosure to a client about one enterprise, or one refusal.

    Of a report that was opened `client_id` is the report's id.
    """

    __tablename__ = "disclosure"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('verification', 'query', 'consent_request', 'watch', 'report')", name="kind"
        ),
        CheckConstraint("outcome IN ('told', 'refused')", name="outcome"),
        Index("ix_disclosure_uscc_at", "uscc", "at"),
    )

    uscc: str = column_types.text(primary_key=True)
    disclosure_id: str = column_types.text(primary_key=True)
    client_id: str = column_types.text()
    kind: str = column_types.text()
    outcome: str = column_types.text()
    reason: str | None = column_types.text(nullable=True)
    purpose: str = column_types.text()
    consent_id: str | None = column_types.text(nullable=True)
    agreement_version: int | None = Field(nullable=True)
    asked: list[Any] = column_types.document()
    relied_on: list[Any] = column_types.document()
    items: list[Any] | None = column_types.document(nullable=True)
    """The outcome item by item (`disclosure.items`); no part of the log's leaf."""
    result_digest: bytes = column_types.digest()
    leaf_hash: bytes = column_types.digest()
    at: datetime = column_types.moment()


class TombstoneRow(SQLModel, table=True):
    """A notice to one client that a record, a consent or an answer has changed.

    `cursor` is assigned after commit.

    For a record it lists every disclosure that relies on it; for a consent withdrawn or narrowed those
    that rely on what was taken back; for granted, refused and expired none. Of a watched answer it has the
    `questions`, and no disclosures.
    """

    __tablename__ = "tombstone"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('record_corrected', 'record_repaired', 'record_suspended', 'record_withdrawn',"
            " 'record_ended', 'record_reinstated', 'consent_withdrawn', 'consent_narrowed',"
            " 'consent_expired', 'consent_granted', 'consent_refused', 'answer_may_have_changed')",
            name="kind",
        ),
        CheckConstraint("num_nonnulls(record_id, consent_id, questions) = 1", name="of_one_thing"),
        CheckConstraint("(record_id IS NULL) = (dataset IS NULL)", name="dataset_of_record"),
        Index(
            "ix_tombstone_unacknowledged",
            "client_id",
            "occurred_at",
            postgresql_where=text("acknowledged_at IS NULL"),
        ),
        Index("ix_tombstone_feed", "client_id", "cursor"),
        Index(
            "ix_tombstone_unnumbered",
            "occurred_at",
            "change_id",
            postgresql_where=text("cursor IS NULL"),
        ),
    )

    uscc: str = column_types.text(primary_key=True)
    change_id: str = column_types.text(primary_key=True)
    client_id: str = column_types.text()
    kind: str = column_types.text()
    occurred_at: datetime = column_types.moment()
    dataset: str | None = column_types.text(nullable=True)
    record_id: str | None = column_types.text(nullable=True)
    consent_id: str | None = column_types.text(nullable=True)
    disclosure_ids: list[str] = column_types.texts()
    questions: list[str] | None = Field(sa_type=column_types.Texts, nullable=True)
    cursor: int | None = Field(sa_type=BigInteger, nullable=True)
    acknowledged_at: datetime | None = column_types.moment(nullable=True)


class ChangeFeedRow(SQLModel, table=True):
    """The newest cursor of a client's feed."""

    __tablename__ = "change_feed"

    client_id: str = column_types.text(primary_key=True)
    newest: int = Field(sa_type=BigInteger)


class DisclosureSaltRow(SQLModel, table=True):
    """The salt of a disclosure's leaf; deleting it erases the subject from the log."""

    __tablename__ = "disclosure_salt"

    uscc: str = column_types.text(primary_key=True)
    disclosure_id: str = column_types.text(primary_key=True)
    salt: bytes = column_types.digest()


class SignedRequestRow(SQLModel, table=True):
    """The signed request that a disclosure, batch or job answers, encrypted (`signed_requests`)."""

    __tablename__ = "signed_request"
    __table_args__ = (Index("ix_signed_request_subject_id", "subject_id"),)

    uscc: str = column_types.text(primary_key=True)
    subject_id: str = column_types.text(primary_key=True)
    client_id: str = column_types.text()
    request: bytes = column_types.digest()
    at: datetime = column_types.moment()


class ConsentLeafRow(SQLModel, table=True):
    """The leaf of a consent event with its salts; deleting it erases the subject from the log."""

    __tablename__ = "consent_leaf"

    uscc: str = column_types.text(primary_key=True)
    leaf_id: str = column_types.text(primary_key=True)
    salt: bytes = column_types.digest()
    person_salt: bytes = column_types.digest()
    leaf_hash: bytes = column_types.digest()


class PendingLeafRow(SQLModel, table=True):
    """A leaf not yet sequenced into the log."""

    __tablename__ = "pending_leaf"
    __table_args__ = (Index("ix_pending_leaf_at", "at"),)

    uscc: str = column_types.text(primary_key=True)
    disclosure_id: str = column_types.text(primary_key=True)
    leaf_hash: bytes = column_types.digest()
    at: datetime = column_types.moment()


class LogEntryRow(SQLModel, table=True):
    """One leaf of the transparency log. Indices have no gaps."""

    __tablename__ = "log_entry"
    __table_args__ = (Index("ix_log_entry_disclosure_id", "disclosure_id"),)

    index: int = _given()
    leaf_hash: bytes = column_types.digest()
    uscc: str = column_types.text()
    disclosure_id: str = column_types.text()
    at: datetime = column_types.moment()


class LogNodeRow(SQLModel, table=True):
    """The root of the `index`-th full subtree of 256^`level` leaves; level 0 is `log_entry`."""

    __tablename__ = "log_node"

    level: int = _given(Integer)
    index: int = _given()
    hash: bytes = column_types.digest()


class CheckpointRow(SQLModel, table=True):
    """A signed tree head: size, root, and the note that was signed.

    Served from `published_at` on: by then it is stored outside the database too.
    """

    __tablename__ = "checkpoint"

    size: int = _given()
    root: bytes = column_types.digest()
    note: str = column_types.text()
    at: datetime = column_types.moment()
    published_at: datetime | None = column_types.moment(nullable=True)


class LogEventRow(SQLModel, table=True):
    """A public event in the log: its exact bytes and its salt."""

    __tablename__ = "log_event"

    event_id: str = column_types.text(primary_key=True)
    event: bytes = column_types.digest()
    salt: bytes = column_types.digest()
    leaf_hash: bytes = column_types.digest()
    at: datetime = column_types.moment()


class TurnedAwayRow(SQLModel, table=True):
    """Hourly count of a client's rate-limited refusals about one enterprise.

    `uscc` is empty where no enterprise was named, or too many.
    """

    __tablename__ = "turned_away"

    uscc: str = column_types.text(primary_key=True)
    client_id: str = column_types.text(primary_key=True)
    kind: str = column_types.text(primary_key=True)
    reason: str = column_types.text(primary_key=True)
    hour: datetime = column_types.moment(primary_key=True)
    times: int = Field(sa_type=BigInteger)


class IdempotencyRow(SQLModel, table=True):
    """The encrypted answer of a call, by its idempotency key."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_at", "at"),)

    uscc: str = column_types.text(primary_key=True)
    client_id: str = column_types.text(primary_key=True)
    key: str = column_types.text(primary_key=True)
    request_digest: bytes = column_types.digest()
    answer: str = column_types.text()
    uses_left: int | None = Field(nullable=True)
    at: datetime = column_types.moment()
