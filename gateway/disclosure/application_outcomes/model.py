"""Closed lists of outcomes and reasons, in words, and the outcome of one query. Pure.

Append-only: a meaning that changes gets another name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from consent.model import Bilingual

TERM: Final = timedelta(days=90)
"""How long after the query its outcome can be told."""
MOST_REASONS: Final = 5
MOST_VERSIONS: Final = 2
"""An outcome is replaced once."""


class ApplicationOutcome(StrEnum):
    """Outcome of the application for which a client made a query."""

    APPROVED = "approved"
    APPROVED_LESS = "approved_less"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class OutcomeReason(StrEnum):
    """Why an application was refused, or approved for less."""

    HISTORY_TOO_SHORT = "history_too_short"
    LIVE_PENALTY = "live_penalty"
    ON_SERIOUS_LIST = "on_serious_list"
    ABNORMAL_LISTING = "abnormal_listing"
    JUDGMENT_DEFAULTER = "judgment_defaulter"
    ENFORCEMENT_CASE = "enforcement_case"
    ASSETS_ENCUMBERED = "assets_encumbered"
    TAX_OR_SOCIAL_ARREARS = "tax_or_social_arrears"
    LICENCE_MISSING = "licence_missing"
    RATING_TOO_LOW = "rating_too_low"
    INFORMATION_INCOMPLETE = "information_incomplete"
    INFORMATION_INCONSISTENT = "information_inconsistent"
    OTHER_SOURCES = "other_sources"
    NOT_A_CREDIT_MATTER = "not_a_credit_matter"
    OTHER = "other"


OUTCOME_WORDS: Final[Mapping[ApplicationOutcome, Bilingual]] = MappingProxyType(
    {
        ApplicationOutcome.APPROVED: Bilingual(zh="已通过", en="Approved"),
        ApplicationOutcome.APPROVED_LESS: Bilingual(
            zh="部分通过（额度、期限或条件低于申请）", en="Approved for less than was applied for"
        ),
        ApplicationOutcome.REFUSED: Bilingual(zh="未通过", en="Refused"),
        ApplicationOutcome.WITHDRAWN: Bilingual(
            zh="申请人已撤回申请", en="Withdrawn by the applicant"
        ),
    }
)
REASON_WORDS: Final[Mapping[OutcomeReason, Bilingual]] = MappingProxyType(
    {
        OutcomeReason.HISTORY_TOO_SHORT: Bilingual(
            zh="成立或经营时间不足", en="Established, or in business, for too short a time"
        ),
        OutcomeReason.LIVE_PENALTY: Bilingual(
            zh="有公示期内的行政处罚", en="An administrative penalty that is still published"
        ),
        OutcomeReason.ON_SERIOUS_LIST: Bilingual(
            zh="被列入严重失信主体名单", en="On a list of seriously untrustworthy entities"
        ),
        OutcomeReason.ABNORMAL_LISTING: Bilingual(
            zh="被列入经营异常名录", en="On the list of abnormal operations"
        ),
        OutcomeReason.JUDGMENT_DEFAULTER: Bilingual(
            zh="被列为失信被执行人", en="Listed as a judgment defaulter"
        ),
        OutcomeReason.ENFORCEMENT_CASE: Bilingual(
            zh="有未结执行案件或被限制消费",
            en="An enforcement case that is not closed, or a limit on consumption",
        ),
        OutcomeReason.ASSETS_ENCUMBERED: Bilingual(
            zh="股权被冻结，或财产已抵押、质押", en="Frozen equity, or assets mortgaged or pledged"
        ),
        OutcomeReason.TAX_OR_SOCIAL_ARREARS: Bilingual(
            zh="欠缴税款、社会保险费或住房公积金",
            en="Taxes, social insurance or housing fund in arrears",
        ),
        OutcomeReason.LICENCE_MISSING: Bilingual(
            zh="缺少所需的许可或资质", en="A licence or qualification that is needed is missing"
        ),
        OutcomeReason.RATING_TOO_LOW: Bilingual(
            zh="公共信用评价或纳税信用等级偏低",
            en="The public credit rating or tax credit level is too low",
        ),
        OutcomeReason.INFORMATION_INCOMPLETE: Bilingual(
            zh="信息不完整，无法判断", en="The information is incomplete: no decision was possible"
        ),
        OutcomeReason.INFORMATION_INCONSISTENT: Bilingual(
            zh="信息与申请材料不一致", en="The information differs from the application"
        ),
        OutcomeReason.OTHER_SOURCES: Bilingual(
            zh="依据本平台以外的信息", en="On information from elsewhere"
        ),
        OutcomeReason.NOT_A_CREDIT_MATTER: Bilingual(
            zh="与信用状况无关（如产品、行业或额度政策）",
            en="Not a matter of credit (product, industry or volume policy)",
        ),
        OutcomeReason.OTHER: Bilingual(zh="其他原因", en="Another reason"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOutcome:
    """The outcome of one query's application, as its client told it; `version` 2 replaces 1."""

    uscc: str
    disclosure_id: str
    version: int
    client_id: str
    outcome: ApplicationOutcome
    reasons: Sequence[OutcomeReason]
    at: datetime


def problem_with(outcome: ApplicationOutcome, reasons: Sequence[OutcomeReason]) -> str | None:
    """A sentence on what is wrong with an outcome and its reasons, or `None`."""
    if len(set(reasons)) < len(reasons):
        return "Name each reason once."
    if outcome is ApplicationOutcome.REFUSED and not reasons:
        return "Give at least one reason for a refusal."
    has_none = {ApplicationOutcome.APPROVED, ApplicationOutcome.WITHDRAWN}
    if reasons and outcome in has_none:
        return f"{outcome.value} has no reasons."
    return None
