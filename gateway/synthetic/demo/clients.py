"""The demo clients with their registrations, agreements and keys."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from gateway.clients.filing import Filing
from gateway.clients.registration import Registration
from gateway.clients.terms import ON_A_PERSONS_ID, Terms
from gateway.limits.quotas import Quotas
from gateway.signing.jwk import new_p256_jwk, without_private
from gateway.synthetic.generator.delivered_rows import SOURCES
from verification import QUESTIONS

TERM: Final = timedelta(days=3 * 365)
ALL_QUESTIONS: Final = frozenset(each.tag for each in QUESTIONS)
PUBLIC_QUESTIONS: Final = frozenset(each.tag for each in QUESTIONS if not each.needs_consent)
QUOTAS: Final = Quotas(
    per_minute=6_000,
    per_day=1_000_000,
    per_enterprise_per_minute=600,
    distinct_enterprises_per_day=100_000,
)
FEW: Final = Quotas(
    per_minute=30,
    per_day=1_000_000,
    per_enterprise_per_minute=30,
    distinct_enterprises_per_day=100_000,
)
"""Quotas that a loop meets within seconds, and a person does not: to practise a 429."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoClient:
    """A demo client's registration and agreement."""

    key: str
    client_id: str
    kind: str
    name_zh: str
    name_en: str
    scopes: tuple[str, ...]
    purposes: frozenset[str]
    datasets: frozenset[str] = frozenset()
    questions: frozenset[str] = frozenset()
    redirects: bool = False
    filing: Filing | None = None
    retention_days: int = 0
    contact: str | None = None
    quotas: Quotas = QUOTAS


BANK_DATASETS: Final = frozenset(
    {
        "registration",
        "licence",
        "penalty",
        "abnormal_listing",
        "serious_violation",
        "judgment_defaulter",
        "commitment",
        "inspection",
        "honour",
        "public_rating",
        "industry_rating",
        "annual_report",
        "pledge",
        "tax_and_social",
        "untrustworthy_list",
        "enforcement_case",
        "consumption_limit",
        "arrears_notice",
        "sampling_result",
        "liquidation",
        "equity_freeze",
        "administrative_coercion",
        "measure",
        "comprehensive_rating",
        "tax_credit_level",
        "customs_level",
        "judgment_case",
        "shareholder",
        "key_person",
        "change",
        "branch",
        "contract_performance",
    }
)
DEMO_CLIENTS: Final = (
    DemoClient(
        key="bank",
        client_id="demo-bank",
        kind="bank",
        name_zh="示例银行（合成）",
        name_en="Example Bank (synthetic)",
        scopes=("query", "verify", "consents", "changes", "certificates", "screen"),
        purposes=frozenset({"loan_approval", "post_loan_management"}),
        datasets=BANK_DATASETS,
        questions=ALL_QUESTIONS,
        redirects=True,
        contact="0571-00000001（虚构号码 made-up number）",
        retention_days=30,
    ),
    DemoClient(
        key="platform",
        client_id="demo-platform",
        kind="platform",
        name_zh="示例平台（合成）",
        name_en="Example Platform (synthetic)",
        scopes=("verify", "consents", "changes", "query"),
        purposes=frozenset({"merchant_onboarding", "merchant_review", "supplier_check"}),
        datasets=frozenset({"registration", "licence", "public_rating"}),
        questions=ALL_QUESTIONS - ON_A_PERSONS_ID,
        redirects=True,
        contact="0571-00000002（虚构号码 made-up number）",
    ),
    DemoClient(
        key="agency",
        client_id="demo-agency",
        kind="agency",
        name_zh="示例信用服务机构（合成）",
        name_en="Example Credit Agency (synthetic)",
        scopes=("verify", "query", "consents", "changes", "certificates"),
        purposes=frozenset({"credit_service", "tender"}),
        datasets=frozenset({"registration", "licence", "penalty", "public_rating", "honour"}),
        questions=PUBLIC_QUESTIONS | {"rating_at_least.v1"},
        redirects=True,
        contact="0571-00000003（虚构号码 made-up number）",
        quotas=FEW,
        filing=Filing(
            kind="enterprise_credit_reporting",
            authority="示例备案机关（合成）",
            number="SYNTHETIC-0001",
            checked_on=date(2026, 1, 5),
            valid_until=date(2099, 12, 31),
        ),
    ),
    DemoClient(
        key="source",
        client_id="demo-source",
        kind="source",
        name_zh="示例数源单位（合成）",
        name_en="Example Department (synthetic)",
        scopes=("records:write",),
        purposes=frozenset({"public_interest"}),
        datasets=frozenset({"licence", "penalty", "inspection", "honour"}),
    ),
    DemoClient(
        key="registrar",
        client_id=SOURCES["market_regulation"][0],
        kind="source",
        name_zh="示例登记机关（合成）",
        name_en="Example Registration Authority (synthetic)",
        scopes=("codes",),
        purposes=frozenset({"public_interest"}),
        datasets=frozenset({"registration"}),
    ),
)


def registration_of(
    client: DemoClient, keys: dict[str, Any], redirect_uris: list[str]
) -> Registration:
    """The registration of a demo client."""
    return Registration(
        client_id=client.client_id,
        kind=client.kind,
        name_zh=client.name_zh,
        name_en=client.name_en,
        jwks=keys,
        scopes=client.scopes,
        redirect_uris=tuple(redirect_uris if client.redirects else ()),
        filing=client.filing,
        contact=client.contact,
        loopback=True,
    )


def terms_of(client: DemoClient, now: datetime) -> Terms:
    """The agreement terms of a demo client."""
    return Terms(
        purposes=client.purposes,
        datasets=client.datasets,
        questions=client.questions,
        quotas=client.quotas,
        retention_days=client.retention_days,
        valid_from=now - timedelta(days=1),
        valid_until=now + TERM,
    )


def new_keys(client: DemoClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """A new ES256 key as private and as public JWK set."""
    key = new_p256_jwk(kid=f"{client.client_id}-1")
    return {"keys": [key]}, {"keys": [without_private(key)]}
