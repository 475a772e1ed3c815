"""Closed lists and published tables of the wire: purposes, questions, datasets, statuses, notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

#: What an answer may be used for.
Purpose: TypeAlias = Literal[
    "loan_approval",
    "post_loan_management",
    "merchant_onboarding",
    "merchant_review",
    "supplier_check",
    "tender",
    "insurance_underwriting",
    "credit_service",
    "public_interest",
]

#: Questions of the published catalogue; `client.questions()` describes them.
QuestionTag: TypeAlias = Literal[
    "annual_report_filed.v1",
    "commitment_fulfilled.v1",
    "comprehensive_rating_at_least.v1",
    "employees_insured_at_least.v1",
    "enterprise_name.v1",
    "enterprise_name.v2",
    "established_for.v1",
    "four_elements.v1",
    "is_active.v1",
    "is_individual_business.v1",
    "is_small_or_micro.v1",
    "legal_representative_id.v1",
    "legal_representative_name.v1",
    "legal_representative_name.v2",
    "licence_item_valid.v1",
    "licence_number_valid.v1",
    "licence_valid.v1",
    "no_enforcement_case.v1",
    "no_equity_freeze.v1",
    "no_live_penalty.v1",
    "not_abnormal.v1",
    "not_in_liquidation.v1",
    "not_judgment_defaulter.v1",
    "not_on_any_serious_list.v1",
    "not_on_serious_violation_list.v1",
    "paid_housing_fund_on_time.v1",
    "paid_social_insurance_on_time.v1",
    "paid_tax_on_time.v1",
    "rating_at_least.v1",
    "registered_address.v1",
    "registration_standing.v1",
    "representative_stable.v1",
    "scope_includes.v1",
    "tax_credit_level_at_least.v1",
    "three_elements.v1",
]

#: Published bundles; `client.bundles()` says what each stands for.
BundleName: TypeAlias = Literal[
    "pre_loan.v1",
    "post_loan.v1",
    "onboarding.v1",
    "review.v1",
    "tender.v1",
]

#: What became of the application behind a query, as its client tells the enterprise.
ApplicationOutcome: TypeAlias = Literal[
    "approved",
    "approved_less",
    "refused",
    "withdrawn",
]

#: Why an application was refused, or approved for less.
OutcomeReason: TypeAlias = Literal[
    "history_too_short",
    "live_penalty",
    "on_serious_list",
    "abnormal_listing",
    "judgment_defaulter",
    "enforcement_case",
    "assets_encumbered",
    "tax_or_social_arrears",
    "licence_missing",
    "rating_too_low",
    "information_incomplete",
    "information_inconsistent",
    "other_sources",
    "not_a_credit_matter",
    "other",
]

#: State of a consent.
ConsentStatus: TypeAlias = Literal[
    "requested",
    "active",
    "refused",
    "paused",
    "withdrawn",
    "expired",
    "exhausted",
    "superseded",
]

#: State of an enterprise's own credit report.
ReportState: TypeAlias = Literal["valid", "newer_records", "taken_back", "expired", "changed"]

#: Why a dataset, or fields of it, were asked for and are not told.
WithheldReason: TypeAlias = Literal[
    "not_in_agreement",
    "not_in_consent",
    "not_for_purpose",
    "class_never",
    "source_unavailable",
    "not_licensed",
]

#: Notices on a record that was told.
RecordChangeKind: TypeAlias = Literal[
    "record_corrected",
    "record_repaired",
    "record_suspended",
    "record_reinstated",
    "record_withdrawn",
    "record_ended",
]

#: Notices on a consent of this client.
ConsentChangeKind: TypeAlias = Literal[
    "consent_granted",
    "consent_refused",
    "consent_narrowed",
    "consent_withdrawn",
    "consent_expired",
]

#: Notice on an enterprise of a watch list.
AnswerChangeKind: TypeAlias = Literal["answer_may_have_changed"]

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
"""Every purpose, for a form or a check of one's own."""
RECORD_CHANGE_KINDS: Final[tuple[RecordChangeKind, ...]] = get_args(RecordChangeKind)
CONSENT_CHANGE_KINDS: Final[tuple[ConsentChangeKind, ...]] = get_args(ConsentChangeKind)
ANSWER_CHANGE_KINDS: Final[tuple[AnswerChangeKind, ...]] = get_args(AnswerChangeKind)

