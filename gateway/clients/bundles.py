"""Bundles: what a purpose usually needs, published and versioned.

A request may name one in place of datasets and questions. It never widens an agreement: what the
agreement lacks is left out. A published bundle never changes; another content is another version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from consent import Purpose
from consent.model import Bilingual
from gateway.clients.agreements import Agreement
from verification import find_question, is_watchable


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledQuestion:
    """A question of a bundle with the value that it is asked with, if it takes one."""

    tag: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Datasets and questions that one purpose usually needs."""

    name: str
    title: Bilingual
    purpose: Purpose
    datasets: tuple[str, ...] = ()
    questions: tuple[BundledQuestion, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the questions."""
        return tuple(each.tag for each in self.questions)

    def datasets_under(self, agreement: Agreement) -> tuple[str, ...]:
        """The datasets that the agreement covers."""
        return tuple(each for each in self.datasets if each in agreement.datasets)

    def tags_under(self, agreement: Agreement) -> tuple[str, ...]:
        """The tags of the questions that the agreement covers."""
        return tuple(each for each in self.tags if each in agreement.questions)

    def watched_under(self, agreement: Agreement) -> tuple[str, ...]:
        """Those of them that can be watched: they need no consent."""
        found = {tag: find_question(tag) for tag in self.tags_under(agreement)}
        return tuple(tag for tag, each in found.items() if each and is_watchable(each))


_STANDING: Final = (
    BundledQuestion(tag="registration_standing.v1"),
    BundledQuestion(tag="not_abnormal.v1"),
    BundledQuestion(tag="not_on_any_serious_list.v1"),
    BundledQuestion(tag="no_live_penalty.v1"),
)
_ASSETS: Final = (
    BundledQuestion(tag="no_enforcement_case.v1"),
    BundledQuestion(tag="no_equity_freeze.v1"),
    BundledQuestion(tag="not_in_liquidation.v1"),
)
_ON_TIME: Final = (
    BundledQuestion(tag="paid_tax_on_time.v1", value="12"),
    BundledQuestion(tag="paid_social_insurance_on_time.v1", value="12"),
)
_LISTS: Final = (
    "penalty",
    "abnormal_listing",
    "serious_violation",
    "judgment_defaulter",
    "untrustworthy_list",
)
_COURT: Final = ("enforcement_case", "consumption_limit", "equity_freeze")

PUBLISHED: Final = (
    Bundle(
        name="pre_loan.v1",
        title=Bilingual(zh="授信前", en="Before a loan"),
        purpose=Purpose.LOAN_APPROVAL,
        datasets=(
            *("registration", "licence", *_LISTS, *_COURT, "pledge", "shareholder"),
            *("public_rating", "comprehensive_rating", "tax_credit_level", "tax_and_social"),
            "annual_report",
        ),
        questions=(*_STANDING, *_ASSETS, *_ON_TIME),
    ),
    Bundle(
        name="post_loan.v1",
        title=Bilingual(zh="贷后", en="After a loan"),
        purpose=Purpose.POST_LOAN_MANAGEMENT,
        datasets=(
            *("registration", *_LISTS, *_COURT, "liquidation", "arrears_notice"),
            *("public_rating", "tax_and_social"),
        ),
        questions=(*_STANDING, *_ASSETS, *_ON_TIME),
    ),
    Bundle(
        name="onboarding.v1",
        title=Bilingual(zh="入驻", en="Merchant onboarding"),
        purpose=Purpose.MERCHANT_ONBOARDING,
        datasets=("registration", "licence"),
        questions=(*_STANDING, BundledQuestion(tag="annual_report_filed.v1")),
    ),
    Bundle(
        name="review.v1",
        title=Bilingual(zh="复核", en="Merchant review"),
        purpose=Purpose.MERCHANT_REVIEW,
        datasets=("registration", "licence"),
        questions=(*_STANDING, BundledQuestion(tag="annual_report_filed.v1")),
    ),
    Bundle(
        name="tender.v1",
        title=Bilingual(zh="招投标", en="Tender"),
        purpose=Purpose.TENDER,
        datasets=("registration", "licence", *_LISTS, "honour", "contract_performance"),
        questions=(*_STANDING, *_ASSETS, *_ON_TIME),
    ),
)

BUNDLES: Final[Mapping[str, Bundle]] = MappingProxyType({each.name: each for each in PUBLISHED})

USUAL: Final[Mapping[Purpose, Bundle]] = MappingProxyType(
    {each.purpose: each for each in PUBLISHED}
)
"""The newest bundle of each purpose that has one."""


def beyond_usual(
    purpose: Purpose, datasets: Iterable[str], questions: Iterable[str]
) -> tuple[str, ...]:
    """The datasets and tags that a request for `purpose` names beyond its usual bundle.

    The same for every client; nothing where the purpose has no bundle. A question that needs no
    consent is never beyond it.
    """
    usual = USUAL.get(purpose)
    if usual is None:
        return ()
    found = (find_question(tag) for tag in questions)
    closed = (each for each in found if each is not None and each.needs_consent)
    return (
        *(name for name in datasets if name not in usual.datasets),
        *(each.tag for each in closed if set(each.consented_by).isdisjoint(usual.tags)),
    )
