"""Builders of credit files: valid records and enterprises."""

from datetime import UTC, date, datetime
from typing import Any

from gateway.creditfile.catalogue import Catalogue, load_catalogue
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.creditfile.record_mapping import natural_key, typed_columns
from gateway.creditfile.records import Enterprise, Record
from verification.normalise import strict_name

CATALOGUE: Catalogue = load_catalogue()
TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""
USCC = "91330106MABWNF4C6U"


def keeping_back(dataset: str, *names: str) -> Catalogue:
    """The catalogue with these fields of a dataset (all if none is named) closed to clients."""
    kept = {"disclosure": DisclosureClass.GOVERNMENT, "public_when": None}
    datasets = tuple(
        of.model_copy(
            update={
                "fields": tuple(
                    each.model_copy(update=kept) if not names or each.name in names else each
                    for each in of.fields
                )
            }
        )
        if of.code == dataset
        else of
        for of in CATALOGUE.datasets
    )
    return Catalogue.model_validate(
        CATALOGUE.model_dump(by_alias=True)
        | {"datasets": [d.model_dump(by_alias=True) for d in datasets]}
    )


_FIELDS: dict[str, dict[str, Any]] = {
    "penalty": {
        "document_number": "浙市监罚〔2026〕0001号",
        "facts": "未按规定明码标价。",
        "kinds": ["罚款"],
        "fine": "1.200000",
        "decided_on": "2026-08-01",
        "determined_on": "2026-08-01",
        "published_on": "2026-08-03",
        "severity": "一般",
        "procedure": "普通",
        "appeal_state": "none",
    },
    "serious_violation": {"decision_number": "浙市监严〔2025〕1号", "added_on": "2025-02-01"},
    "abnormal_listing": {"decision_number": "浙市监异〔2025〕1号", "added_on": "2025-02-01"},
    "judgment_defaulter": {"case_number": "（2026）浙0106执1号", "published_on": "2026-08-01"},
    "untrustworthy_list": {
        "list_code": "拖欠农民工工资",
        "decision_number": "浙人社失〔2026〕1号",
        "added_on": "2026-08-01",
    },
    "sampling_result": {"number": "样1", "result": "不合格", "announced_on": "2026-08-01"},
    "arrears_notice": {"number": "欠1", "tax": "增值税", "announced_on": "2026-08-01"},
    "commitment": {"number": "诺1", "committed_on": "2026-01-05", "fulfilment": "fulfilled"},
    "public_rating": {"score": 800, "level": "良好", "date": "2026-10-01"},
    "industry_rating": {"number": "评1", "level": "A", "published": False},
    "third_party_rating": {"number": "评2", "level": "AA"},
    "comprehensive_rating": {
        "scheme": "浙江省公共信用综合评价",
        "level": "良好",
        "date": "2026-10-01",
    },
    "inspection": {"task": "抽1", "inspected_on": "2026-10-01", "result": "未发现问题"},
    "tax_and_social": {"kind": "tax", "period": "2026-10", "on_time": True},
    "complaint": {"authority": "市场监管局", "period": "2026-10", "received": 1, "published": True},
    "supervision": {"number": "警1", "indicator": "一址多照", "date": "2026-10-01"},
}


def make_record(dataset: str = "penalty", **changed: Any) -> Record:  # members of many types
    """A record; `changed` are fields of its dataset (`None`: left out) or members of `Record`."""
    of = CATALOGUE.dataset(dataset)
    named = {field.name for field in of.fields}
    members = {name: value for name, value in changed.items() if name not in named}
    fields = _FIELDS[dataset] | {n: v for n, v in changed.items() if n in named}
    fields = {name: value for name, value in fields.items() if value is not None}
    filled: dict[str, Any] = {**typed_columns(of, fields), **members}
    said: dict[str, Any] = {
        "uscc": USCC,
        "record_id": "rec_1",
        "dataset": dataset,
        "source_id": "source",
        "natural_key": natural_key(of, fields),
        "source_name": "数源单位",
        "source_time": NOON,
        "received_at": NOON,
        "catalogue_version": CATALOGUE.version,
        "fields": fields,
        **filled,
    }
    return Record(**said)


def make_enterprise(**changed: Any) -> Enterprise:  # members of many types
    """An active enterprise."""
    said: dict[str, Any] = {
        "uscc": USCC,
        "registration_id": "reg_1",
        "name": "杭州云栖数据科技有限公司",
        "name_key": strict_name("杭州云栖数据科技有限公司"),
        "kind": "firm",
        "entity_type": "1130",
        "status": "active",
        "legal_representative": "张三丰",
        "established_on": date(2018, 5, 1),
        "division": "330106",
        "address": "浙江省杭州市西湖区合成路1号",
        "source_id": "source",
        "source_name": "数源单位",
        "source_time": NOON,
        "received_at": NOON,
        "catalogue_version": CATALOGUE.version,
        **changed,
    }
    return Enterprise(**said)
