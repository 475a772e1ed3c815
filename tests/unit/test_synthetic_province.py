"""Synthetic province: deterministic, all scenarios at any size, no real data."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any

import pytest

from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_records
from gateway.creditfile.facts import facts_of
from gateway.creditfile.local_dates import SHANGHAI, midnight
from gateway.creditfile.penalty_publicity import NEVER, Penalty, last_day_of_publicity
from gateway.creditfile.repair_terms import RepairTerms, repair_terms
from gateway.ingest import RowValidator
from gateway.ingest.results import AcceptedRow
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.divisions import BY_CODE, DIVISIONS
from gateway.synthetic.generator.licence_kinds import FOOD_TRADES, LICENCE_KINDS, mod_11_10
from gateway.synthetic.generator.people import UNASSIGNED_PREFIX
from gateway.synthetic.generator.province import province
from gateway.synthetic.generator.scenarios import TRAITS
from gateway.synthetic.generator.violations import VIOLATIONS
from tests.creditfile_builders import CATALOGUE
from verification import Asked, NotACode, evaluate, id_check_character, is_market_entity, parse_uscc

TODAY = date(2026, 11, 23)
NOON = midnight(TODAY) + timedelta(hours=12)
SMALL = tuple(province(1, 200, today=TODAY, catalogue=CATALOGUE))
NAMED_BY_THE_KIT = {
    "clean", "penalised", "penalty_expired", "repaired", "disputed", "abnormal",
    "serious_violation", "individual_business", "deregistered",
}  # fmt: skip


@cache
def larger() -> tuple[SyntheticEnterprise, ...]:
    """Three thousand enterprises."""
    return tuple(province(1, 3000, today=TODAY, catalogue=CATALOGUE))


def _with(trait: str) -> tuple[SyntheticEnterprise, ...]:
    return tuple(each for each in SMALL if trait in each.traits)


def _answer(entity: SyntheticEnterprise, tag: str, value: str | None = None) -> str:
    asked = Asked(tag=tag, value=value)
    facts = facts_of(entity.enterprise, entity.records, CATALOGUE, NOON)
    answers = evaluate([asked], facts, allowed={asked}, digest=lambda _: b"", today=TODAY)
    return answers[0].answer


def _public_penalties(entity: SyntheticEnterprise, now: datetime) -> int:
    told = disclosable_records(
        entity.records, Audience.PUBLIC, CATALOGUE, now, kind=entity.enterprise.kind
    )
    return sum(each.record.dataset == "penalty" for each in told)


def test_a_province_of_two_hundred_has_every_trait_twice() -> None:
    """The smallest province has every scenario."""
    counted = Counter(trait for each in SMALL for trait in each.traits)
    assert set(TRAITS) >= NAMED_BY_THE_KIT
    assert {trait: counted[trait] >= 2 for trait in TRAITS} == dict.fromkeys(TRAITS, True)


@pytest.mark.parametrize("what", ["tax", "social_insurance", "housing_fund"])
def test_payments_of_two_years_are_determined(what: str) -> None:
    """For clean enterprises; most files hold one year or none."""
    tag = f"paid_{what}_on_time.v1"
    assert {_answer(each, tag, "24") for each in _with("clean")} == {"yes"}
    assert {_answer(each, tag, "24") for each in SMALL} >= {"yes", "not_determined"}


def test_the_same_seed_gives_the_same_province_and_a_larger_one_begins_like_a_smaller() -> None:
    """Enterprise by enterprise."""
    assert tuple(province(1, 60, today=TODAY, catalogue=CATALOGUE)) == SMALL[:60] == larger()[:60]
    other = next(province(2, 1, today=TODAY, catalogue=CATALOGUE))
    assert other.enterprise.uscc != SMALL[0].enterprise.uscc


def test_a_province_is_a_stream() -> None:
    """Lazily generated."""
    stream = province(1, 10_000_000, today=TODAY, catalogue=CATALOGUE)
    assert [each.enterprise.name for each in islice(stream, 3)] == [
        each.enterprise.name for each in SMALL[:3]
    ]


def test_the_first_enterprise_is_the_one_of_the_examples() -> None:
    """A clean firm in Xihu, Hangzhou."""
    first = SMALL[0]
    assert first.enterprise.name == "杭州云栖数据科技有限公司"
    assert first.enterprise.division == "330106"
    assert first.traits == {"clean"}


def test_every_code_is_its_own_and_valid_but_for_those_that_are_to_be_wrong() -> None:
    """By check character and kind."""
    codes = [each.enterprise.uscc for each in larger()]
    assert len(set(codes)) == len(codes)
    for each in larger():
        parsed = parse_uscc(each.enterprise.uscc)
        assert isinstance(parsed, NotACode) is ("wrong_check_character" in each.traits)
        assert each.enterprise.code_ok is not isinstance(parsed, NotACode)
        assert isinstance(parsed, NotACode) or is_market_entity(parsed)
        assert each.enterprise.uscc[2:8] in BY_CODE


def test_no_identity_number_is_valid_and_no_phone_can_ring() -> None:
    """They cannot be real."""
    for each in larger():
        number = each.personal["legal_representative_id_number"]
        assert id_check_character(number[:17]) != number[17]
        assert each.personal["phone"].startswith(UNASSIGNED_PREFIX)


def test_every_record_is_as_the_catalogue_asks() -> None:
    """Valid by the catalogue."""
    validators = {code: RowValidator(CATALOGUE, code, today=TODAY) for code in CATALOGUE.codes}
    for each in larger():
        for record in each.records:
            row = {**record.fields, "uscc": record.uscc}
            assert isinstance(validators[record.dataset].validate(row), AcceptedRow)
            assert record.uscc == each.enterprise.uscc
            assert record.source_time < midnight(TODAY)
        keys = [(r.source_id, r.dataset, r.natural_key) for r in each.records]
        assert len(set(keys)) == len(keys)


def test_every_dataset_has_records() -> None:
    """In a few hundred enterprises."""
    seen = {record.dataset for each in larger() for record in each.records}
    assert seen == set(CATALOGUE.codes) - {"registration"}


def test_publicity_ends_where_the_rules_say() -> None:
    """R2."""
    rules = CATALOGUE.rules_of("penalty")
    penalties = [r for each in larger() for r in each.records if r.dataset == "penalty"]
    for record in penalties:
        last_day = last_day_of_publicity(Penalty.from_record(record), rules)
        if last_day != NEVER and record.publicity_ends_on is not None:
            assert last_day is not None
            assert record.publicity_ends_on <= last_day
        else:
            assert record.publicity_ends_on is None


@pytest.mark.parametrize(
    ("trait", "live"),
    [
        ("penalised", 1),
        ("disputed", 1),
        ("expires_today", 1),
        ("id_number_in_free_text", 1),
        ("penalty_expired", 0),
        ("repaired", 0),
        ("withdrawn", 0),
        ("under_appeal", 0),
        ("warning_only", 0),
        ("simplified_procedure", 0),
    ],
)
def test_a_penalty_is_disclosed_today_or_not_as_its_scenario_says(trait: str, live: int) -> None:
    """By the scenario's name."""
    for each in SMALL[:60]:
        if trait in each.traits:
            assert _public_penalties(each, NOON) == live
            assert _answer(each, "no_live_penalty.v1") == ("no" if live else "yes")


