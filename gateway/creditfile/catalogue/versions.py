"""Versions of the catalogue in the database; the one with the highest place is in force.

Without any, the published catalogue is in force. A version that widens disclosure has no place until
a second operator has approved it, which a constraint of the table enforces.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue.catalogue import PUBLISHED_CATALOGUE, Catalogue, load_catalogue
from gateway.db.metadata import metadata
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement

catalogue_version = Table(
    "catalogue_version",
    metadata,
    Column("version", Text, nullable=False),
    Column("place", Integer, comment="the order of coming into force; none while it waits"),
    Column("document", Text, nullable=False, comment="the YAML as it was loaded"),
    Column("digest", LargeBinary, nullable=False),
    Column("base", Text, nullable=False, comment="the version in force when it was loaded"),
    Column("widens", ARRAY(Text), nullable=False),
    Column("loaded_by", Text, nullable=False),
    Column("loaded_name", Text),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
    Column("approved_by", Text),
    Column("approved_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("version", name="pk_catalogue_version"),
    UniqueConstraint("place", name="uq_catalogue_version_place"),
    CheckConstraint(
        "place IS NULL OR widens = '{}' OR (approved_by IS NOT NULL AND approved_by <> loaded_by)",
        name="approved_by_another",
    ),
)
_NEWEST: Final = Statement("""
SELECT version FROM catalogue_version WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1""")
_DOCUMENT: Final = Statement("""
SELECT document FROM catalogue_version WHERE version = CAST(:version AS text)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueVersion:
    """A loaded catalogue. Without `place` it awaits approval."""

    version: str
    document: str
    digest: bytes
    base: str
    widens: tuple[str, ...]
    loaded_by: str
    loaded_name: str | None
    loaded_at: datetime
    place: int | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None


def digest_of(document: str) -> bytes:
    """SHA-256 of a document, by which an approver confirms what was read."""
    return hashlib.sha256(document.encode()).digest()


async def newest_version(hot: HotDatabase) -> str | None:
    """The version in force, if one was loaded."""
    row = await hot.row(_NEWEST, {})
    return None if row is None else str(row["version"])


async def version_document(hot: HotDatabase, version: str) -> str:
    """The YAML of a version."""
    row = await hot.row(_DOCUMENT, {"version": version})
    if row is None:
        raise LookupError(version)
    return str(row["document"])


async def document_in_force(connection: AsyncConnection) -> str:
    """The YAML of the catalogue in force."""
    table = catalogue_version.c
    asked = select(table.document).where(table.place.is_not(None)).order_by(table.place.desc())
    found = (await connection.execute(asked.limit(1))).scalar_one_or_none()
    return PUBLISHED_CATALOGUE.read_text(encoding="utf-8") if found is None else str(found)


async def in_force(connection: AsyncConnection) -> Catalogue:
    """The catalogue in force; `CatalogueError` if this release cannot read it."""
    return load_catalogue(await document_in_force(connection))


async def all_versions(connection: AsyncConnection) -> list[CatalogueVersion]:
    """All versions: those awaiting approval, then the newest first."""
    table = catalogue_version.c
    asked = select(catalogue_version).order_by(table.place.desc(), table.loaded_at.desc())
    return [_from_row(row) for row in (await connection.execute(asked)).mappings()]


async def find_version(connection: AsyncConnection, version: str) -> CatalogueVersion | None:
    """One version."""
    asked = select(catalogue_version).where(catalogue_version.c.version == version)
    row = (await connection.execute(asked)).mappings().one_or_none()
    return None if row is None else _from_row(row)


async def next_place(connection: AsyncConnection) -> int:
    """Place of the next version to come into force."""
    highest = text("SELECT coalesce(max(place), 0) + 1 FROM catalogue_version")
    return int((await connection.execute(highest)).scalar_one())


async def add_version(connection: AsyncConnection, version: CatalogueVersion) -> None:
    """Store a loaded version."""
    values = {name: getattr(version, name) for name in CatalogueVersion.__dataclass_fields__}
    await connection.execute(
        insert(catalogue_version).values(values | {"widens": [*version.widens]})
    )


async def bring_into_force(
    connection: AsyncConnection, version: str, *, approver: str, now: datetime
) -> None:
    """Approve a waiting version and give it a place."""
    table = catalogue_version.c
    await connection.execute(
        update(catalogue_version)
        .where(table.version == version, table.place.is_(None))
        .values(place=await next_place(connection), approved_by=approver, approved_at=now)
    )


def _from_row(row: Mapping[Any, Any]) -> CatalogueVersion:
    return CatalogueVersion(**{**row, "widens": tuple(row["widens"])})
