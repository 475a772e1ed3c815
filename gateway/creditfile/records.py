"""Enterprise and record as read from the database; immutable.

`disclosure_policy` decides what of them is disclosed, and to whom.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Self, TypeVar

from gateway.creditfile.local_dates import day_of, last_day_of

REGISTRATION: Final = "registration"
INDIVIDUAL_BUSINESS: Final = "individual_business"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One fact in a credit file (信用记录), of one dataset, from one source."""

    uscc: str
    record_id: str
    dataset: str
    source_id: str
    natural_key: str
    version: int = 1
    source_name: str
    source_uscc: str | None = None
    source_time: datetime
    catalogue_version: str
    decided_on: date | None = None
    determined_on: date | None = None
    published_on: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    publicity_ends_on: date | None = None
    """Last day of publicity."""
    removed_on: date | None = None
    """First day off its list."""
    level: str | None = None
    severity: str | None = None
    category: str | None = None
    period: str | None = None
    repaired_at: datetime | None = None
    suspended_at: datetime | None = None
    withdrawn_at: datetime | None = None
    objection_since: datetime | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    received_at: datetime | None = None
    """Time of receipt of this version."""
    personal: bytes | None = field(default=None, repr=False)
    """Ciphertext; see `personal_fields.open_record`."""
    digests: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def day(self) -> date | None:
        """Its day of decision, else the last day of its period, if it has either."""
        return self.decided_on or (last_day_of(self.period) if self.period else None)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """A record from a row of the table `record` as JSON."""
        return _made(cls, row)

    @classmethod
    def from_columns(cls, values: Sequence[Any]) -> Self:
        """A record from the JSON of its columns, in the order of `RECORD_COLUMNS`."""
        return _filled(cls, dict(zip(RECORD_COLUMNS, values, strict=True)))


def newest_first(record: Record) -> tuple[int, int, str, str]:
    """Sort key of the records of a dataset; of one day by their keys, as 2 before 10, without a day last."""
    day, key = record.day, record.natural_key
    return -day.toordinal() if day else 0, len(key), key, record.record_id