@pytest.mark.parametrize(
    "today",
    [date(2028, 2, 29), date(2027, 3, 31), date(2026, 12, 31), date(2027, 5, 31)],
)
def test_a_record_expiring_today_is_disclosed_today_and_not_tomorrow(today: date) -> None:
    """Leap days and ends of months included."""
    stream = province(1, 60, today=today, catalogue=CATALOGUE)
    for each in stream:
        if "expires_today" not in each.traits:
            continue
        for now, told in ((midnight(today), 1), (midnight(today + timedelta(days=1)), 0)):
            assert _public_penalties(each, now) == told


def test_a_disputed_record_is_live_and_marked() -> None:
    """Since two days ago."""
    for each in _with("disputed"):
        marked = [record for record in each.records if record.objection_since is not None]
        assert marked
        told = disclosable_records(
            marked, Audience.AUTHORISED, CATALOGUE, NOON, kind=each.enterprise.kind
        )
        assert [one.record for one in told] == marked


def test_a_disputed_penalty_can_be_repaired() -> None:
    """The portal's demo account can apply for a repair."""
    for each in _with("disputed"):
        penalty = next(r for r in each.records if r.objection_since is not None)
        terms = repair_terms(penalty, CATALOGUE, NOON)
        assert isinstance(terms, RepairTerms)
        assert terms.can_apply


