"""Masking of personal numbers in stored texts that were ingested before masking existed.

A row is updated only if it is unchanged since it was read, and gets no new version: disclosures of
it were masked already. Runs are resumable and repeatable. Natural keys are not masked: two records
could become one.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.record_mapping import TEXT_TYPES, sealed_fields, without_personal_numbers
from gateway.db.engine import to_json
from gateway.db.paging import KeyedTable
from gateway.db.statements import Statement
from gateway.privacy.redaction import holds_personal_number, may_hold_personal_number

MASK_BATCH_ROWS: Final = 1_000
TYPED_TEXTS: Final = ("level", "severity", "category", "period")
"""Typed text columns of `record`."""
REGISTRATION_TEXTS: Final = ("legal_representative", "registering_authority", "scope", "address")
"""Text columns of `enterprise`; the name is masked on disclosure, since it is searched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumns(KeyedTable):
    """A table with texts of sources: SQL expressions for dataset, source and fields."""

    dataset: str
    source: str
    fields: str
    put: str
    """SQL `SET` list with parameters `:fields` and `:columns`, both JSON."""

    def update(self) -> Statement:
        """Replace the fields of a row that still has those that were read, `:held`."""
        put = self.put
        for name in ("fields", "columns"):
            put = put.replace(f":{name}", f"CAST(:{name} AS jsonb)")
        return Statement(
            f"UPDATE {self.table} SET {put} "  # noqa: S608
            f"WHERE {self.is_row} AND {self.fields} = CAST(:held AS jsonb)"
        )


_CURRENT_COLUMNS: Final = ", ".join(f"'{name}', {name}" for name in REGISTRATION_TEXTS)
_HISTORY_COLUMNS: Final = ", ".join(
    f"'{name}', row -> '{name}'" for name in (*REGISTRATION_TEXTS, "former_names")
)
TEXT_COLUMNS: Final = (
    TextColumns(
        table="enterprise",
        key=("uscc",),
        dataset="'registration'",
        source="source_id",
        fields=f"jsonb_build_object({_CURRENT_COLUMNS}, 'former_names', to_jsonb(former_names))",
        put=", ".join(f"{name} = :fields ->> '{name}'" for name in REGISTRATION_TEXTS)
        + ", former_names = ARRAY(SELECT jsonb_array_elements_text(:fields -> 'former_names'))",
    ),
    TextColumns(
        table="enterprise_history",
        key=("uscc", "version"),
        dataset="'registration'",
        source="row ->> 'source_id'",
        fields=f"jsonb_build_object({_HISTORY_COLUMNS})",
        put="row = row || :fields",
    ),
    TextColumns(
        table="record",
        key=("uscc", "record_id"),
        dataset="dataset",
        source="source_id",
        fields="fields",
        put="fields = :fields, "
        + ", ".join(f"{name} = coalesce(:columns ->> '{name}', {name})" for name in TYPED_TEXTS),
    ),
    TextColumns(
        table="record_history",
        key=("uscc", "record_id", "version"),
        dataset="row ->> 'dataset'",
        source="row ->> 'source_id'",
        fields="row -> 'fields'",
        put="row = jsonb_set(row, '{fields}', :fields) || :columns",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedBatch:
    """Result of one transaction: rows read and changed, and the last enterprise."""

    table: str
    rows: int
    changed: int
    keys: Mapping[tuple[str, str], int]
    """Number of rows with a personal number in the key, by source and dataset."""
    last: str


async def mask_held_texts(
    engine: AsyncEngine,
    catalogue: Catalogue,
    *,
    today: date,
    batch: int = MASK_BATCH_ROWS,
    after: str = "",
) -> AsyncIterator[MaskedBatch]:
    """Mask all rows of enterprises after `after`, table by table; yields each transaction's result."""
    for place in TEXT_COLUMNS:
        pages = place.each_page(
            engine,
            partial(_mask_rows, place, catalogue, today),
            columns=f"{place.dataset} AS dataset, {place.source} AS source, "
            f"CAST({place.fields} AS text) AS fields",
            limit=batch,
            after=(after,),
        )
        async for done in pages:
            yield done


async def _mask_rows(
    place: TextColumns,
    catalogue: Catalogue,
    today: date,
    connection: AsyncConnection,
    rows: Sequence[Row[Any]],
) -> MaskedBatch:
    changed, keys = 0, Counter[tuple[str, str]]()
    for row in rows:
        if row.dataset not in catalogue.codes or not may_hold_personal_number((row.fields,)):
            continue
        dataset, held = catalogue.dataset(row.dataset), orjson.loads(row.fields)
        keys[row.source, row.dataset] += _has_a_number_in_its_key(dataset, held, today)
        masked = _mask_fields(dataset, held, today)
        if masked != held:
            values = {"fields": to_json(masked), "columns": _columns(dataset, masked)}
            values |= {"held": row.fields, **place.key_of(row)}
            changed += (await connection.execute(place.update(), values)).rowcount
    return MaskedBatch(
        table=place.table, rows=len(rows), changed=changed, keys=+keys, last=rows[-1].uscc
    )


def _mask_fields(
    dataset: DatasetDefinition, fields: Mapping[str, Any], today: date
) -> dict[str, Any]:
    """The fields as they would be stored today; fields of the key are unchanged."""
    kept = {*dataset.key, *sealed_fields(dataset)}
    definitions = {each.name: each for each in dataset.fields if each.name not in kept}
    return {
        name: without_personal_numbers(definitions[name], value, today=today)
        if name in definitions
        else value
        for name, value in fields.items()
    }


def _has_a_number_in_its_key(
    dataset: DatasetDefinition, fields: Mapping[str, Any], today: date
) -> bool:
    texts = [
        each.name for each in dataset.fields if each.name in dataset.key and each.type in TEXT_TYPES
    ]
    return holds_personal_number([str(fields.get(name, "")) for name in texts], today=today)


def _columns(dataset: DatasetDefinition, fields: Mapping[str, Any]) -> str:
    """The typed text columns filled from these fields."""
    filled = ((column, fields.get(name)) for column, name in dataset.field_of.items())
    return to_json({column: value for column, value in filled if column in TYPED_TEXTS and value})
