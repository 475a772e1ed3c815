"""Rows that are taken become lines of COPY's text format, sealed for the source that delivers them.

The lines are made here, not by the driver: it costs less, and they can be made in another process than
the one that speaks to the database.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import orjson

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import COLUMNS, DatasetOf
from gateway.creditfile.personal_fields import row_of_record, seal_of_enterprise, seal_of_record
from gateway.creditfile.record_mapping import sealed_fields
from gateway.creditfile.records import REGISTRATION
from gateway.ingest.results import Source
from gateway.ingest.staging_table import NULL, OF_ENTERPRISE
from gateway.ingest.validate_columns import RowBatch, rows_of
from gateway.privacy.field_encryption import Vault
from verification.normalise import strict_name

Liner = Callable[[Sequence[int], Sequence[str], RowBatch], list[bytes]]
"""Of the rows' numbers, new ids and the rows: their lines, without the newlines. Raises
`UnicodeEncodeError` or `orjson.JSONEncodeError` where one has bytes that are no characters."""
_Seal = Callable[[dict[str, Any], str, str], tuple[bytes | None, str | None]]
_NONE: Final[Sequence[None]] = ()


class UnstorableRegistrationError(ValueError):
    """The catalogue has a field of `registration` for which the table of enterprises has no place."""


def liner_for(catalogue: Catalogue, dataset_code: str, source: Source, vault: Vault) -> Liner:
    """What writes the lines of this dataset's rows."""
    dataset = catalogue.dataset(dataset_code)
    if dataset_code == REGISTRATION:
        return _enterprise_liner(dataset, vault)
    return _record_liner(dataset, source, vault)


def _record_liner(dataset: DatasetOf, source: Source, vault: Vault) -> Liner:
    by_column = {each.column: each.name for each in dataset.fields if each.column}
    places = tuple(by_column.get(column, "") for column in COLUMNS)

    def lines(numbers: Sequence[int], ids: Sequence[str], lot: RowBatch) -> list[bytes]:
        typed = (_cells(lot.fields.get(name, _NONE), len(numbers)) for name in places)
        documents = [orjson.dumps(each).decode() for each in rows_of(lot.fields, len(numbers))]
        if any("\\" in each for each in documents):
            documents = [each.replace("\\", "\\\\") for each in documents]
        begun = _escaped((*_head(numbers, ids, lot), *typed))
        return _whole(begun, documents, *_personal(lot, seal))

    def seal(personal: dict[str, Any], uscc: str, key: str) -> tuple[bytes | None, str | None]:
        return seal_of_record(
            vault, row_of_record(uscc, source.source_id, dataset.code, key), personal
        )

    return lines


def _enterprise_liner(dataset: DatasetOf, vault: Vault) -> Liner:
    sealed_ones = sealed_fields(dataset)
    homeless = {each.name for each in dataset.fields} - {"uscc", *OF_ENTERPRISE, *sealed_ones}
    if homeless:
        raise UnstorableRegistrationError(", ".join(sorted(homeless)))

    def lines(numbers: Sequence[int], ids: Sequence[str], lot: RowBatch) -> list[bytes]:
        fields = {
            **lot.fields,
            "name_key": list(map(strict_name, lot.fields["name"])),
            "former_names": list(map(_array, lot.fields.get("former_names", len(numbers) * ((),)))),
            "code_ok": ["t" if each else "f" for each in lot.codes_ok],
        }
        filled = (_cells(fields.get(name, _NONE), len(numbers)) for name in OF_ENTERPRISE)
        begun = _escaped((*_head(numbers, ids, lot), *filled))
        return _whole(begun, *_personal(lot, seal))

    def seal(personal: dict[str, Any], uscc: str, _key: str) -> tuple[bytes | None, str | None]:
        return seal_of_enterprise(vault, uscc, personal)

    return lines


def _head(numbers: Sequence[int], ids: Sequence[str], lot: RowBatch) -> Iterator[Sequence[str]]:
    yield from (list(map(str, numbers)), lot.usccs, lot.keys, ids)
    yield _cells(lot.times, len(numbers))


def _personal(lot: RowBatch, seal: _Seal) -> tuple[Sequence[str], Sequence[str]]:
    """What was sealed, and the digests."""
    rows = rows_of(lot.personal, len(lot.keys))
    sealed, digests = zip(*map(seal, rows, lot.usccs, lot.keys), strict=True)
    return list(map(_bytes, sealed)), _cells(digests, len(digests))


def _cells(values: Sequence[Any], count: int) -> Sequence[str]:
    """As many cells, all of them empty where no row has the field."""
    if not values:
        return (NULL,) * count
    if set(map(type, values)) == {str}:
        return values
    return [NULL if each is None else str(each) for each in values]


def _escaped(columns: Sequence[Sequence[str]]) -> list[str]:
    """The cells of each line; most have nothing to escape, which is seen at once for all."""
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


def _whole(*parts: Sequence[str]) -> list[bytes]:
    """Each line in UTF-8."""
    lines = map("\t".join, zip(*parts, strict=True))
    return "\n".join(lines).encode().split(b"\n")


def _bytes(value: bytes | None) -> str:
    return NULL if value is None else f"\\\\x{value.hex()}"


def _array(texts: Iterable[str] | None) -> str:
    """PostgreSQL's literal of an array of texts."""
    if not texts:
        return "{}"
    quoted = (f'"{each}"' for each in (t.replace("\\", "\\\\").replace('"', '\\"') for t in texts))
    return f"{{{','.join(quoted)}}}"
