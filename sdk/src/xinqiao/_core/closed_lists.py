"""Closed lists of the wire, as literal types: purposes, questions, statuses, kinds of notices."""

from __future__ import annotations

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
