"""Bulk load of a synthetic province into empty tables by COPY, with personal fields encrypted."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.personal_fields import seal_enterprise, seal_record, sealed_row_name
from gateway.creditfile.record_mapping import personal_values, stored_fields
from gateway.creditfile.records import Record
from gateway.creditfile.tables import enterprise, record
from gateway.db.engine import autocommit
from gateway.db.statements import Statement
from gateway.privacy.field_encryption import Vault
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise

BATCH: Final = 1000
_LOCK: Final = Statement("LOCK TABLE enterprise, record IN SHARE ROW EXCLUSIVE MODE")
_NOT_EMPTY: Final = Statement(
    "SELECT EXISTS (SELECT 1 FROM enterprise) OR EXISTS (SELECT 1 FROM record)"
)


class NotEmptyError(RuntimeError):
    """There are credit files already: a synthetic province goes into an empty database only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Rows loaded so far."""

    enterprises: int
    records: int


async def load(
    engine: AsyncEngine,
    enterprises: Iterable[SyntheticEnterprise],
    *,
    vault: Vault,
    catalogue: Catalogue,
    on_progress: Callable[[Loaded], None] = lambda _: None,
) -> Loaded:
    """Load all in one transaction; `on_progress` is called after each batch."""
    done = Loaded(enterprises=0, records=0)
    async with engine.begin() as connection:
        await connection.execute(_LOCK)
        if (await connection.execute(_NOT_EMPTY)).scalar_one():
            raise NotEmptyError(NotEmptyError.__doc__)
        for batch in _batches(enterprises):
            records = [each for entity in batch for each in entity.records]
            await _copy(connection, enterprise, [_enterprise_row(e, vault) for e in batch])
            rows = [_record_row(r, catalogue, vault) for r in records]
            await _copy(connection, record, rows)
            done = Loaded(
                enterprises=done.enterprises + len(batch), records=done.records + len(records)
            )
            on_progress(done)
    async with autocommit(engine).connect() as connection:
        await connection.execute(Statement("ANALYZE enterprise, record"))
    return done


async def _copy(connection: AsyncConnection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise RuntimeError("The connection was closed.")
    await driver.copy_records_to_table(table.name, records=rows, columns=table.columns.keys())


def _batches(enterprises: Iterable[SyntheticEnterprise]) -> Iterator[Sequence[SyntheticEnterprise]]:
    stream = iter(enterprises)
    while batch := list(islice(stream, BATCH)):
        yield batch


def _enterprise_row(entity: SyntheticEnterprise, vault: Vault) -> tuple[Any, ...]:
    source = entity.enterprise
    sealed, digests = seal_enterprise(vault, source.uscc, entity.personal)
    return _row(enterprise, source, {"personal": sealed, "digests": digests})


def _record_row(source: Record, catalogue: Catalogue, vault: Vault) -> tuple[Any, ...]:
    dataset = catalogue.dataset(source.dataset)
    derived: dict[str, Any] = {
        "fields": orjson.dumps(stored_fields(dataset, source.fields)).decode()
    }
    personal = personal_values(dataset, source.fields)
    if personal:
        row = sealed_row_name(source.uscc, source.source_id, source.dataset, source.natural_key)
        derived["personal"], derived["digests"] = seal_record(vault, row, personal)
    return _row(record, source, derived)


def _row(table: Table, source: object, derived: Mapping[str, Any]) -> tuple[Any, ...]:
    names = table.columns.keys()
    return tuple(derived[name] if name in derived else getattr(source, name) for name in names)
