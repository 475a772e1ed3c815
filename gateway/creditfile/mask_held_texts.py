"""Personal numbers in texts that were taken before intake knew them are masked where they are held.

A row is changed only if it still is what was read, and gets no new version: what was told of it was
masked when it was told. A run can end at any moment and be begun again, from where it was or from the
first row: a row that is done has nothing to mask any more. Keys stay: masked, two records could
become one.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import DatasetOf
from gateway.creditfile.record_mapping import TEXTS, sealed_fields, without_personal_numbers
from gateway.db.engine import to_json
from gateway.db.statements import Statement
from gateway.privacy.redaction import holds_personal_number, may_hold_personal_number

BATCH: Final = 1_000
TYPED: Final = ("level", "severity", "category", "period")
"""The text columns of a record that its fields fill."""
OF_REGISTRATION: Final = ("legal_representative", "registering_authority", "scope", "address")
"""Its texts; the name is looked for by its own form, and is masked when it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextColumns:
    """A table that holds sources' texts: its key, and SQL for what a row is of and its fields."""

    table: str
    key: tuple[str, ...]
    types: tuple[str, ...]
    dataset: str
    source: str
    fields: str
    put: str
    """`SET` of `:fields` and of `:columns`, both JSON."""


_OWN: Final = ", ".join(f"'{name}', {name}" for name in OF_REGISTRATION)
_THEIRS: Final = ", ".join(
    f"'{name}', row -> '{name}'" for name in (*OF_REGISTRATION, "former_names")
)
TEXT_COLUMNS: Final = (
    TextColumns(
        table="enterprise",
        key=("uscc",),
        types=("text",),
        dataset="'registration'",
        source="source_id",
        fields=f"jsonb_build_object({_OWN}, 'former_names', to_jsonb(former_names))",
        put=", ".join(f"{name} = :fields ->> '{name}'" for name in OF_REGISTRATION)
        + ", former_names = ARRAY(SELECT jsonb_array_elements_text(:fields -> 'former_names'))",
    ),
    TextColumns(
        table="enterprise_history",
        key=("uscc", "version"),
        types=("text", "integer"),
        dataset="'registration'",
        source="row ->> 'source_id'",
        fields=f"jsonb_build_object({_THEIRS})",
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
        + ", ".join(f"{name} = coalesce(:columns ->> '{name}', {name})" for name in TYPED),
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
    """What one transaction did: rows looked at and rows changed, and where it ended."""

    place: TextColumns
    rows: int
    changed: int
    keys: Mapping[tuple[str, str], int]
    """How many rows have a personal number in their key, by source and dataset."""
    last: tuple[Any, ...]


async def remask(
    engine: AsyncEngine, catalogue: Catalogue, *, today: date, batch: int = BATCH, after: str = ""
) -> AsyncIterator[MaskedBatch]:
    """Look at all rows, of enterprises behind `after`, table by table; what each transaction did."""
    for place in TEXT_COLUMNS:
        last: tuple[Any, ...] = (after,)
        while True:
            async with engine.begin() as connection:
                done = await _remask_some(connection, place, catalogue, last, batch, today)
            if done is None:
                break
            last = done.last
            yield done


async def _remask_some(
    connection: AsyncConnection,
    place: TextColumns,
    catalogue: Catalogue,
    last: tuple[Any, ...],
    batch: int,
    today: date,
) -> MaskedBatch | None:
    asked = {f"k{n}": value for n, value in enumerate(last)}
    found = await connection.execute(_some(place, len(last)), {**asked, "batch": batch})
    rows = found.all()
    if not rows:
        return None
    changed, keys = 0, Counter[tuple[str, str]]()
    for row in rows:
        if row.dataset not in catalogue.codes or not may_hold_personal_number((row.fields,)):
            continue
        dataset, held = catalogue.dataset(row.dataset), orjson.loads(row.fields)
        keys[row.source, row.dataset] += _has_a_number_in_its_key(dataset, held, today)
        told = _masked(dataset, held, today)
        if told != held:
            values = {f"k{n}": row[n] for n in range(len(place.key))}
            values |= {"fields": to_json(told), "columns": _columns(dataset, told)}
            put = await connection.execute(_put(place), {**values, "held": row.fields})
            changed += put.rowcount
    return MaskedBatch(
        place=place,
        rows=len(rows),
        changed=changed,
        keys=+keys,
        last=tuple(rows[-1][: len(place.key)]),
    )


def _masked(dataset: DatasetOf, fields: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The fields as intake would store them today; those of the key as they are."""
    kept = {*dataset.key, *sealed_fields(dataset)}
    of = {each.name: each for each in dataset.fields if each.name not in kept}
    return {
        name: without_personal_numbers(of[name], value, today=today) if name in of else value
        for name, value in fields.items()
    }


def _has_a_number_in_its_key(dataset: DatasetOf, fields: Mapping[str, Any], today: date) -> bool:
    texts = [
        each.name for each in dataset.fields if each.name in dataset.key and each.type in TEXTS
    ]
    return holds_personal_number([str(fields.get(name, "")) for name in texts], today=today)


def _columns(dataset: DatasetOf, fields: Mapping[str, Any]) -> str:
    """The text columns that these fields fill."""
    filled = ((column, fields.get(name)) for column, name in dataset.field_of.items())
    return to_json({column: value for column, value in filled if column in TYPED and value})


def _some(place: TextColumns, known: int) -> Any:  # a statement
    key = ", ".join(place.key)
    behind = ", ".join(place.key[:known])
    after = ", ".join(f"CAST(:k{n} AS {kind})" for n, kind in enumerate(place.types[:known]))
    return Statement(
        f"SELECT {key}, {place.dataset} AS dataset, {place.source} AS source, "  # noqa: S608
        f"CAST({place.fields} AS text) AS fields FROM {place.table} "
        f"WHERE ({behind}) > ({after}) ORDER BY {key} LIMIT :batch"
    )


def _put(place: TextColumns) -> Any:  # a statement
    matches = " AND ".join(f"{name} = :k{n}" for n, name in enumerate(place.key))
    put = place.put
    for name in ("fields", "columns"):
        put = put.replace(f":{name}", f"CAST(:{name} AS jsonb)")
    return Statement(
        f"UPDATE {place.table} SET {put} "  # noqa: S608
        f"WHERE {matches} AND {place.fields} = CAST(:held AS jsonb)"
    )
