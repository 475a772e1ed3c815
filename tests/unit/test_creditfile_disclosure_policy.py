"""Disclosure policy by record, field and audience."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.codes.public_page.summary import summary_of
from gateway.creditfile.disclosed_fields import mask_person
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import (
    context_of,
    disclosable_fields,
    disclosable_records,
    end_in_effect,
    is_disclosable,
    never_disclosed_fields,
)
from gateway.creditfile.disclosure_terms import NEVER_DISCLOSED, EndReason
from gateway.creditfile.labels import dataset_label, field_label
from gateway.creditfile.local_dates import midnight
from gateway.creditfile.record_mapping import typed_columns
from gateway.creditfile.records import Record, registration_of
from tests.creditfile_builders import (
    CATALOGUE,
    NOON,
    USCC,
    keeping_back,
    make_enterprise,
    make_record,
)

PUBLIC, AUTHORISED = Audience.PUBLIC, Audience.AUTHORISED
VERIFICATION, ENTERPRISE = Audience.VERIFICATION, Audience.ENTERPRISE


def test_a_live_penalty_is_public_without_its_internal_fields() -> None:
    """Fields of class `government` are left out."""
    told = disclosable_fields(make_record(), PUBLIC, CATALOGUE, NOON, kind="firm")
    assert told["document_number"] == "浙市监罚〔2026〕0001号"
    assert not {"severity", "procedure", "appeal_state", "determined_on"} & set(told)


def test_severity_needs_consent_and_the_appeal_state_is_only_compared() -> None:
    """By class."""
    record = make_record()
    authorised = disclosable_fields(record, AUTHORISED, CATALOGUE, NOON, kind="firm")
    compared = disclosable_fields(record, VERIFICATION, CATALOGUE, NOON, kind="firm")
    assert "severity" in authorised
    assert "appeal_state" not in authorised
    assert compared["appeal_state"] == "none"


@pytest.mark.parametrize(
    ("changed", "reason", "day"),
    [
        ({"procedure": "简易"}, EndReason.SIMPLIFIED, None),
        ({"appeal_state": "under_appeal"}, EndReason.UNDER_APPEAL, None),
        ({"kinds": ["警告"], "severity": None}, EndReason.NOT_PUBLISHED, None),
        ({"repaired_at": NOON}, EndReason.REPAIRED, NOON),
        ({"suspended_at": NOON}, EndReason.SUSPENDED, NOON),
        ({"withdrawn_at": NOON}, EndReason.WITHDRAWN, NOON),
        ({"withdrawn_at": NOON, "appeal_state": "under_appeal"}, EndReason.WITHDRAWN, NOON),
        ({"publicity_ends_on": "2026-11-21"}, EndReason.PUBLICITY_OVER, "2026-11-22"),
        ({"published_on": "2026-11-23"}, EndReason.NOT_BEGUN, "2026-11-23"),
    ],
)
def test_what_is_not_disclosed_reaches_its_enterprise_alone_with_the_reason(
    changed: dict[str, Any], reason: EndReason, day: datetime | str | None
) -> None:
    """R1: neither in public, nor under consent, nor in answers; the first end counts."""
    record = make_record(**changed)
    told = {each for each in Audience if is_disclosable(record, each, CATALOGUE, NOON)}
    assert told == {ENTERPRISE}
    end = end_in_effect(record, CATALOGUE, NOON)
    moment = midnight(date.fromisoformat(day)) if isinstance(day, str) else day
    assert end == (moment or NEVER_DISCLOSED, reason)


@pytest.mark.parametrize(
    ("dataset", "changed", "reason"),
    [
        ("serious_violation", {"added_on": "2023-11-21"}, EndReason.LISTING_OVER),
        ("abnormal_listing", {"removed_on": "2026-11-22"}, EndReason.REMOVED),
        ("public_rating", {"valid_to": "2026-11-21"}, EndReason.VALIDITY_OVER),
        ("tax_and_social", {"period": "2023-10"}, EndReason.TERM_OVER),
        (
            "commitment",
            {"fulfilment": "broken", "committed_on": "2020-01-01"},
            EndReason.RETENTION_OVER,
        ),
    ],
)
def test_each_clock_names_its_reason(
    dataset: str, changed: dict[str, str], reason: EndReason
) -> None:
    """Of lists, ratings, payments and what must be deleted."""
    end = end_in_effect(make_record(dataset, **changed), CATALOGUE, NOON)
    assert end is not None
    assert end.reason is reason


def test_a_withdrawn_rating_gives_its_place_back_to_the_one_before() -> None:
    """What its source has ended supersedes nothing."""
    old = make_record("public_rating", date="2026-03-01")
    new = make_record("public_rating", record_id="rec_2", withdrawn_at=NOON)
    assert context_of((old, new), CATALOGUE, NOON).superseded == set()
    before = context_of((old, new), CATALOGUE, NOON - timedelta(seconds=1))
    end = end_in_effect(old, CATALOGUE, NOON, context=before)
    assert end is not None
    assert end.reason is EndReason.SUPERSEDED


def test_a_rating_is_disclosed_under_consent_only() -> None:
    """The rating's dataset is not public."""
    record = make_record("public_rating")
    assert not is_disclosable(record, PUBLIC, CATALOGUE, NOON)
    assert disclosable_fields(record, PUBLIC, CATALOGUE, NOON, kind="firm") == {}
    assert is_disclosable(record, AUTHORISED, CATALOGUE, NOON)


