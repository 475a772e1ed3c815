"""Builder of one synthetic enterprise, from its own seeded random stream."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, REGISTRATION
from gateway.synthetic.generator.company_names import CompanyName, sign_name
from gateway.synthetic.generator.delivered_rows import (
    DELIVERY_TIME,
    DeliveredRow,
    SyntheticEnterprise,
)
from gateway.synthetic.generator.divisions import Division
from gateway.synthetic.generator.people import SyntheticPerson
from gateway.synthetic.generator.rating_reasons import with_indicators

_DECIDED: Final = "decided_on"
_SMALL_CAPITAL: Final = 2_000
"""In 万元."""
_ON_APPROVAL: Final = "（依法须经批准的项目，经相关部门批准后方可开展经营活动）。"
_LATE_IN_A_HUNDRED: Final = {"penalty": 22, "licence": 8, "inspection": 5, "commitment": 4}
"""How often a source delivers a record weeks late, for the figures of data quality."""
_WEEKS_LATE: Final = (3, 7)


def _days_late(dataset: str, record_id: str) -> int:
    """Days from a record's own day to its receipt, by its id alone; mostly none."""
    chance, span = divmod(int(record_id[:8], 16), 2**16)
    if chance % 100 >= _LATE_IN_A_HUNDRED.get(dataset, 0):
        return 0
    least, most = _WEEKS_LATE
    return 7 * least + span % (7 * (most - least))


@dataclass(slots=True, kw_only=True)
class EnterpriseBuilder:
    """A mutable enterprise that traits change before it is built."""

    rng: random.Random
    today: date
    catalogue: Catalogue
    uscc: str
    kind: str
    division: Division
    company_name: CompanyName
    person: SyntheticPerson
    name: str
    legal_representative: str
    established_on: date
    address: str
    status: str = "active"
    former_names: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    code_ok: bool = True
    traits: set[str] = field(default_factory=set)
    deliveries: list[DeliveredRow] = field(default_factory=list)
    _numbers: set[str] = field(default_factory=set)

    def past_day(self, most: int, least: int = 1) -> date:
        """A day `least` to `most` days ago, not before the founding."""
        return max(self.today - timedelta(days=self.rng.randint(least, most)), self.established_on)

    def morning(self, days_ago: int) -> datetime:
        """9:00 in Shanghai, `days_ago` days ago."""
        return midnight(self.today - timedelta(days=days_ago)) + DELIVERY_TIME

    def random_id(self) -> str:
        """A random id of 96 bits."""
        return f"{self.rng.getrandbits(96):024x}"

    def document_number(self, word: str, day: date) -> str:
        """A number as the offices write it, such as 杭西市监处罚〔2026〕12号; unique in this file."""
        return self.numbered(f"{self.division.initials}{word}", day)

    def numbered(self, prefix: str, day: date) -> str:
        """A document number with this prefix, unique in this file."""
        return self.unique(self.rng.randint(1, 900), lambda n: f"{prefix}〔{day.year}〕{n}号")

    def case_number(self, kind: str, day: date) -> str:
        """A court's case number, such as （2026）浙0106执123号; unique in this file."""
        court = f"（{day.year}）浙{self.division.code[2:]}{kind}"
        return self.unique(self.rng.randint(1, 9_000), lambda n: f"{court}{n}号")

    def unique(self, number: int, text: Callable[[int], str]) -> str:
        """The first text that is new in this file, of `number` and those after it."""
        while (found := text(number)) in self._numbers:
            number += 1
        self._numbers.add(found)
        return found

    @property
    def court(self) -> str:
        """The division's court."""
        return f"{self.division.office}人民法院"

    @property
    def tax_office(self) -> str:
        """The division's tax authority."""
        return f"国家税务总局{self.division.office}税务局"

    def authority(self, field: str) -> str:
        """The authority for a field of administration; of some fields a city's, or the province's."""
        if field == "通信管理":
            return "浙江省通信管理局"
        if field == "生态环境":
            name = self.division.name
            branch = f"{name[:-1] if len(name) > 2 else name}分局"  # noqa: PLR2004
            return f"{self.division.city}市生态环境局{branch}"
        return f"{self.division.office}{field}局"

    def add(
        self, code: str, events: Mapping[str, datetime] | None = None, /, **fields: Any
    ) -> None:
        """Add a record to the file; `events` are later ones, such as `repaired_at`."""
        decided_on = fields.get(self.catalogue.dataset(code).field_of.get(_DECIDED, ""))
        day = date.fromisoformat(decided_on) if decided_on else self.past_day(20)
        record_id = self.random_id()
        late_on = day + timedelta(days=_days_late(code, record_id))
        row = DeliveredRow(
            dataset=code,
            fields=fields,
            record_id=record_id,
            day=day,
            events=events or {},
            received_on=late_on if late_on < self.today and not events else None,
        )
        self.deliveries.append(row)

    def build(self) -> SyntheticEnterprise:
        """Build the enterprise."""
        return SyntheticEnterprise(
            uscc=self.uscc,
            registration=self._registration(),
            deliveries=with_indicators(self.deliveries, self.catalogue),
            personal={
                "legal_representative_id_type": "居民身份证",
                "legal_representative_id_number": self.person.id_number,
                "phone": self.person.phone,
                "home_address": self.person.home_address,
            },
            traits=frozenset(self.traits),
            sign_name=sign_name(self.name, self.division),
            code_ok=self.code_ok,
            unavailable=self.unavailable,
            catalogue=self.catalogue,
        )

    def _registration(self) -> DeliveredRow:
        approved_on = max(self.established_on, self.past_day(400))
        ten_thousands = int(self.rng.lognormvariate(4.6, 1.4)) + 1
        industry = self.company_name.industry
        return DeliveredRow(
            dataset=REGISTRATION,
            fields={
                "uscc": self.uscc,
                "name": self.name,
                "former_names": list(self.former_names),
                "kind": self.kind,
                "entity_type": self.company_name.entity_type,
                "status": self.status,
                "legal_representative": self.legal_representative,
                "established_on": self.established_on.isoformat(),
                "approved_on": approved_on.isoformat(),
                "term_from": self.established_on.isoformat(),
                "registering_authority": self.authority("市场监督管理"),
                "division": self.division.code,
                "industry": industry.code,
                "scope": f"{industry.scope}{_ON_APPROVAL}",
                "address": self.address,
                "scope_industries": [industry.code, *industry.further_codes],
                **self._size(ten_thousands),
            },
            record_id=self.random_id(),
            day=approved_on,
            events={},
        )

    def _size(self, ten_thousands: int) -> dict[str, Any]:
        """Capital and entry in the list of small enterprises; an individual business has neither."""
        if self.kind == INDIVIDUAL_BUSINESS:
            return {}
        size: dict[str, Any] = {"capital": f"{ten_thousands}.000000", "currency": "CNY"}
        if ten_thousands > _SMALL_CAPITAL:
            return size | {"small_or_micro": False}
        return size | {
            "small_or_micro": True,
            "small_or_micro_on": f"{self.established_on}",
        }
