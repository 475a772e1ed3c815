"""The facts about one enterprise that answers may use.

The caller has applied the legal time limits and disclosure rules, and named the sources that answered.
"""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from verification.catalogue import QUESTIONS

ACTIVE: Final = "active"
LEGAL_REPRESENTATIVE_ID: Final = "legal_representative_id"
"""The key in `Facts.digests` of the keyed digest of the normalised identity number."""


READ_FIELDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        dataset: frozenset(names.split())
        for dataset, names in {
            "registration": "kind term_to approved_on small_or_micro scope_industries",
            "penalty": "severity",
            "licence": "number certificate category item_code valid_from valid_to",
            "public_rating": "level rated_on",
            "commitment": "fulfilment",
            "tax_and_social": "kind period on_time insured",
            "annual_report": "year",
            "change": "item changed_on",
            "tax_credit_level": "year level",
            "comprehensive_rating": "date level",
        }.items()
    }
)
"""The fields that questions read of a live record, by dataset; of any other dataset none."""


class LiveRecord(NamedTuple):
    """A record that may be disclosed now.

    Of its fields `READ_FIELDS` are needed:

    - `penalty`: `severity` (轻微, 一般, 严重), not public: read only where a question has it
    - `registration`: `kind`, `term_to` (the last day of its term; none = open), `approved_on`,
      `small_or_micro` (true, false), `scope_industries` (codes of GB/T 4754)
    - `licence`: `number`, `certificate` (ends with the certificate's number), `category`,
      `item_code`, `valid_from`, `valid_to` (ISO 8601 texts or dates; none = open)
    - `public_rating`: `level`, `rated_on` (read only where there are several live ratings)
    - `commitment`: `fulfilment` (`fulfilled`, `in_progress`, `broken`)
    - `tax_and_social`: `kind` (`tax`, `social_insurance`, `housing_fund`), `period` (`YYYY-MM`),
      `on_time` (true, false), `insured` (employees insured in that month)
    - `annual_report`: `year` (`YYYY`)
    - `change`: `item` (法定代表人变更, 经营者变更, …), `changed_on`
    - `tax_credit_level`: `year`, `level`; `comprehensive_rating`: `date`, `level`
    """

    dataset: str
    record_id: str
    version: int
    fields: Mapping[str, object] = MappingProxyType({})
    counts_as_bad: bool = False
    """Bad information that is held against the enterprise now."""


class Facts(NamedTuple):
    """The facts about one enterprise.

    `available` are the datasets whose source answered, `registration` among them; a question on another
    is not determined, since "no record" and "no source" differ. If the registration is among the
    `records`, answers on registry facts rest on it. `former_names` are not compared by
    `enterprise_name.v1`.
    """

    name: str
    former_names: tuple[str, ...] = ()
    legal_representative: str | None = None
    address: str | None = None
    status: str | None = None
    established_on: date | None = None
    digests: Mapping[str, bytes] = MappingProxyType({})
    records: tuple[LiveRecord, ...] = ()
    available: frozenset[str] = frozenset()


def as_date(value: object) -> date | None:
    """The date in a date, datetime or ISO 8601 text; `None` for any other value."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None


STAND_IN: Final = Facts(
    name="杭州无名信息科技有限公司",
    legal_representative="无名氏",
    address="浙江省杭州市西湖区无名路1号1幢101室",
    status="none",
    established_on=date(2015, 1, 1),
    digests=MappingProxyType({LEGAL_REPRESENTATIVE_ID: bytes(32)}),
    records=tuple(
        LiveRecord(dataset=each, record_id="", version=0, fields=MappingProxyType(fields))
        for each, fields in (
            ("registration", {"kind": "firm", "term_to": "2099-12-31"}),
            ("licence", {"number": "无许〔2020〕0001号", "certificate": "无名证 JY00000000000000"}),
            ("public_rating", {}),
        )
    ),
    available=frozenset(dataset for each in QUESTIONS for dataset in each.datasets),
)
"""Facts of an ordinary enterprise, evaluated for an unknown one so that the work is the same."""