def test_a_clean_enterprise_answers_yes_to_everything_good() -> None:
    """Rating, social insurance, licence, commitment, lists and age."""
    for each in _with("clean"):
        for tag, value in (
            ("is_active.v1", None),
            ("not_abnormal.v1", None),
            ("not_on_serious_violation_list.v1", None),
            ("not_judgment_defaulter.v1", None),
            ("no_live_penalty.v1", None),
            ("commitment_fulfilled.v1", None),
            ("licence_valid.v1", "普通"),
            ("rating_at_least.v1", "良好"),
            ("established_for.v1", "3"),
            ("paid_social_insurance_on_time.v1", "12"),
        ):
            assert _answer(each, tag, value) == "yes", (each.enterprise.name, tag)


def test_listed_enterprises_answer_no() -> None:
    """One question for each list."""
    for trait, tag in (
        ("abnormal", "not_abnormal.v1"),
        ("serious_violation", "not_on_serious_violation_list.v1"),
        ("judgment_defaulter", "not_judgment_defaulter.v1"),
        ("deregistered", "is_active.v1"),
        ("suspended", "is_active.v1"),
        ("moved", "is_active.v1"),
    ):
        assert {_answer(each, tag) for each in _with(trait)} == {"no"}


def test_two_shops_bear_the_same_name() -> None:
    """With different codes."""
    shops = _with("same_name")
    assert len({each.enterprise.name for each in shops}) == 1
    assert len({each.enterprise.uscc for each in shops}) == len(shops) == 2


def test_odd_names_are_odd_and_have_a_strict_form() -> None:
    """Full width, brackets, dots, rare and traditional characters, former names."""
    [full, *_] = _with("full_width_name")
    assert full.enterprise.name_key == "杭州ai云算(智能)科技有限公司"
    assert "\u00b7" in _with("middle_dot")[0].enterprise.name
    assert any(ord(c) > 0xFFFF for c in _with("rare_characters")[0].enterprise.name)
    assert "龍" in _with("traditional_variant")[0].enterprise.name
    assert _with("former_name")[0].enterprise.former_names


def test_kinds_cities_and_base_rates_are_near_those_of_the_province() -> None:
    """Approximately, as the sample is small."""
    plain = larger()[100:]
    kinds = Counter(each.enterprise.kind for each in plain)
    assert 0.35 < kinds["firm"] / len(plain) < 0.45
    assert kinds["farmers_cooperative"] > 0
    cities = Counter(BY_CODE[each.enterprise.division].city for each in plain)
    assert cities.most_common(1)[0][0] == "杭州"
    assert set(cities) == set(DIVISIONS)
    assert 0.03 < sum("abnormal" in each.traits for each in plain) / len(plain) < 0.07
    assert 0.008 < sum("penalised" in each.traits for each in plain) / len(plain) < 0.025


STATUTES = {  # the least and the most that the articles allow, in 万元
    "未按规定明码标价": ("0", "0.5"),
    "未在网店首页公示营业执照信息": ("0", "1"),
    "经营超过保质期的食品": ("5", "10"),
    "销售侵犯注册商标专用权的商品": ("0", "25"),
    "使用未经定期检验的特种设备": ("3", "30"),
    "未按规定对从业人员进行安全生产教育和培训": ("0", "10"),
    "未建立环境管理台账记录制度": ("0.5", "2"),
    "利用格式条款减轻自身责任": ("0", "10"),
}


def _rows(dataset: str) -> list[tuple[SyntheticEnterprise, Mapping[str, Any]]]:
    return [(e, row.fields) for e in larger() for row in e.deliveries if row.dataset == dataset]


def test_fines_are_within_their_statutes_and_trades() -> None:
    """A missing price tag costs 5,000 yuan at most, and no software firm sells stale food."""
    assert {each.type for each in VIOLATIONS} == set(STATUTES)
    seen = set()
    for entity, fields in _rows("penalty"):
        least, most = map(Decimal, STATUTES[fields["violation_type"]])
        fine = Decimal(fields["fine"])
        assert fine <= most
        if "罚款" in fields["kinds"] and fields["procedure"] == "普通":
            assert fine >= max(least, Decimal("0.01"))
        if fields["violation_type"] == "经营超过保质期的食品":
            assert entity.enterprise.industry in FOOD_TRADES
        seen.add(fields["violation_type"])
    assert seen == set(STATUTES)


