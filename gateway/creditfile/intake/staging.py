"""A batch reaches PostgreSQL as one COPY into a temporary table of its connection's own.

The lines are made here, in the text format of COPY: cheaper than the driver's own encoding, and
they can be made in another process than the one that speaks to the database.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import orjson

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.intake.verdicts import Accepted, Source, Warned
from gateway.creditfile.mapping import sealed_fields
from gateway.creditfile.personal import (
    digests_for_record,
    digests_of,
    row_of_record,
    seal_for_record,
    seal_personal,
)
from gateway.creditfile.records import REGISTRATION
from gateway.creditfile.schema import COLUMNS, DatasetOf
from gateway.creditfile.vault import Vault
from verification.normalise import strict_name

ID_BYTES: Final = 12
NULL: Final = ""
"""Stands for no value in a cell: no value that is taken is empty."""
_HEAD: Final = ("row", "uscc", "natural_key", "record_id", "source_time")
_TAIL: Final = ("personal", "digests")

OF_ENTERPRISE: Final = (
    "name",
    "name_key",
    "former_names",
    "kind",
    "entity_type",
    "status",
    "legal_representative",
    "capital",
    "currency",
    "established_on",
    "approved_on",
    "term_from",
    "term_to",
    "registering_authority",
    "division",
    "industry",
    "scope",
    "address",
    "code_ok",
)
"""The columns of `enterprise` that a delivery fills."""


class UnstorableRegistrationError(ValueError):
    """The catalogue has a field of `registration` for which the table of enterprises has no place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where rows of a dataset go: the table, and the columns that a delivery fills."""

    table: str
    id_column: str
    filled: tuple[str, ...]

    @property
    def staged(self) -> str:
        """The name of the temporary table."""
        return f"staged_{self.table}"

    @property
    def held(self) -> str:
        """The name of the temporary table of what is held under the same keys."""
        return f"held_{self.table}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a line, in order."""
        return (*_HEAD, *self.filled, *_TAIL)


ENTERPRISE: Final = Target(table="enterprise", id_column="registration_id", filled=OF_ENTERPRISE)
RECORD: Final = Target(table="record", id_column="record_id", filled=(*COLUMNS, "fields"))


def target_of(dataset_code: str) -> Target:
    """Registrations are kept as enterprises, everything else as records."""
    return ENTERPRISE if dataset_code == REGISTRATION else RECORD


Liner = Callable[[int, Accepted, str], str]
"""Of a row's number, the row and a new id: its line, without the newline."""


def liner_for(catalogue: Catalogue, dataset_code: str, source: Source, vault: Vault) -> Liner:
    """What writes the lines of this dataset's rows, sealed for this source."""
    dataset = catalogue.dataset(dataset_code)
    if target_of(dataset_code) is ENTERPRISE:
        return _enterprise_liner(dataset, vault)
    return _record_liner(dataset, source, vault)


def _record_liner(dataset: DatasetOf, source: Source, vault: Vault) -> Liner:
    by_column = {each.column: each.name for each in dataset.fields if each.column}
    places = tuple(by_column.get(column) for column in COLUMNS)
    source_id, code = source.source_id, dataset.code

    def line(number: int, row: Accepted, new_id: str) -> str:
        fields, personal = row.fields, row.personal
        sealed, digests = NULL, NULL
        if personal:
            place = row_of_record(row.uscc, source_id, code, row.key)
            sealed = _bytes(seal_for_record(vault, place, personal))
            digests = orjson.dumps(digests_for_record(vault, place, personal)).decode()
        head = _head(number, row, new_id)
        head += [str(fields[n]) if n is not None and n in fields else NULL for n in places]
        document = orjson.dumps(fields).decode().replace("\\", "\\\\")
        return "\t".join((_cells(head), document, sealed, digests))

    return line


def _enterprise_liner(dataset: DatasetOf, vault: Vault) -> Liner:
    sealed = sealed_fields(dataset)
    homeless = {each.name for each in dataset.fields} - {"uscc", *OF_ENTERPRISE, *sealed}
    if homeless:
        raise UnstorableRegistrationError(", ".join(sorted(homeless)))

    def line(number: int, row: Accepted, new_id: str) -> str:
        fields, personal = dict(row.fields), row.personal
        fields["name_key"] = strict_name(fields["name"])
        fields["former_names"] = _array(fields.get("former_names", ()))
        fields["code_ok"] = "f" if Warned.CHECK_CHARACTER in row.warnings else "t"
        cells = _head(number, row, new_id)
        cells += [fields.get(name, NULL) for name in OF_ENTERPRISE]
        sealed = _bytes(seal_personal(vault, row.uscc, personal)) if personal else NULL
        digests = orjson.dumps(digests_of(vault, row.uscc, personal)).decode()
        return "\t".join((_cells(cells), sealed, digests))

    return line


def _head(number: int, row: Accepted, new_id: str) -> list[str]:
    time = NULL if row.source_time is None else row.source_time.isoformat()
    return [str(number), row.uscc, row.key, new_id, time]


def _cells(texts: list[str]) -> str:
    """Cells of COPY's text format; most have nothing to escape, which is seen at once for all."""
    joined = "\t".join(texts)
    if joined.count("\t") < len(texts) and not ("\\" in joined or "\n" in joined or "\r" in joined):
        return joined
    return "\t".join(map(_escaped, texts))


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("\t", "\\t")
    return text.replace("\n", "\\n").replace("\r", "\\r")


def _bytes(value: bytes) -> str:
    return f"\\\\x{value.hex()}"


def _array(texts: Iterable[str]) -> str:
    """PostgreSQL's literal of an array of texts."""
    quoted = (f'"{each}"' for each in (t.replace("\\", "\\\\").replace('"', '\\"') for t in texts))
    return f"{{{','.join(quoted)}}}"
