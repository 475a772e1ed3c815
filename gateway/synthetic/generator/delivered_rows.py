"""Synthetic enterprises as rows delivered by sources, and as stored records derived from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.record_mapping import natural_key, typed_columns
from gateway.creditfile.records import Enterprise, Record
from gateway.synthetic.generator.uscc_generator import authority_uscc
from verification.normalise import strict_name

DELIVERY_TIME: Final = timedelta(hours=9)
_SOURCES: Final = {
    "market_regulation": "市场监督管理部门（合成数据）",
    "approving_authority": "行政审批部门（合成数据）",
    "law_enforcement": "行政执法部门（合成数据）",
    "court": "人民法院（合成数据）",
    "accepting_authority": "承诺受理部门（合成数据）",
    "inspecting_authority": "监督检查部门（合成数据）",
    "honouring_authority": "表彰部门（合成数据）",
    "credit_centre": "公共信用中心（合成数据）",
    "industry_authority": "行业主管部门（合成数据）",
    "credit_service_agency": "信用服务机构（合成数据）",
    "enterprise": "经营主体自行填报（合成数据）",
    "tax_and_social": "税务和社保部门（合成数据）",
    "customs": "海关（合成数据）",
}
SOURCES: Final = {
    kind: (f"synthetic-{kind.replace('_', '-')}", name, authority_uscc(number))
    for number, (kind, name) in enumerate(_SOURCES.items(), start=1)
}
"""Id, name and USCC of each kind of source."""
_DATE_FIELDS: Final = (
    "established_on",
    "approved_on",
    "term_from",
    "term_to",
    "small_or_micro_on",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredRow:
    """One row of a source: its own time is `day` at 9:00, and it is received on `received_on` at 9:00."""

    dataset: str
    fields: Mapping[str, Any]
    record_id: str
    day: date
    events: Mapping[str, datetime]
    """Later events on the record, such as `repaired_at`."""
    received_on: date | None = None
    """The day of receipt, if it is another."""


@dataclass(frozen=True, kw_only=True)
class SyntheticEnterprise:
    """An enterprise with its credit file as delivered, and its traits."""

    uscc: str
    registration: DeliveredRow
    deliveries: tuple[DeliveredRow, ...]
    personal: Mapping[str, str] = field(repr=False)
    """Personal fields by catalogue name, in plain text."""
    traits: frozenset[str]
    sign_name: str = ""
    """The name on its sign, which is not the registered one."""
    code_ok: bool = True
    unavailable: tuple[str, ...] = ()
    catalogue: Catalogue = field(repr=False, compare=False)

    @cached_property
    def enterprise(self) -> Enterprise:
        """The stored enterprise, without personal fields."""
        given = {
            name: value for name, value in self.registration.fields.items() if value is not None
        }
        values: dict[str, Any] = {
            **given,
            **{name: date.fromisoformat(given[name]) for name in _DATE_FIELDS if name in given},
            "former_names": tuple(given["former_names"]),
            "capital": Decimal(given["capital"]) if "capital" in given else None,
            "scope_industries": tuple(given["scope_industries"]),
        }
        return Enterprise(
            **values,
            **self._provenance(self.registration),
            registration_id=self.registration.record_id,
            name_key=strict_name(given["name"]),
            code_ok=self.code_ok,
            unavailable=self.unavailable,
        )

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The stored records, without the registration."""
        return tuple(self._record(each) for each in self.deliveries)

    def _record(self, row: DeliveredRow) -> Record:
        dataset = self.catalogue.dataset(row.dataset)
        columns: dict[str, Any] = {**typed_columns(dataset, row.fields), **row.events}
        return Record(
            uscc=self.uscc,
            record_id=row.record_id,
            dataset=row.dataset,
            natural_key=natural_key(dataset, row.fields),
            fields=row.fields,
            **self._provenance(row),
            **columns,
        )

    def _provenance(self, row: DeliveredRow) -> dict[str, Any]:
        source_id, source_name, source_uscc = SOURCES[self.catalogue.dataset(row.dataset).source]
        received_on = row.received_on or row.day
        return {
            "source_id": source_id,
            "source_name": source_name,
            "source_uscc": source_uscc,
            "source_time": midnight(row.day) + DELIVERY_TIME,
            "received_at": midnight(received_on) + DELIVERY_TIME,
            "catalogue_version": self.catalogue.version,
        }