def test_an_industry_rating_is_public_if_its_authority_publishes_it() -> None:
    """By record."""
    assert not is_disclosable(make_record("industry_rating"), PUBLIC, CATALOGUE, NOON)
    assert is_disclosable(make_record("industry_rating", published=True), PUBLIC, CATALOGUE, NOON)


def test_supervision_reaches_no_client() -> None:
    """Class `government`."""
    record = make_record("supervision")
    assert not [each for each in Audience if is_disclosable(record, each, CATALOGUE, NOON)]


def test_a_record_of_an_unknown_dataset_is_not_disclosed() -> None:
    """Fails closed."""
    stranger = replace(make_record(), dataset="horoscope")
    assert not is_disclosable(stranger, ENTERPRISE, CATALOGUE, NOON)


def test_an_operators_name_is_masked_in_public_and_a_legal_representatives_is_not() -> None:
    """Operators of individual businesses are natural persons."""
    shop = registration_of(make_enterprise(kind="individual_business"))
    firm = registration_of(make_enterprise())

    def name(record: Record, audience: Audience, kind: str) -> object:
        return disclosable_fields(record, audience, CATALOGUE, NOON, kind=kind)[
            "legal_representative"
        ]

    assert name(shop, PUBLIC, "individual_business") == "张**"
    assert name(shop, AUTHORISED, "individual_business") == "张三丰"
    assert name(firm, PUBLIC, "firm") == "张三丰"
    assert mask_person("") == "**"


def test_decrypted_personal_fields_are_disclosed_by_their_class() -> None:
    """The phone under consent; ID number and home to no audience."""
    personal = {
        "legal_representative_id_number": "330106199001011234",
        "phone": "15400000000",
        "home_address": "合成路",
    }
    record = registration_of(make_enterprise(), personal)
    assert (
        disclosable_fields(record, AUTHORISED, CATALOGUE, NOON, kind="firm")["phone"]
        == "15400000000"
    )
    assert "phone" not in disclosable_fields(record, PUBLIC, CATALOGUE, NOON, kind="firm")
    for audience in (PUBLIC, AUTHORISED, ENTERPRISE):
        told = disclosable_fields(record, audience, CATALOGUE, NOON, kind="firm")
        assert not {"legal_representative_id_number", "home_address"} & set(told)


def test_an_identity_number_in_free_text_is_masked_even_if_intake_missed_it() -> None:
    """R5, at disclosure."""
    record = make_record(facts="经营者（330106 19900101 123x）未明码标价。")
    for audience in Audience:
        facts = disclosable_fields(record, audience, CATALOGUE, NOON, kind="firm")["facts"]
        assert "19900101" not in facts


