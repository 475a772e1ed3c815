"""Column types for SQLModel tables: moments, JSON documents, digests, texts."""

from typing import Any

from sqlalchemy import ARRAY, DateTime, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

Texts = ARRAY(Text)


def moment(*, nullable: bool = False, **options: Any) -> Any:  # as sqlmodel.Field
    """A point in time, with its time zone."""
    return Field(sa_type=DateTime(timezone=True), nullable=nullable, **options)


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