@pytest.mark.parametrize(
    ("dataset", "field", "form"),
    [
        (
            "penalty",
            "document_number",
            r"[杭甬温嘉湖绍金衢舟台丽]\w(市监处罚|应急罚|环罚)〔20\d\d〕\d+号",
        ),
        ("judgment_defaulter", "case_number", r"（20\d\d）浙\d{4}执\d+号"),
        ("abnormal_listing", "decision_number", r"\w\w市监(列|标)异〔20\d\d〕\d+号"),
        ("arrears_notice", "authority", r"国家税务总局\w+税务局"),
        ("branch", "name", r"\w+分公司"),
    ],
)
def test_numbers_and_names_are_as_the_offices_write_them(
    dataset: str, field: str, form: str
) -> None:
    """杭西市监处罚〔2026〕12号, （2026）浙0106执123号."""
    rows = _rows(dataset)
    assert rows
    for _, fields in rows:
        assert re.fullmatch(form, fields[field]) or "（" in fields[field], fields[field]


def test_late_annual_reports_are_listed_in_july_and_are_not_there() -> None:
    """The report of the year before was due on 30 June; an individual business is marked."""
    late = [row for row in _rows("abnormal_listing") if row[1]["reason"] == "未按期年报"]
    assert len(late) > 20
    for entity, fields in late:
        added = date.fromisoformat(fields["added_on"])
        assert (added.month, added.day <= 10) == (7, True)
        assert entity.enterprise.established_on is not None
        assert entity.enterprise.established_on.year < added.year
        years = {r.fields["year"] for r in entity.deliveries if r.dataset == "annual_report"}
        assert f"{added.year - 1}" not in years
        is_marked = "市监标异" in fields["decision_number"]
        assert is_marked is (entity.enterprise.kind == "individual_business")


def test_licences_fit_their_trades() -> None:
    """食品经营许可证 JY… for every food trade and no other, with its check digit."""
    kinds = {(kind.name, kind.category): kind for kind in LICENCE_KINDS}
    holders = set()
    for entity, fields in _rows("licence"):
        name = fields["name"].removesuffix("决定书")
        industry = entity.enterprise.industry or ""
        assert any(k.fits(industry) for k in LICENCE_KINDS if k.name == name), (name, industry)
        assert (name, fields["category"]) in kinds
        assert fields.get("item_code", "food_operation") in CATALOGUE.licensing_items.by_code  # type: ignore[union-attr]
        if name == "食品经营许可":
            assert re.fullmatch(r"JY[123]33\d{11}", fields["number"])
            assert mod_11_10(fields["number"][2:-1]) == int(fields["number"][-1])
            assert fields["item_code"] == "food_operation"
            assert fields["authority"].endswith("市场监督管理局")
            holders.add(entity.uscc)
    plain = [e for e in larger() if not e.traits & set(TRAITS)]
    food = {e.uscc for e in plain if e.enterprise.industry in FOOD_TRADES}
    assert food <= holders
    assert not holders & {e.uscc for e in larger() if e.enterprise.industry not in FOOD_TRADES}


def test_the_check_digit_is_that_of_gb_t_17710() -> None:
    """MOD 11,10: the example of ISO/IEC 7064 and the rule that the whole leaves 1."""
    assert mod_11_10("0794") == 5
    for digits in ("1330106000123", "2330782012345"):
        product = 10
        for each in digits:
            product = 2 * ((product + int(each)) % 10 or 10) % 11
        assert (product + mod_11_10(digits)) % 10 == 1


def test_ratings_are_given_by_the_authority_of_their_field() -> None:
    """Environment by the ecology bureau, food by market regulation, tax by the tax authority."""
    fields_of = {"生态环境": "生态环境局", "食品药品": "市场监督管理局", "安全生产": "应急管理局",
                 "工程建设": "住房和城乡建设局"}  # fmt: skip
    for _, fields in _rows("industry_rating"):
        assert fields_of[fields["domain"]] in fields["authority"]
    assert all(f["authority"].startswith("国家税务总局") for _, f in _rows("tax_credit_level"))


def test_signs_differ_from_registered_names_and_shops_have_no_capital() -> None:
    """云栖数据科技 for 杭州云栖数据科技有限公司."""
    assert SMALL[0].sign_name == "云栖数据科技"
    for each in larger():
        assert each.sign_name
        assert each.sign_name != each.enterprise.name
        assert each.sign_name in each.enterprise.name
        is_shop = each.enterprise.kind == "individual_business"
        assert (each.enterprise.capital is None) is is_shop
        assert each.enterprise.scope_industries


def test_divisions_are_those_of_2023() -> None:
    """Ninety counties, with 临平 and 钱塘."""
    assert len(BY_CODE) == 90
    assert (BY_CODE["330113"].name, BY_CODE["330114"].name) == ("临平区", "钱塘区")


def test_times_carry_an_offset() -> None:
    """Independent of the machine's time zone."""
    for record in SMALL[0].records:
        assert record.source_time.astimezone(SHANGHAI).hour == 9
