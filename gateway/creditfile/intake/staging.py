"""A batch reaches PostgreSQL as one COPY into a temporary table of its connection's own.

The lines are made here, in the text format of COPY: cheaper than the driver's own encoding, and
they can be made in another process than the one that speaks to the database.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.intake.codes import check_agrees
from gateway.creditfile.intake.verdicts import Accepted, Source
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
_NULL: Final = "\\N"
_SPECIAL: Final = re.compile(r"[\\\t\n\r]")
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
    dumps, search = orjson.dumps, _SPECIAL.search

    def line(number: int, row: Accepted, new_id: str) -> str:
        fields, personal = row.fields, row.personal
        sealed, digests = _NULL, _NULL
        if personal:
            place = row_of_record(row.uscc, source_id, code, row.key)
            sealed = f"\\\\x{seal_for_record(vault, place, personal).hex()}"
            digests = dumps(digests_for_record(vault, place, personal)).decode()
        key = row.key
        cells = [
            str(number),
            row.uscc,
            key if search(key) is None else _escaped(key),
            new_id,
            _NULL if row.source_time is None else row.source_time.isoformat(),
        ]
        for name in places:
            value = fields.get(name) if name is not None else None
            if value is None:
                cells.append(_NULL)
            else:
                text = value if type(value) is str else str(value)
                cells.append(text if search(text) is None else _escaped(text))
        cells += (dumps(fields).decode().replace("\\", "\\\\"), sealed, digests)
        return "\t".join(cells)

    return line


def _enterprise_liner(dataset: DatasetOf, vault: Vault) -> Liner:
    sealed = sealed_fields(dataset)
    homeless = {each.name for each in dataset.fields} - {"uscc", *OF_ENTERPRISE, *sealed}
    if homeless:
        raise UnstorableRegistrationError(", ".join(sorted(homeless)))

    def line(number: int, row: Accepted, new_id: str) -> str:
        fields, personal = row.fields, row.personal
        made: Mapping[str, Any] = {
            **fields,
            "name_key": strict_name(fields["name"]),
            "former_names": _array(fields.get("former_names", ())),
            "code_ok": "t" if check_agrees(row.uscc) else "f",
        }
        texts = (made.get(name) for name in OF_ENTERPRISE)
        return "\t".join(
            (
                str(number),
                row.uscc,
                row.uscc,
                new_id,
                _NULL if row.source_time is None else row.source_time.isoformat(),
                *(_NULL if text is None else _escaped(text) for text in texts),
                f"\\\\x{seal_personal(vault, row.uscc, personal).hex()}" if personal else _NULL,
                orjson.dumps(digests_of(vault, row.uscc, personal)).decode(),
            ),
        )

    return line


def _escaped(text: str) -> str:
    """A text as a cell of COPY's text format."""
    if _SPECIAL.search(text) is None:
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _array(texts: Iterable[str]) -> str:
    """PostgreSQL's literal of an array of texts."""
    quoted = (f'"{each}"' for each in (t.replace("\\", "\\\\").replace('"', '\\"') for t in texts))
    return f"{{{','.join(quoted)}}}"
