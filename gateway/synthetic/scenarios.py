"""Every case that a credit file can be is there, near the beginning, in however small a province.

A trait changes a draft whose file is otherwise clean of bad information.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from gateway.synthetic import negative_records, positive_records
from gateway.synthetic.divisions import BY_CODE, Division
from gateway.synthetic.enterprise_builder import EnterpriseBuilder
from gateway.synthetic.uscc_generator import with_wrong_check_character

Trait = Callable[[EnterpriseBuilder], None]

_HANGZHOU: Final = BY_CODE["330106"]
_YIWU: Final = BY_CODE["330782"]


def _clean(draft: EnterpriseBuilder) -> None:
    positive_records.add_rating(draft, draft.rng.choice((780, 810, 870, 930)))
    positive_records.add_all_payments(draft)
    for category in ("普通", "核准"):
        positive_records.add_licence(draft, category=category)
    positive_records.add_commitment(draft)
    positive_records.add_inspection(draft)
    positive_records.add_honour(draft)
    positive_records.add_industry_rating(draft, published=True)
    positive_records.add_industry_rating(draft, published=False)
    positive_records.add_third_party_rating(draft)
    positive_records.add_annual_report(draft)
    positive_records.add_pledge(draft)


def _expired(draft: EnterpriseBuilder) -> None:
    negative_records.add_penalty_ending(draft, draft.today - timedelta(days=1))


def _expires_today(draft: EnterpriseBuilder) -> None:
    negative_records.add_penalty_ending(draft, draft.today)


def _repaired(draft: EnterpriseBuilder) -> None:
    negative_records.add_penalty(
        draft,
        published_on=draft.before(150, 100),
        repaired_at=draft.morning(10),
    )


def _withdrawn(draft: EnterpriseBuilder) -> None:
    negative_records.add_penalty(
        draft,
        published_on=draft.before(150, 100),
        withdrawn_at=draft.morning(10),
    )


def _disputed(draft: EnterpriseBuilder) -> None:
    negative_records.add_penalty(
        draft,
        published_on=draft.before(150, 100),
        objection_since=draft.morning(2),
    )


def _penalty(**changed: Any) -> Trait:  # fields of a penalty
    return lambda draft: negative_records.add_live_penalty(draft, **changed)


def _id_number_in_free_text(draft: EnterpriseBuilder) -> None:
    number = draft.person.id_number
    spaced = f"{number[:6]} {number[6:14]} {number[14:]}"
    facts = (
        f"当事人经营者（身份证号：{number}，电话{draft.person.phone}）未按规定明码标价；"
        f"复核时所留证件号为{spaced}。"
    )
    negative_records.add_live_penalty(draft, facts=facts)


def _status(status: str) -> Trait:
    def change(draft: EnterpriseBuilder) -> None:
        draft.status = status

    return change


def _moved(draft: EnterpriseBuilder) -> None:
    draft.status = "moved_out"
    draft.address = "江苏省苏州市姑苏区合成路1号"


def _wrong_check_character(draft: EnterpriseBuilder) -> None:
    draft.uscc, draft.code_ok = with_wrong_check_character(draft.uscc), False


def _named(name: str) -> Trait:
    def change(draft: EnterpriseBuilder) -> None:
        draft.name = name

    return change


def _rare_characters(draft: EnterpriseBuilder) -> None:
    draft.name = "杭州𬱖𠅤喆科技有限公司"
    draft.legal_representative = "王\U0002b5ae龑"


def _former_name(draft: EnterpriseBuilder) -> None:
    draft.former_names = (f"{draft.division.city}旧禾贸易有限公司",)


def _source_unavailable(draft: EnterpriseBuilder) -> None:
    draft.unavailable = ("tax_and_social",)


def _no_change(_: EnterpriseBuilder) -> None:
    return None


TRAITS: Final[dict[str, Trait]] = {
    "clean": _clean,
    "penalised": _penalty(),
    "penalty_expired": _expired,
    "expires_today": _expires_today,
    "repaired": _repaired,
    "withdrawn": _withdrawn,
    "disputed": _disputed,
    "under_appeal": _penalty(appeal_state="under_appeal"),
    "warning_only": _penalty(kinds=["警告"], fine="0.000000", content="警告。", severity="轻微"),
    "simplified_procedure": _penalty(
        procedure="简易",
        fine="0.020000",
        content="罚款0.02万元。",
        severity="轻微",
    ),
    "abnormal": negative_records.add_abnormal_listing,
    "serious_violation": negative_records.add_serious_violation,
    "judgment_defaulter": negative_records.add_judgment_default,
    "individual_business": _no_change,
    "cooperative": _no_change,
    "deregistered": _status("deregistered"),
    "suspended": _status("suspended"),
    "revoked": _status("revoked_not_deregistered"),
    "moved": _moved,
    "wrong_check_character": _wrong_check_character,
    "same_name": _named("义乌市佳禾日用品商行"),
    "id_number_in_free_text": _id_number_in_free_text,
    "rare_characters": _rare_characters,
    "full_width_name": _named("杭州ＡＩ云算（智能）科技有限公司"),
    "middle_dot": _named("杭州茉莉·时光餐饮有限公司"),
    "traditional_variant": _named("杭州龍騰雲數科技有限公司"),
    "former_name": _former_name,
    "source_unavailable": _source_unavailable,
}
"""What each trait does to a draft, by its name."""

TRAIT_KINDS: Final = {
    "individual_business": "individual_business",
    "cooperative": "farmers_cooperative",
    "same_name": "individual_business",
}
"""The kind of the bearer, where the trait asks for one that is not a firm."""

TRAIT_DIVISIONS: Final[dict[str, Division]] = {
    "same_name": _YIWU,
    "rare_characters": _HANGZHOU,
    "full_width_name": _HANGZHOU,
    "middle_dot": _HANGZHOU,
    "traditional_variant": _HANGZHOU,
}
"""Where the bearer is, where its name says so."""

FIRST_TRAITS: Final = ("clean", "clean", "clean", *TRAITS, *TRAITS)
"""The traits of the first enterprises, in their order: each at least twice."""
