"""Builder of one synthetic enterprise, from its own seeded random stream."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.records import REGISTRATION
from gateway.synthetic.company_names import CompanyName
from gateway.synthetic.delivered_rows import DELIVERY_TIME, DeliveredRow, SyntheticEnterprise
from gateway.synthetic.divisions import Division
from gateway.synthetic.people import SyntheticPerson

_DECIDED: Final = "decided_on"
_ON_APPROVAL: Final = "（依法须经批准的项目，经相关部门批准后方可开展经营活动）。"


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

    def past_day(self, most: int, least: int = 1) -> date:
        """A day `least` to `most` days ago, not before the founding."""
        return max(self.today - timedelta(days=self.rng.randint(least, most)), self.established_on)

    def morning(self, days_ago: int) -> datetime:
        """9:00 in Shanghai, `days_ago` days ago."""
        return midnight(self.today - timedelta(days=days_ago)) + DELIVERY_TIME

    def random_id(self) -> str:
        """A random id of 96 bits."""
        return f"{self.rng.getrandbits(96):024x}"

    def document_number(self, prefix: str, day: date) -> str:
        """A document number, unique in this file."""
        return f"{prefix}〔{day.year}〕{self.rng.randint(0, 9_999):04}{len(self.deliveries):03}号"

    def authority(self, field: str) -> str:
        """The division's authority for a field of administration."""
        return f"{self.division.name}{field}局"

    def add(
        self, code: str, events: Mapping[str, datetime] | None = None, /, **fields: Any
    ) -> None:
        """Add a record to the file; `events` are later ones, such as `repaired_at`."""
        decided_on = fields.get(self.catalogue.dataset(code).field_of.get(_DECIDED, ""))
        day = date.fromisoformat(decided_on) if decided_on else self.past_day(20)
        row = DeliveredRow(
            dataset=code, fields=fields, record_id=self.random_id(), day=day, events=events or {}
        )
        self.deliveries.append(row)

    def build(self) -> SyntheticEnterprise:
        """Build the enterprise."""
        return SyntheticEnterprise(
            uscc=self.uscc,
            registration=self._registration(),
            deliveries=tuple(self.deliveries),
            personal={
                "legal_representative_id_type": "居民身份证",
                "legal_representative_id_number": self.person.id_number,
                "phone": self.person.phone,
                "home_address": self.person.home_address,
            },
            traits=frozenset(self.traits),
            code_ok=self.code_ok,
            unavailable=self.unavailable,
            catalogue=self.catalogue,
        )

    def _registration(self) -> DeliveredRow:
        approved_on = max(self.established_on, self.past_day(400))
        thousands = int(self.rng.lognormvariate(4.6, 1.4)) + 1
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
                "capital": f"{thousands}.000000",
                "currency": "CNY",
                "established_on": self.established_on.isoformat(),
                "approved_on": approved_on.isoformat(),
                "term_from": self.established_on.isoformat(),
                "registering_authority": self.authority("市场监督管理"),
                "division": self.division.code,
                "industry": self.company_name.industry.code,
                "scope": f"{self.company_name.industry.scope}{_ON_APPROVAL}",
                "address": self.address,
            },
            record_id=self.random_id(),
            day=approved_on,
            events={},
        )
