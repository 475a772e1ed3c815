"""Catalogues that were loaded: a version never changes, and the one with the highest place counts.

Where none was loaded, the published one counts. A version that widens has no place until another
operator has approved it; the table's own rules stand behind.
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

from gateway.creditfile.catalogue import PUBLISHED, Catalogue, load_catalogue
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
_LOCK: Final = text("SELECT pg_advisory_xact_lock(:key)")
_LOADING: Final = 0x58514341  # "XQCA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A catalogue that was loaded. Without `place` it waits to be approved."""

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
    """By which an approver says what was read."""
    return hashlib.sha256(document.encode()).digest()


async def newest(hot: HotDatabase) -> str | None:
    """The version in force, where one was loaded."""
    row = await hot.row(_NEWEST, {})
    return None if row is None else str(row["version"])


async def document_of(hot: HotDatabase, version: str) -> str:
    """The YAML of a version."""
    row = await hot.row(_DOCUMENT, {"version": version})
    if row is None:
        raise LookupError(version)
    return str(row["document"])


async def document_in_force(connection: AsyncConnection) -> str:
    """The YAML of the catalogue that counts now."""
    table = catalogue_version.c
    asked = select(table.document).where(table.place.is_not(None)).order_by(table.place.desc())
    found = (await connection.execute(asked.limit(1))).scalar_one_or_none()
    return PUBLISHED.read_text(encoding="utf-8") if found is None else str(found)


async def in_force(connection: AsyncConnection) -> Catalogue:
    """The catalogue that counts now; `CatalogueError` where this release cannot read it."""
    return load_catalogue(await document_in_force(connection))


async def versions(connection: AsyncConnection) -> list[Version]:
    """Every version, those that wait first, then the newest."""
    table = catalogue_version.c
    asked = select(catalogue_version).order_by(table.place.desc(), table.loaded_at.desc())
    return [_version(row) for row in (await connection.execute(asked)).mappings()]


async def version_of(connection: AsyncConnection, version: str) -> Version | None:
    """One version."""
    asked = select(catalogue_version).where(catalogue_version.c.version == version)
    row = (await connection.execute(asked)).mappings().one_or_none()
    return None if row is None else _version(row)


async def one_at_a_time(connection: AsyncConnection) -> None:
    """Loading and approving wait for one another until the transaction ends."""
    await connection.execute(_LOCK, {"key": _LOADING})


async def next_place(connection: AsyncConnection) -> int:
    """The place of the next version to come into force."""
    highest = text("SELECT coalesce(max(place), 0) + 1 FROM catalogue_version")
    return int((await connection.execute(highest)).scalar_one())


async def keep(connection: AsyncConnection, version: Version) -> None:
    """Keep a version that was loaded."""
    values = {name: getattr(version, name) for name in Version.__dataclass_fields__}
    await connection.execute(
        insert(catalogue_version).values(values | {"widens": [*version.widens]})
    )


async def bring_into_force(
    connection: AsyncConnection, version: str, *, by: str, now: datetime
) -> None:
    """Give a version that waited its place."""
    table = catalogue_version.c
    await connection.execute(
        update(catalogue_version)
        .where(table.version == version, table.place.is_(None))
        .values(place=await next_place(connection), approved_by=by, approved_at=now)
    )


def _version(row: Mapping[Any, Any]) -> Version:
    return Version(**{**row, "widens": tuple(row["widens"])})
