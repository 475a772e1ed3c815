"""An enterprise in the making. Whatever it is made of comes from its own random stream."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.days import midnight
from gateway.creditfile.mapping import columns_of, natural_key
from gateway.creditfile.records import Enterprise, Record
from gateway.synthetic.codes import an_authoritys_code
from gateway.synthetic.divisions import Division
from gateway.synthetic.naming import Naming
from gateway.synthetic.people import Person
from verification.normalise import strict_name

OPENING: Final = timedelta(hours=9)
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
    kind: (f"synthetic-{kind.replace('_', '-')}", name, an_authoritys_code(number))
    for number, (kind, name) in enumerate(_SOURCES.items(), start=1)
}
"""Of each source kind: id, name, USCC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticEnterprise:
    """An enterprise with its file, as the sources deliver it, and what it is an example of."""

    enterprise: Enterprise
    records: tuple[Record, ...]
    personal: Mapping[str, str] = field(repr=False)
    """By the catalogue's names; not sealed yet."""
    traits: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Draft:
    """What a trait may still change before the enterprise is finished."""

    rng: random.Random
    today: date
    catalogue: Catalogue
    uscc: str
    kind: str
    division: Division
    naming: Naming
    person: Person
    name: str
    legal_representative: str
    established_on: date
    address: str
    status: str = "active"
    former_names: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    code_ok: bool = True
    traits: set[str] = field(default_factory=set)
    records: list[Record] = field(default_factory=list)

    def before(self, most: int, least: int = 1) -> date:
        """A day between `least` and `most` days before today, though not before its founding."""
        return max(self.today - timedelta(days=self.rng.randint(least, most)), self.established_on)

    def morning(self, days_ago: int) -> datetime:
        """Nine o'clock in Shanghai, so many days ago."""
        return midnight(self.today - timedelta(days=days_ago)) + OPENING

    def an_id(self) -> str:
        """An opaque id."""
        return f"{self.rng.getrandbits(96):024x}"

    def number(self, prefix: str, day: date) -> str:
        """A document's number, which no other of this file has."""
        return f"{prefix}〔{day.year}〕{self.rng.randrange(10_000):04}{len(self.records):03}号"

    def authority(self, of: str) -> str:
        """The division's authority for something."""
        return f"{self.division.name}{of}局"

    def add(self, dataset_code: str, fields: Mapping[str, Any], **happened: datetime) -> None:
        """Put a record into the file; `happened` are `repaired_at` and the like."""
        dataset = self.catalogue.dataset(dataset_code)
        source_id, source_name, source_uscc = SOURCES[dataset.source]
        columns = columns_of(dataset, fields)
        decided_on = columns.get("decided_on") or self.before(20)
        filled: dict[str, Any] = {**columns, **happened}
        self.records.append(
            Record(
                uscc=self.uscc,
                record_id=self.an_id(),
                dataset=dataset_code,
                source_id=source_id,
                natural_key=natural_key(dataset, fields),
                source_name=source_name,
                source_uscc=source_uscc,
                source_time=midnight(decided_on) + OPENING,
                received_at=midnight(decided_on) + OPENING,
                catalogue_version=self.catalogue.version,
                fields=fields,
                **filled,
            ),
        )

    def finished(self) -> SyntheticEnterprise:
        """The enterprise as it now is."""
        return SyntheticEnterprise(
            enterprise=self._enterprise(),
            records=tuple(self.records),
            personal={
                "legal_representative_id_type": "居民身份证",
                "legal_representative_id_number": self.person.id_number,
                "phone": self.person.phone,
                "home_address": self.person.home_address,
            },
            traits=frozenset(self.traits),
        )

    def _enterprise(self) -> Enterprise:
        source_id, source_name, source_uscc = SOURCES["market_regulation"]
        approved_on = max(self.established_on, self.before(400))
        thousands = int(self.rng.lognormvariate(4.6, 1.4)) + 1
        return Enterprise(
            uscc=self.uscc,
            registration_id=self.an_id(),
            name=self.name,
            name_key=strict_name(self.name),
            former_names=self.former_names,
            kind=self.kind,
            entity_type=self.naming.entity_type,
            status=self.status,
            legal_representative=self.legal_representative,
            capital=Decimal(thousands).quantize(Decimal("0.000001")),
            currency="CNY",
            established_on=self.established_on,
            approved_on=approved_on,
            term_from=self.established_on,
            registering_authority=self.authority("市场监督管理"),
            division=self.division.code,
            industry=self.naming.industry.code,
            scope=f"{self.naming.industry.scope}（依法须经批准的项目，经相关部门批准后方可开展经营活动）。",
            address=self.address,
            source_id=source_id,
            source_name=source_name,
            source_uscc=source_uscc,
            source_time=midnight(approved_on) + OPENING,
            received_at=midnight(approved_on) + OPENING,
            catalogue_version=self.catalogue.version,
            code_ok=self.code_ok,
            unavailable=self.unavailable,
        )
