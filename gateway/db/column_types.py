"""Columns of one type, and column types for SQLModel tables: moments, JSON documents, digests, texts."""

from typing import Any

from sqlalchemy import ARRAY, Column, DateTime, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

Texts = ARRAY(Text)
Moment = DateTime(timezone=True)


def columns(kind: Any, *names: str, nullable: bool = False) -> list[Column[Any]]:
    """Columns of one type for a `Table`."""
    return [Column(name, kind, nullable=nullable) for name in names]


def moment(*, nullable: bool = False, **options: Any) -> Any:  # as sqlmodel.Field
    """A point in time, with its time zone."""
    return Field(sa_type=Moment, nullable=nullable, **options)


def texts() -> Any:
    """A list of short texts."""
    return Field(sa_type=Texts, nullable=False)


def document(*, nullable: bool = False, **options: Any) -> Any:
    """A JSON document."""
    return Field(sa_type=JSONB, nullable=nullable, **options)


def digest(*, nullable: bool = False, **options: Any) -> Any:
    """The bytes of a digest."""
    return Field(sa_type=LargeBinary, nullable=nullable, **options)


def text(*, nullable: bool = False, **options: Any) -> Any:
    """Text of any length."""
    return Field(sa_type=Text, nullable=nullable, **options)
