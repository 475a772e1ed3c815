"""Encoder of validated rows as lines of COPY's text format, with personal fields encrypted.

Encoding here is faster than the driver's, and can run in a reader process without a database.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import orjson

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.field_definition import COLUMNS
from gateway.creditfile.personal_fields import seal_enterprise, seal_record, sealed_row_name
from gateway.creditfile.record_mapping import sealed_fields
from gateway.creditfile.records import REGISTRATION
from gateway.ingest.merge.staging_table import COPY_NULL, ENTERPRISE_COLUMNS
from gateway.ingest.results import Source
from gateway.ingest.rows import iterate_rows
from gateway.ingest.validation.validate_columns import RowBatch
from gateway.privacy.field_encryption import Vault
from verification.normalise import strict_name

RowEncoder = Callable[[Sequence[int], Sequence[str], RowBatch], list[bytes]]
"""Takes row numbers, new record ids and the rows; returns lines without newlines. Raises
`UnicodeEncodeError` or `orjson.JSONEncodeError` for text that is not valid Unicode."""
_Seal = Callable[[dict[str, Any], str, str], tuple[bytes | None, str | None]]
_NONE: Final[Sequence[None]] = ()


class UnstorableRegistrationError(ValueError):
    """The catalogue has a field of `registration` without a column in `enterprise`."""


def row_encoder(
    catalogue: Catalogue, dataset_code: str, source: Source, vault: Vault
) -> RowEncoder:
    """The encoder of one dataset's rows for one source."""
    dataset = catalogue.dataset(dataset_code)
    if dataset_code == REGISTRATION:
        return _enterprise_encoder(dataset, vault)
    return _record_encoder(dataset, source, vault)


def _record_encoder(dataset: DatasetDefinition, source: Source, vault: Vault) -> RowEncoder:
    by_column = {each.column: each.name for each in dataset.fields if each.column}
    places = tuple(by_column.get(column, "") for column in COLUMNS)

    def lines(numbers: Sequence[int], ids: Sequence[str], batch: RowBatch) -> list[bytes]:
        typed = (_cells(batch.fields.get(name, _NONE), len(numbers)) for name in places)
        documents = [
            orjson.dumps(each).decode() for each in iterate_rows(batch.fields, len(numbers))
        ]
        if any("\\" in each for each in documents):
            documents = [each.replace("\\", "\\\\") for each in documents]
        prefixes = _escaped((*_head(numbers, ids, batch), *typed))
        return _join_lines(prefixes, documents, *_personal(batch, seal))

    def seal(personal: dict[str, Any], uscc: str, key: str) -> tuple[bytes | None, str | None]:
        return seal_record(
            vault, sealed_row_name(uscc, source.source_id, dataset.code, key), personal
        )

    return lines


def _enterprise_encoder(dataset: DatasetDefinition, vault: Vault) -> RowEncoder:
    sealed_names = sealed_fields(dataset)
    unknown = {each.name for each in dataset.fields} - {"uscc", *ENTERPRISE_COLUMNS, *sealed_names}
    if unknown:
        raise UnstorableRegistrationError(", ".join(sorted(unknown)))

    def lines(numbers: Sequence[int], ids: Sequence[str], batch: RowBatch) -> list[bytes]:
        fields = {
            **batch.fields,
            "name_key": list(map(strict_name, batch.fields["name"])),
            "former_names": list(
                map(_array, batch.fields.get("former_names", len(numbers) * ((),)))
            ),
            **_given_arrays(batch.fields.get("scope_industries")),
            "code_ok": ["t" if each else "f" for each in batch.codes_ok],
        }
        filled = (_cells(fields.get(name, _NONE), len(numbers)) for name in ENTERPRISE_COLUMNS)
        prefixes = _escaped((*_head(numbers, ids, batch), *filled))
        return _join_lines(prefixes, *_personal(batch, seal))

    def seal(personal: dict[str, Any], uscc: str, _key: str) -> tuple[bytes | None, str | None]:
        return seal_enterprise(vault, uscc, personal)

    return lines


def _head(numbers: Sequence[int], ids: Sequence[str], batch: RowBatch) -> Iterator[Sequence[str]]:
    yield from (list(map(str, numbers)), batch.usccs, batch.keys, ids)
    yield _cells(batch.times, len(numbers))


def _personal(batch: RowBatch, seal: _Seal) -> tuple[Sequence[str], Sequence[str]]:
    """Encrypted personal fields and their digests."""
    rows = iterate_rows(batch.personal, len(batch.keys))
    sealed, digests = zip(*map(seal, rows, batch.usccs, batch.keys), strict=True)
    return list(map(_bytes, sealed)), _cells(digests, len(digests))


def _cells(values: Sequence[Any], count: int) -> Sequence[str]:
    """Cells of a column; empty ones where no row has the field."""
    if not values:
        return (COPY_NULL,) * count
    if set(map(type, values)) == {str}:
        return values
    return [COPY_NULL if each is None else str(each) for each in values]


def _escaped(columns: Sequence[Sequence[str]]) -> list[str]:
    """The joined cells of each line, escaped; the common case without special characters is fast."""
    lines = list(map("\t".join, zip(*columns, strict=True)))
    joined = "\n".join(lines)
    if (
        joined.count("\t") == len(lines) * (len(columns) - 1)
        and joined.count("\n") == len(lines) - 1
        and not ("\\" in joined or "\r" in joined)
    ):
        return lines
    return list(map("\t".join, zip(*(map(_escape, each) for each in columns), strict=True)))


def _escape(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("\t", "\\t")
    return text.replace("\n", "\\n").replace("\r", "\\r")


def _join_lines(*parts: Sequence[str]) -> list[bytes]:
    """Join the parts of each line and encode as UTF-8."""
    lines = map("\t".join, zip(*parts, strict=True))
    return "\n".join(lines).encode().split(b"\n")


def _bytes(value: bytes | None) -> str:
    return COPY_NULL if value is None else f"\\\\x{value.hex()}"


def _given_arrays(column: Sequence[Sequence[str] | None] | None) -> dict[str, Sequence[str]]:
    """The column `scope_industries`, in which an omitted list is unknown and not empty."""
    if column is None:
        return {}
    return {"scope_industries": [COPY_NULL if each is None else _array(each) for each in column]}


def _array(texts: Iterable[str] | None) -> str:
    """PostgreSQL's array literal of texts."""
    if not texts:
        return "{}"
    quoted = (f'"{each}"' for each in (t.replace("\\", "\\\\").replace('"', '\\"') for t in texts))
    return f"{{{','.join(quoted)}}}"