def test_the_serious_list_prolongs_the_retention_of_other_bad_information() -> None:
    """Only while the enterprise is on the list."""
    broken = make_record("commitment", fulfilment="broken", committed_on="2019-01-01")
    listed = make_record("serious_violation", record_id="rec_2")
    removed = make_record("serious_violation", record_id="rec_2", removed_on="2026-11-01")
    told = disclosable_records((broken, listed), PUBLIC, CATALOGUE, NOON, kind="firm")
    assert [each.record for each in told] == [broken, listed]
    assert disclosable_records((broken, removed), PUBLIC, CATALOGUE, NOON, kind="firm") == ()


def test_the_serious_list_prolongs_retention_even_if_it_is_closed() -> None:
    """Also if the catalogue closes the list."""
    listed = [make_record("serious_violation", record_id="rec_2")]
    assert context_of(listed, keeping_back("serious_violation"), NOON).on_serious_list
    over = [replace(listed[0], repaired_at=NOON)]
    assert not context_of(over, keeping_back("serious_violation"), NOON).on_serious_list


def test_never_disclosed_fields_are_listed_as_withheld() -> None:
    """By name, for any record."""
    assert never_disclosed_fields(CATALOGUE, "penalty") == (
        "procedure",
        "determined_on",
        "published_on",
        "publish_decided",
        "fulfilled",
        "conduct_ended_on",
        "appeal_state",
    )


def test_a_record_is_disclosed_until_midnight_in_shanghai() -> None:
    """Until 23:59:59.999999, not at 00:00:00."""
    record = make_record(publicity_ends_on="2026-11-22")
    last = datetime(2026, 11, 22, 15, 59, 59, 999999, tzinfo=UTC)
    assert is_disclosable(record, PUBLIC, CATALOGUE, last)
    assert not is_disclosable(record, PUBLIC, CATALOGUE, datetime(2026, 11, 22, 16, tzinfo=UTC))


def test_the_page_does_not_mention_a_closed_dataset() -> None:
    """The sentence that no record was found could be false (R6)."""
    held, penalty = make_enterprise(), make_record()
    sections = summary_of(held, [penalty], CATALOGUE, now=NOON).sections
    kept = summary_of(held, [penalty], keeping_back("penalty"), now=NOON).sections
    assert [each.dataset for each in sections if each.state == "found"] == ["penalty"]
    assert {each.dataset for each in sections} - {each.dataset for each in kept} == {"penalty"}


def _shown(dataset: str, audience: Audience = PUBLIC, *, kind: str = "firm", **fields: Any) -> Any:
    of = CATALOGUE.dataset(dataset)
    columns = {**NO_COLUMNS, **typed_columns(of, fields)}
    record = replace(make_record(), dataset=dataset, fields=fields, **columns)
    return disclosable_fields(record, audience, CATALOGUE, NOON, kind=kind)


NO_COLUMNS: dict[str, Any] = dict.fromkeys(("decided_on", "published_on", "determined_on"))
A_DAY = {"decided_on": date(2026, 8, 1)}


@pytest.mark.parametrize(("level", "public"), [("A", True), ("B", False), ("D", False)])
def test_only_level_a_of_the_tax_credit_is_public(level: str, public: bool) -> None:
    """Every other level is told under consent."""
    fields: dict[str, Any] = {"year": "2025", "level": level, "rated_on": "2026-04-20"}
    assert (_shown("tax_credit_level", **fields) == fields) is public
    assert _shown("tax_credit_level", AUTHORISED, **fields) == fields


@pytest.mark.parametrize("audience", list(Audience))
def test_complaint_counts_are_told_where_the_authority_publishes_them(audience: Audience) -> None:
    """And to nobody otherwise."""
    counts: dict[str, Any] = {
        "period": "2026-10",
        "received": 3,
        "authority": "西湖区市场监督管理局",
    }
    assert _shown("complaint", audience, **counts, published=True)["received"] == 3
    assert _shown("complaint", audience, **counts, published=False) == {}
    assert _shown("complaint", audience, **counts) == {}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("自然人", "张**"), ("企业法人", "张三丰"), (None, "张**")],
)
def test_shareholders_are_masked_unless_they_are_organisations(kind: str | None, name: str) -> None:
    """A shareholder of unknown kind counts as a person."""
    fields: dict[str, Any] = {"number": "1", "name": "张三丰"} | ({"type": kind} if kind else {})
    assert _shown("shareholder", **fields)["name"] == name
    assert _shown("shareholder", AUTHORISED, **fields)["name"] == "张三丰"


