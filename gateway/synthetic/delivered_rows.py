"""What a source delivers, and the record that it is here: the one is made of the other when asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.record_mapping import natural_key, typed_columns
from gateway.creditfile.records import REGISTRATION, Enterprise, Record
from gateway.synthetic.uscc_generator import authority_uscc
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
}
SOURCES: Final = {
    kind: (f"synthetic-{kind.replace('_', '-')}", name, authority_uscc(number))
    for number, (kind, name) in enumerate(_SOURCES.items(), start=1)
}
"""Of each source kind: id, name, USCC."""
_DATE_FIELDS: Final = ("established_on", "approved_on", "term_from", "term_to")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredRow:
    """One row of a delivery, as the source writes it on `day` at nine o'clock."""

    dataset: str
    fields: Mapping[str, Any]
    record_id: str
    day: date
    happened: Mapping[str, datetime]
    """`repaired_at` and the like: what the source said of the record later."""


@dataclass(frozen=True, kw_only=True)
class SyntheticEnterprise:
    """An enterprise with its file, as the sources deliver it, and what it is an example of."""

    uscc: str
    registration: DeliveredRow
    deliveries: tuple[DeliveredRow, ...]
    personal: Mapping[str, str] = field(repr=False)
    """By the catalogue's names; not sealed yet."""
    traits: frozenset[str]
    code_ok: bool = True
    unavailable: tuple[str, ...] = ()
    catalogue: Catalogue = field(repr=False, compare=False)

    @cached_property
    def enterprise(self) -> Enterprise:
        """The enterprise as it is kept, but for what is personal."""
        said = {
            name: value for name, value in self.registration.fields.items() if value is not None
        }
        kept: dict[str, Any] = {
            **said,
            **{name: date.fromisoformat(said[name]) for name in _DATE_FIELDS if name in said},
            "former_names": tuple(said["former_names"]),
            "capital": Decimal(said["capital"]),
        }
        source_id, source_name, source_uscc = SOURCES[self.catalogue.dataset(REGISTRATION).source]
        return Enterprise(
            **kept,
            registration_id=self.registration.record_id,
            name_key=strict_name(said["name"]),
            source_id=source_id,
            source_name=source_name,
            source_uscc=source_uscc,
            source_time=midnight(self.registration.day) + DELIVERY_TIME,
            received_at=midnight(self.registration.day) + DELIVERY_TIME,
            catalogue_version=self.catalogue.version,
            code_ok=self.code_ok,
            unavailable=self.unavailable,
        )

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """Its records as they are kept, but for the registration."""
        return tuple(self._record(each) for each in self.deliveries)

    def _record(self, of: DeliveredRow) -> Record:
        dataset = self.catalogue.dataset(of.dataset)
        source_id, source_name, source_uscc = SOURCES[dataset.source]
        columns: dict[str, Any] = {**typed_columns(dataset, of.fields), **of.happened}
        return Record(
            uscc=self.uscc,
            record_id=of.record_id,
            dataset=of.dataset,
            source_id=source_id,
            natural_key=natural_key(dataset, of.fields),
            source_name=source_name,
            source_uscc=source_uscc,
            source_time=midnight(of.day) + DELIVERY_TIME,
            received_at=midnight(of.day) + DELIVERY_TIME,
            catalogue_version=self.catalogue.version,
            fields=of.fields,
            **columns,
        )