@dataclass(frozen=True, kw_only=True)
class Enterprise:
    """A firm, individual business or farmers' cooperative (经营主体), as registered."""

    uscc: str
    registration_id: str
    version: int = 1
    name: str
    name_key: str
    former_names: tuple[str, ...] = ()
    kind: str
    entity_type: str
    status: str
    legal_representative: str
    capital: Decimal | None = None
    currency: str | None = None
    established_on: date | None = None
    approved_on: date | None = None
    term_from: date | None = None
    term_to: date | None = None
    registering_authority: str | None = None
    division: str
    industry: str | None = None
    scope: str | None = None
    address: str | None = None
    small_or_micro: bool | None = None
    small_or_micro_on: date | None = None
    scope_industries: tuple[str, ...] | None = None
    source_id: str
    source_name: str
    source_uscc: str | None = None
    source_time: datetime
    catalogue_version: str
    objection_since: datetime | None = None
    code_ok: bool = True
    unavailable: tuple[str, ...] = ()
    personal: bytes | None = field(default=None, repr=False)
    """Ciphertext; see `personal_fields.open_enterprise`."""
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Keyed digests in hexadecimal, by name."""
    received_at: datetime | None = None
    """Time of receipt of this version."""

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """An enterprise from a row of the table `enterprise` as JSON."""
        return _made(cls, row)

    @classmethod
    def from_columns(cls, values: Sequence[Any]) -> Self:
        """An enterprise from the JSON of its columns, in the order of `ENTERPRISE_COLUMNS`."""
        return _filled(cls, dict(zip(ENTERPRISE_COLUMNS, values, strict=True)))


_SAME_IN_REGISTRATION: Final = (
    "uscc",
    "name",
    "kind",
    "entity_type",
    "status",
    "legal_representative",
    "currency",
    "registering_authority",
    "division",
    "industry",
    "scope",
    "address",
    "small_or_micro",
)
_SAME_IN_RECORD: Final = (
    "uscc",
    "source_id",
    "version",
    "source_name",
    "source_uscc",
    "source_time",
    "catalogue_version",
    "objection_since",
)
_DATES_IN_REGISTRATION: Final = (
    "established_on",
    "approved_on",
    "term_from",
    "term_to",
    "small_or_micro_on",
)


def registration_of(
    enterprise: Enterprise, personal: Mapping[str, str] = MappingProxyType({})
) -> Record:
    """The registration as a record, so that the same disclosure rules apply.

    `personal` are decrypted personal fields, if the caller may read them.
    """
    members = vars(enterprise)
    fields: dict[str, Any] = {
        name: value for name in _SAME_IN_REGISTRATION if (value := members[name]) is not None
    }
    for name in _DATES_IN_REGISTRATION:
        if (day := members[name]) is not None:
            fields[name] = day.isoformat()
    fields["former_names"] = list(enterprise.former_names)
    if enterprise.scope_industries is not None:
        fields["scope_industries"] = list(enterprise.scope_industries)
    if enterprise.capital is not None:
        fields["capital"] = f"{enterprise.capital:.6f}"
    return _with_members(
        Record,
        {
            **_EMPTY_RECORD,
            **{name: members[name] for name in _SAME_IN_RECORD},
            "record_id": enterprise.registration_id,
            "dataset": REGISTRATION,
            "natural_key": enterprise.uscc,
            "decided_on": enterprise.approved_on or day_of(enterprise.source_time),
            "fields": {**fields, **personal},
        },
    )


_moment: Final = lru_cache(maxsize=4096)(datetime.fromisoformat)  # a delivery's rows have one time
_PARSERS: Final[Mapping[object, Callable[[Any], Any]]] = {
    date | None: date.fromisoformat,
    datetime: _moment,
    datetime | None: _moment,
    Decimal | None: Decimal,
    tuple[str, ...]: tuple,
    tuple[str, ...] | None: tuple,
    bytes | None: lambda value: bytes.fromhex(value.removeprefix("\\x")),
}


_Model = TypeVar("_Model", bound=Record | Enterprise)
_MODELS: Final = (Record, Enterprise)
RECORD_COLUMNS: Final = tuple(each.name for each in fields_of(Record))
ENTERPRISE_COLUMNS: Final = tuple(each.name for each in fields_of(Enterprise))
_EMPTY_RECORD: Final = dict.fromkeys(RECORD_COLUMNS)
_NAMES: Final[Mapping[type, AbstractSet[str]]] = {
    model: {each.name for each in fields_of(model)} for model in _MODELS
}
_PARSED: Final[Mapping[type, Sequence[tuple[str, Callable[[Any], Any]]]]] = {
    model: [(each.name, _PARSERS[each.type]) for each in fields_of(model) if each.type in _PARSERS]
    for model in _MODELS
}
"""Columns whose JSON has another form than the member, with its parser."""


def _made(model: type[_Model], row: dict[str, Any]) -> _Model:
    """An instance from a row."""
    if row.keys() == _NAMES[model]:
        return _filled(model, {**row})
    # a former version, from before a column was added
    parsed = {name: parse(row[name]) for name, parse in _PARSED[model] if row.get(name) is not None}
    return model(**{**row, **parsed})


def _filled(model: type[_Model], members: dict[str, Any]) -> _Model:
    """An instance of these members, as JSON has them."""
    for name, parse in _PARSED[model]:
        if members[name] is not None:
            members[name] = parse(members[name])
    return _with_members(model, members)


def _with_members(model: type[_Model], members: dict[str, Any]) -> _Model:
    """An instance of these members, all of them. A frozen class's constructor takes thrice as long."""
    made = object.__new__(model)
    object.__setattr__(made, "__dict__", members)
    return made