def test_a_change_is_masked_where_it_may_name_persons() -> None:
    """A new representative is; a new address is not."""
    fields: dict[str, Any] = {"before": "李四光", "after": "张三丰", "changed_on": "2026-08-01"}
    assert _shown("change", item="法定代表人变更", **fields)["after"] == "张**"
    assert _shown("change", item="住所变更", **fields)["after"] == "张三丰"


def test_an_individual_business_has_no_capital_and_its_own_names() -> None:
    """经营者, 注册日期, 经营场所; of a firm the same fields have their usual names."""
    fields: dict[str, Any] = {
        "uscc": USCC,
        "name": "佳禾商行",
        "capital": "10.000000",
        "established_on": "2020-01-01",
    }
    for audience in Audience:
        assert "capital" not in _shown(
            "registration", audience, kind="individual_business", **fields
        )
        assert "capital" in _shown("registration", audience, **fields)
    names = {"legal_representative": "经营者", "established_on": "注册日期", "address": "经营场所"}
    for name, zh in names.items():
        assert field_label("registration", name, CATALOGUE, "individual_business").zh == zh
        assert field_label("registration", name, CATALOGUE, "firm").zh != zh
    assert dataset_label("abnormal_listing", CATALOGUE, "individual_business").zh == "经营异常状态"


@pytest.mark.parametrize("published", [True, False, None])
def test_an_individual_business_chooses_whether_its_report_is_public(
    published: bool | None,
) -> None:
    """That it has reported is public; what it has reported is its choice."""
    fields: dict[str, Any] = {"year": "2025", "contact_address": "义乌市合成路1号", "employees": 3}
    if published is not None:
        fields["published"] = published
    shown = _shown("annual_report", kind="individual_business", **fields)
    assert shown["year"] == "2025"
    assert ("contact_address" in shown) is ("employees" in shown) is (published is True)
    assert "contact_address" in _shown("annual_report", kind="firm", **fields)
    under_consent = _shown("annual_report", AUTHORISED, kind="individual_business", **fields)
    assert under_consent["contact_address"] == "义乌市合成路1号"


@pytest.mark.parametrize(
    ("dataset", "members", "told"),
    [
        ("enforcement_case", {}, True),
        ("enforcement_case", {"removed_on": date(2026, 11, 22)}, False),
        ("enforcement_case", {"removed_on": date(2026, 11, 23)}, True),
        ("equity_freeze", {"valid_to": date(2026, 11, 21)}, False),
        ("equity_freeze", {"valid_to": date(2026, 11, 22)}, True),
        ("untrustworthy_list", {"decided_on": date(2023, 11, 21)}, False),
        ("untrustworthy_list", {"decided_on": date(2023, 11, 22)}, True),
        ("untrustworthy_list", {"valid_to": date(2026, 11, 21)}, False),
        ("measure", {"valid_to": date(2026, 11, 21)}, False),
        ("complaint", {"period": "2023-10"}, False),
        ("complaint", {"period": "2023-11"}, True),
        ("sampling_result", {"decided_on": date(2025, 11, 21)}, False),
        ("sampling_result", {"decided_on": date(2025, 11, 22)}, True),
    ],
)
def test_what_is_open_frozen_or_listed_ends_on_its_own_day(
    dataset: str, members: dict[str, Any], told: bool
) -> None:
    """The last day included."""
    fields = {
        "case_number": "1",
        "list_code": "统计",
        "published": True,
        "result": "不合格",
        "received": 1,
    }
    known = {f.name for f in CATALOGUE.dataset(dataset).fields}
    record = replace(
        make_record(),
        dataset=dataset,
        fields={n: v for n, v in fields.items() if n in known} or {"court": "西湖区人民法院"},
        **{**NO_COLUMNS, **A_DAY, **members},
    )
    assert is_disclosable(record, AUTHORISED, CATALOGUE, NOON) is told
