"""Consent texts shown at a decision, Chinese and English. Each change raises `TEXT_VERSION`.

They say who asks, for what, what a refusal means and how to take a consent back, as the Personal
Information Protection Law (个人信息保护法, PIPL) asks for: Articles 14 to 17, and 23 for the
separate consent of a natural person whose data goes to another handler. An individual business is
half a natural person, so it is shown that paragraph too.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consent.model import PURPOSE_NAMES, Bilingual, Purpose

TEXT_VERSION = "2026.2"

PURPOSE_TEXTS: Mapping[Purpose, Bilingual] = MappingProxyType(
    {
        Purpose.LOAN_APPROVAL: Bilingual(
            zh="用于审查贵单位的贷款申请，决定是否贷款、贷多少、利率多少。",
            en="To examine your loan application: whether to lend, how much, and at what rate.",
        ),
        Purpose.POST_LOAN_MANAGEMENT: Bilingual(
            zh="用于在贷款存续期间了解贵单位的信用变化。",
            en="To follow how your credit develops while a loan to you is running.",
        ),
        Purpose.MERCHANT_ONBOARDING: Bilingual(
            zh="用于审核贵单位入驻平台的申请。",
            en="To examine your application to trade on a platform.",
        ),
        Purpose.MERCHANT_REVIEW: Bilingual(
            zh="用于在贵单位入驻平台期间定期复核登记和信用信息。",
            en="To check your registration and credit again from time to time while you trade there.",
        ),
        Purpose.SUPPLIER_CHECK: Bilingual(
            zh="用于审核贵单位能否成为其供应商。",
            en="To decide whether you can become a supplier.",
        ),
        Purpose.TENDER: Bilingual(
            zh="用于审查贵单位在招标投标中的信用情况。",
            en="To examine your credit in a tender in which you take part.",
        ),
        Purpose.INSURANCE_UNDERWRITING: Bilingual(
            zh="用于审查贵单位的投保申请，决定是否承保和保费多少。",
            en="To examine your application for insurance: whether to insure you, and at what price.",
        ),
        Purpose.CREDIT_SERVICE: Bilingual(
            zh="用于为贵单位提供信用报告、信用评价等信用服务。",
            en="To offer you a credit service, such as a credit report or a rating.",
        ),
        Purpose.PUBLIC_INTEREST: Bilingual(
            zh="用于法律法规规定的公共利益事项。",
            en="For a matter of public interest that a law or regulation names.",
        ),
    }
)

_WHO = Bilingual(
    zh="{recipient}希望查看下列信用信息，目的：{purpose}。",
    en="{recipient} would like to see the credit information below. Purpose: {purpose}.",
)
_CHOICE = Bilingual(
    zh="每一项都由您单独选择，默认均不勾选；期限和次数可以缩短、减少，但不会超过对方的申请。",
    en="You choose each item by itself; none is ticked beforehand. You may shorten the term and "
    "lower the number of uses; they never exceed what was asked for.",
)
_REFUSAL = Bilingual(
    zh="您可以不同意。不同意不影响贵单位的信用记录和信用评价；"
    "{days}天内，该机构不能再以同一目的向您提出申请。",
    en="You may refuse. A refusal changes nothing in your credit file or your ratings, and for "
    "{days} days this organisation cannot ask you again for the same purpose.",
)
_WITHDRAWAL = Bilingual(
    zh="同意后，您可以随时在“我的授权”中暂停或撤回，和同意一样方便；"
    "从下一次查询起即不再提供。撤回前已经提供的信息不受影响。",
    en="You may pause or withdraw at any time under “My consents”, as easily as you consent; it "
    "holds from the very next query. What was told before remains lawful.",
)
_LIMITS = Bilingual(
    zh="对方只能用于上述目的，不得转给他人；每一次查询您都可以免费看到，查询记录保存十年。",
    en="It may be used for this purpose only and not be passed on. You can see every single query, "
    "free of charge; the record of each is kept for ten years.",
)
_SEPARATE = Bilingual(
    zh="单独同意：贵单位为个体工商户，上述信息中可能包含经营者的个人信息。您在此单独同意将其提供给"
    "{recipient}（联系方式：{contact}），处理目的：{purpose}，处理方式：查询、核验、留存查询凭证，"
    "个人信息种类：您在上面逐项勾选的内容。",
    en="Separate consent: yours is an individual business, so that this information may contain "
    "personal information of its operator. You consent, separately, to its being provided to "
    "{recipient} (contact: {contact}) for the purpose of {purpose}; it is queried, verified and "
    "kept as evidence of the query; the kinds of personal information are those you tick above.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The receiving client: its name in the agreement and its contact (PIPL Article 23)."""

    name: str
    contact: str


def paragraphs(
    purpose: Purpose, recipient: Recipient, *, individual_business: bool, cool_down_days: int
) -> tuple[Bilingual, ...]:
    """Paragraphs shown, in order. Plain text: the page escapes it."""
    shown = (_WHO, PURPOSE_TEXTS[purpose], _CHOICE, _REFUSAL, _WITHDRAWAL, _LIMITS)
    separate = (_SEPARATE,) if individual_business else ()
    name = PURPOSE_NAMES[purpose]
    words = {"recipient": recipient.name, "contact": recipient.contact, "days": str(cool_down_days)}
    return tuple(
        Bilingual(
            zh=text.zh.format(**words, purpose=name.zh), en=text.en.format(**words, purpose=name.en)
        )
        for text in shown + separate
    )


def text_digest(shown: tuple[Bilingual, ...]) -> bytes:
    """SHA-256 of the text shown, kept in the consent record."""
    whole = "\n".join(f"{text.zh}\n{text.en}" for text in shown)
    return hashlib.sha256(whole.encode()).digest()
