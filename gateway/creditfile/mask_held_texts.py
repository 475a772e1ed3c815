"""Masking of personal numbers in stored texts that were ingested before masking existed.

A row is updated only if it is unchanged since it was read, and gets no new version: disclosures of
it were masked already. Runs are resumable and repeatable. Natural keys are not masked: two records
could become one.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import DatasetDefinition
from gateway.creditfile.record_mapping import TEXT_TYPES, sealed_fields, without_personal_numbers
from gateway.db.engine import to_json
from gateway.db.statements import Statement
from gateway.privacy.redaction import holds_personal_number, may_hold_personal_number

MASK_BATCH_ROWS: Final = 1_000
TYPED_TEXTS: Final = ("level", "severity", "category", "period")
"""Typed text columns of `record`."""
REGISTRATION_TEXTS: Final = ("legal_representative", "registering_authority", "scope", "address")
"""Text columns of `enterprise`; the name is masked on disclosure, since it is searched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumns:
    """A table with texts of sources: its key, and SQL expressions for dataset, source and fields."""

    table: str
    key: tuple[str, ...]
    types: tuple[str, ...]
    dataset: str
    source: str
    fields: str
    put: str
    """SQL `SET` list with parameters `:fields` and `:columns`, both JSON."""


_CURRENT_COLUMNS: Final = ", ".join(f"'{name}', {name}" for name in REGISTRATION_TEXTS)
_HISTORY_COLUMNS: Final = ", ".join(
    f"'{name}', row -> '{name}'" for name in (*REGISTRATION_TEXTS, "former_names")
)
TEXT_COLUMNS: Final = (
    TextColumns(
        table="enterprise",
        key=("uscc",),
        types=("text",),
        dataset="'registration'",
        source="source_id",
        fields=f"jsonb_build_object({_CURRENT_COLUMNS}, 'former_names', to_jsonb(former_names))",
        put=", ".join(f"{name} = :fields ->> '{name}'" for name in REGISTRATION_TEXTS)
        + ", former_names = ARRAY(SELECT jsonb_array_elements_text(:fields -> 'former_names'))",
    ),
    TextColumns(
        table="enterprise_history",
        key=("uscc", "version"),
        types=("text", "integer"),
        dataset="'registration'",
        source="row ->> 'source_id'",
        fields=f"jsonb_build_object({_HISTORY_COLUMNS})",
        put="row = row || :fields",
    ),
    TextColumns(
        table="record",
        key=("uscc", "record_id"),
        types=("text", "text"),
        dataset="dataset",
        source="source_id",
        fields="fields",
        put="fields = :fields, "
        + ", ".join(f"{name} = coalesce(:columns ->> '{name}', {name})" for name in TYPED_TEXTS),
    ),
    TextColumns(
        table="record_history",
        key=("uscc", "record_id", "version"),
        types=("text", "text", "integer"),
        dataset="row ->> 'dataset'",
        source="row ->> 'source_id'",
        fields="row -> 'fields'",
        put="row = jsonb_set(row, '{fields}', :fields) || :columns",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedBatch:
    """Result of one transaction: rows read and changed, and the last key."""

    place: TextColumns
    rows: int
    changed: int
    keys: Mapping[tuple[str, str], int]
    """Number of rows with a personal number in the key, by source and dataset."""
    last: tuple[Any, ...]


async def mask_held_texts(
    engine: AsyncEngine,
    catalogue: Catalogue,
    *,
    today: date,
    batch: int = MASK_BATCH_ROWS,
    after: str = "",
) -> AsyncIterator[MaskedBatch]:
    """Mask all rows of enterprises after `after`, table by table; yields each result."""
    for place in TEXT_COLUMNS:
        last: tuple[Any, ...] = (after,)
        while True:
            async with engine.begin() as connection:
                done = await _mask_batch(connection, place, catalogue, last, batch, today)
            if done is None:
                break
            last = done.last
            yield done


async def _mask_batch(
    connection: AsyncConnection,
    place: TextColumns,
    catalogue: Catalogue,
    last: tuple[Any, ...],
    batch: int,
    today: date,
) -> MaskedBatch | None:
    asked = {f"k{n}": value for n, value in enumerate(last)}
    found = await connection.execute(_select_batch(place, len(last)), {**asked, "batch": batch})
    rows = found.all()
    if not rows:
        return None
    changed, keys = 0, Counter[tuple[str, str]]()
    for row in rows:
        if row.dataset not in catalogue.codes or not may_hold_personal_number((row.fields,)):
            continue
        dataset, held = catalogue.dataset(row.dataset), orjson.loads(row.fields)
        keys[row.source, row.dataset] += _has_a_number_in_its_key(dataset, held, today)
        masked = _mask_fields(dataset, held, today)
        if masked != held:
            values = {f"k{n}": row[n] for n in range(len(place.key))}
            values |= {"fields": to_json(masked), "columns": _columns(dataset, masked)}
            put = await connection.execute(_update_row(place), {**values, "held": row.fields})
            changed += put.rowcount
    return MaskedBatch(
        place=place,
        rows=len(rows),
        changed=changed,
        keys=+keys,
        last=tuple(rows[-1][: len(place.key)]),
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


def _select_batch(place: TextColumns, known: int) -> Any:  # a statement
    key = ", ".join(place.key)
    columns = ", ".join(place.key[:known])
    after = ", ".join(f"CAST(:k{n} AS {kind})" for n, kind in enumerate(place.types[:known]))
    return Statement(
        f"SELECT {key}, {place.dataset} AS dataset, {place.source} AS source, "  # noqa: S608
        f"CAST({place.fields} AS text) AS fields FROM {place.table} "
        f"WHERE ({columns}) > ({after}) ORDER BY {key} LIMIT :batch"
    )


def _update_row(place: TextColumns) -> Any:  # a statement
    matches = " AND ".join(f"{name} = :k{n}" for n, name in enumerate(place.key))
    put = place.put
    for name in ("fields", "columns"):
        put = put.replace(f":{name}", f"CAST(:{name} AS jsonb)")
    return Statement(
        f"UPDATE {place.table} SET {put} "  # noqa: S608
        f"WHERE {matches} AND {place.fields} = CAST(:held AS jsonb)"
    )