#: Datasets of the published catalogue.
DATASETS: Final = (
    "abnormal_listing",
    "administrative_coercion",
    "annual_report",
    "arrears_notice",
    "branch",
    "change",
    "commitment",
    "complaint",
    "comprehensive_rating",
    "consumption_limit",
    "contract_performance",
    "customs_level",
    "enforcement_case",
    "equity_freeze",
    "honour",
    "industry_rating",
    "inspection",
    "judgment_case",
    "judgment_defaulter",
    "key_person",
    "licence",
    "liquidation",
    "measure",
    "penalty",
    "pledge",
    "public_rating",
    "registration",
    "sampling_result",
    "serious_violation",
    "shareholder",
    "supervision",
    "tax_and_social",
    "tax_credit_level",
    "third_party_rating",
    "untrustworthy_list",
)
#: Purposes of a dataset that is not for all of them.
PURPOSES_OF: Final[Mapping[str, tuple[Purpose, ...]]] = {
    "tax_and_social": (
        "loan_approval",
        "post_loan_management",
        "merchant_onboarding",
        "insurance_underwriting",
        "credit_service",
    ),
}
#: Fields that no client is told, by dataset (`withheld`, reason `class_never`).
NEVER_TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "commitment": ("determined_on",),
    "complaint": ("period", "received", "settled", "authority", "published"),
    "comprehensive_rating": ("indicators",),
    "consumption_limit": ("person_id_number",),
    "equity_freeze": ("holder_id_number",),
    "industry_rating": ("indicators",),
    "inspection": ("related_document_number",),
    "judgment_defaulter": ("person_id_number",),
    "key_person": ("id_number",),
    "licence": ("current_state",),
    "penalty": (
        "procedure",
        "determined_on",
        "published_on",
        "publish_decided",
        "fulfilled",
        "conduct_ended_on",
        "appeal_state",
    ),
    "public_rating": ("indicators",),
    "registration": (
        "legal_representative_id_type",
        "legal_representative_id_number",
        "home_address",
    ),
    "sampling_result": ("related_document_number",),
    "shareholder": ("id_number",),
    "supervision": ("number", "class", "indicator", "date"),
    "third_party_rating": ("indicators",),
}
#: The field with the day of the decision, by which a query filters, by dataset.
DECISION_DAYS: Final[Mapping[str, str]] = {
    "abnormal_listing": "added_on",
    "administrative_coercion": "decided_on",
    "annual_report": "reported_on",
    "arrears_notice": "announced_on",
    "branch": "established_on",
    "change": "changed_on",
    "commitment": "committed_on",
    "comprehensive_rating": "date",
    "consumption_limit": "ordered_on",
    "contract_performance": "determined_on",
    "customs_level": "decided_on",
    "enforcement_case": "filed_on",
    "equity_freeze": "frozen_on",
    "honour": "granted_on",
    "industry_rating": "date",
    "inspection": "inspected_on",
    "judgment_case": "decided_on",
    "judgment_defaulter": "published_on",
    "key_person": "since",
    "licence": "decided_on",
    "liquidation": "began_on",
    "measure": "valid_from",
    "penalty": "decided_on",
    "pledge": "registered_on",
    "public_rating": "date",
    "sampling_result": "announced_on",
    "serious_violation": "added_on",
    "shareholder": "since",
    "supervision": "date",
    "tax_credit_level": "rated_on",
    "third_party_rating": "date",
    "untrustworthy_list": "added_on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRule:
    """Value that a question of the catalogue takes, and whether it needs a consent."""

    value: Literal["none", "text", "one_of", "elements"] = "none"
    one_of: tuple[str, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    """Of a group: by member the question by whose rules it is judged and counted."""
    optional: bool = False
    needs_consent: bool = False
    value_needs_consent: bool = False
    earlier: str | None = None
    """Earlier question on the same attribute, whose consent and budget it shares."""


#: Rules of the questions, by tag.
QUESTION_RULES: Final[Mapping[str, QuestionRule]] = {
    "annual_report_filed.v1": QuestionRule(),
    "commitment_fulfilled.v1": QuestionRule(),
    "comprehensive_rating_at_least.v1": QuestionRule(
        value="one_of",
        one_of=("优秀", "良好", "中等", "较差", "差", "A", "B", "C", "D"),
        needs_consent=True,
    ),
    "employees_insured_at_least.v1": QuestionRule(
        value="one_of", one_of=("1", "10", "50", "100"), needs_consent=True
    ),
    "enterprise_name.v1": QuestionRule(value="text"),
    "enterprise_name.v2": QuestionRule(value="text", earlier="enterprise_name.v1"),
    "established_for.v1": QuestionRule(value="one_of", one_of=("1", "3", "5", "10")),
    "four_elements.v1": QuestionRule(
        value="elements",
        members={
            "name": "enterprise_name.v2",
            "legal_representative": "legal_representative_name.v2",
            "id_number": "legal_representative_id.v1",
        },
        needs_consent=True,
    ),
    "is_active.v1": QuestionRule(),
    "is_individual_business.v1": QuestionRule(),
    "is_small_or_micro.v1": QuestionRule(),
    "legal_representative_id.v1": QuestionRule(value="text", needs_consent=True),
    "legal_representative_name.v1": QuestionRule(value="text"),
    "legal_representative_name.v2": QuestionRule(
        value="text", earlier="legal_representative_name.v1"
    ),
    "licence_item_valid.v1": QuestionRule(
        value="one_of",
        one_of=(
            "food_operation",
            "food_production",
            "drug_retail",
            "medical_device_class_3",
            "public_place_hygiene",
            "medical_institution",
            "tobacco_retail",
            "road_freight",
            "road_passenger",
            "ride_hailing",
            "hazardous_chemicals_trade",
            "refined_oil_retail",
            "pollutant_discharge",
            "work_safety",
            "construction_qualification",
            "construction_work_safety",
            "industrial_product",
            "special_equipment",
            "inspection_and_testing",
            "value_added_telecom",
            "publication_retail",
            "printing",
            "human_resources",
            "labour_dispatch",
            "travel_agency",
            "hotel",
            "entertainment",
            "fire_safety_before_opening",
            "private_school",
            "crop_seeds",
            "pesticides",
            "veterinary_drugs",
            "aquaculture",
        ),
    ),
    "licence_number_valid.v1": QuestionRule(value="text"),
    "licence_valid.v1": QuestionRule(
        value="one_of", one_of=("普通", "特许", "认可", "核准", "登记", "其他")
    ),
    "no_enforcement_case.v1": QuestionRule(),
    "no_equity_freeze.v1": QuestionRule(),
    "no_live_penalty.v1": QuestionRule(
        value="one_of", one_of=("轻微", "一般", "严重"), optional=True, value_needs_consent=True
    ),
    "not_abnormal.v1": QuestionRule(),
    "not_in_liquidation.v1": QuestionRule(),
    "not_judgment_defaulter.v1": QuestionRule(),
    "not_on_any_serious_list.v1": QuestionRule(),
    "not_on_serious_violation_list.v1": QuestionRule(),
    "paid_housing_fund_on_time.v1": QuestionRule(
        value="one_of", one_of=("6", "12", "24"), needs_consent=True
    ),
    "paid_social_insurance_on_time.v1": QuestionRule(
        value="one_of", one_of=("3", "6", "12", "24"), needs_consent=True
    ),
    "paid_tax_on_time.v1": QuestionRule(
        value="one_of", one_of=("6", "12", "24"), needs_consent=True
    ),
    "rating_at_least.v1": QuestionRule(
        value="one_of", one_of=("优秀", "良好", "中等", "较差", "差"), needs_consent=True
    ),
    "registered_address.v1": QuestionRule(value="text"),
    "registration_standing.v1": QuestionRule(),
    "representative_stable.v1": QuestionRule(value="one_of", one_of=("6", "12")),
    "scope_includes.v1": QuestionRule(value="text"),
    "tax_credit_level_at_least.v1": QuestionRule(
        value="one_of", one_of=("A", "B", "M"), needs_consent=True
    ),
    "three_elements.v1": QuestionRule(
        value="elements",
        members={
            "name": "enterprise_name.v2",
            "legal_representative": "legal_representative_name.v2",
        },
    ),
}
#: Longest value of a question, in characters.
LONGEST_VALUE: Final = 200
#: Distinct values of a question that are answered about one enterprise in 30 days.
DISTINCT_VALUES: Final = 3
