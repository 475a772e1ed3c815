"""Traits: the special cases of credit files, assigned to the first enterprises of any province.

A trait changes the builder of an enterprise without other negative records.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from gateway.synthetic.generator import (
    negative_records,
    positive_records,
    structure_records,
    violations,
)
from gateway.synthetic.generator.company_names import INDUSTRY_BY_CODE, entity_type_of
from gateway.synthetic.generator.divisions import BY_CODE, Division
from gateway.synthetic.generator.enterprise_builder import EnterpriseBuilder
from gateway.synthetic.generator.licence_kinds import FOOD_TRADES
from gateway.synthetic.generator.uscc_generator import with_wrong_check_character

Trait = Callable[[EnterpriseBuilder], None]


def _clean(builder: EnterpriseBuilder) -> None:
    positive_records.add_rating(builder, builder.rng.choice((780, 810, 870, 930)))
    positive_records.add_all_payments(builder)
    positive_records.add_required_licence(builder)
    for category in ("普通", "核准"):
        positive_records.add_licence(builder, category=category)
    positive_records.add_commitment(builder)
    positive_records.add_inspection(builder)
    positive_records.add_honour(builder)
    positive_records.add_industry_rating(builder, published=True)
    positive_records.add_industry_rating(builder, published=False)
    positive_records.add_third_party_rating(builder)
    positive_records.add_annual_report(builder)
    positive_records.add_pledge(builder)
    for add in (
        structure_records.add_shareholders,
        structure_records.add_key_persons,
        structure_records.add_change,
        structure_records.add_branch,
        structure_records.add_customs_level,
        structure_records.add_comprehensive_rating,
        structure_records.add_contract,
        structure_records.add_incentive,
        structure_records.add_sampling,
        structure_records.add_complaints,
    ):
        add(builder)
    structure_records.add_tax_level(builder, "A")


def _penalty_ended(days_ago: int) -> Trait:
    return lambda builder: negative_records.add_penalty_ending(
        builder, builder.today - timedelta(days=days_ago)
    )


def _penalty_with(event: str, days_ago: int) -> Trait:
    """A penalty with a later event, such as `repaired_at`."""
    return lambda builder: negative_records.add_penalty(
        builder, decided_on=builder.past_day(155, 105), events={event: builder.morning(days_ago)}
    )


def _penalty(
    violation: violations.Violation | None = None,
    **changed: Any,  # penalty fields
) -> Trait:
    return lambda builder: negative_records.add_live_penalty(builder, violation, **changed)


def _id_number_in_free_text(builder: EnterpriseBuilder) -> None:
    number = builder.person.id_number
    spaced = f"{number[:6]} {number[6:14]} {number[14:]}"
    facts = (
        f"当事人经营者（身份证号：{number}，电话{builder.person.phone}）未按规定明码标价；"
        f"复核时所留证件号为{spaced}。"
    )
    negative_records.add_live_penalty(builder, violations.PRICE_TAGS, facts=facts)


def _with(**attributes: Any) -> Trait:  # of the builder
    def change(builder: EnterpriseBuilder) -> None:
        for name, value in attributes.items():
            setattr(builder, name, value)

    return change


def rename(builder: EnterpriseBuilder, name: str, industry: str) -> None:
    """Give an enterprise a name, and the trade that the name speaks of (GB/T 4754)."""
    builder.name = name
    builder.company_name = replace(
        builder.company_name,
        name=name,
        entity_type=entity_type_of(name),
        industry=INDUSTRY_BY_CODE[industry],
    )


def _named(name: str, industry: str, **attributes: Any) -> Trait:  # of the builder
    def change(builder: EnterpriseBuilder) -> None:
        rename(builder, name, industry)
        _with(**attributes)(builder)

    return change


def _judgment_defaulter(builder: EnterpriseBuilder) -> None:
    negative_records.add_judgment_default(builder)
    if builder.kind == "firm":
        negative_records.add_equity_freeze(builder)
    negative_records.add_judgment_case(builder)


def _failed_sampling(builder: EnterpriseBuilder) -> None:
    if builder.company_name.industry.code not in FOOD_TRADES:
        rename(builder, f"{builder.division.city}合禾餐饮有限公司", "H6210")
    structure_records.add_sampling(builder, "不合格")


def _wrong_check_character(builder: EnterpriseBuilder) -> None:
    builder.uscc, builder.code_ok = with_wrong_check_character(builder.uscc), False


def _former_name(builder: EnterpriseBuilder) -> None:
    builder.former_names = (f"{builder.division.city}旧禾贸易有限公司",)


TRAITS: Final[dict[str, Trait]] = {
    "clean": _clean,
    "penalised": _penalty(),
    "penalty_expired": _penalty_ended(1),
    "expires_today": _penalty_ended(0),
    "repaired": _penalty_with("repaired_at", 10),
    "withdrawn": _penalty_with("withdrawn_at", 10),
    "disputed": _penalty_with("objection_since", 2),
    "under_appeal": _penalty(appeal_state="under_appeal"),
    "warning_only": _penalty(
        violations.STANDARD_TERMS,
        kinds=["警告"],
        fine="0.000000",
        content="警告。",
        severity="轻微",
    ),
    "simplified_procedure": _penalty(
        violations.PRICE_TAGS,
        procedure="简易",
        fine="0.020000",
        content="罚款0.02万元。",
        severity="轻微",
    ),
    "abnormal": negative_records.add_abnormal_listing,
    "serious_violation": negative_records.add_serious_violation,
    "judgment_defaulter": _judgment_defaulter,
    "untrustworthy": negative_records.add_untrustworthy_listing,
    "tax_arrears": negative_records.add_tax_arrears,
    "failed_sampling": _failed_sampling,
    "in_liquidation": negative_records.add_liquidation,
    "individual_business": _with(),
    "cooperative": _with(),
    "deregistered": _with(status="deregistered"),
    "suspended": _with(status="suspended"),
    "revoked": _with(status="revoked_not_deregistered"),
    "moved": _with(status="moved_out", address="江苏省苏州市姑苏区合成路1号"),
    "wrong_check_character": _wrong_check_character,
    "same_name": _named("义乌市佳禾日用品商行", "F5211"),
    "id_number_in_free_text": _id_number_in_free_text,
    "rare_characters": _named(
        "杭州𬱖𠅤喆科技有限公司", "M7320", legal_representative="王\U0002b5ae龑"
    ),
    "full_width_name": _named("杭州ＡＩ云算（智能）科技有限公司", "M7320"),
    "middle_dot": _named("杭州茉莉·时光餐饮有限公司", "H6210"),
    "traditional_variant": _named("杭州龍騰雲數科技有限公司", "M7320"),
    "former_name": _former_name,
    "source_unavailable": _with(unavailable=("tax_and_social",)),
}
"""Traits by name."""

TRAIT_KINDS: Final = {
    "individual_business": "individual_business",
    "cooperative": "farmers_cooperative",
    "same_name": "individual_business",
}
"""The enterprise kind that a trait requires, if not a firm."""

TRAIT_DIVISIONS: Final[dict[str, Division]] = {
    "same_name": BY_CODE["330782"],
    **dict.fromkeys(
        ("rare_characters", "full_width_name", "middle_dot", "traditional_variant"),
        BY_CODE["330106"],
    ),
}
"""The division that a trait's company name requires."""

FIRST_TRAITS: Final = ("clean", "clean", "clean", *TRAITS, *TRAITS)
"""The traits of the first enterprises, in order; each at least twice."""
