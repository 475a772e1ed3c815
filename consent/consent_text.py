"""Consent texts shown at a decision, Chinese and English. Each change raises `TEXT_VERSION`.

They say what the Personal Information Protection Law (个人信息保护法, PIPL) asks for: recipient, purpose,
means, kinds, retention and rights (Articles 17 and 23), the right to refuse and to withdraw (14 to 16),
automated decisions (24), and of an ID number why it is needed and what follows (30). Each separate
consent (23, 29) is given to an item by itself. What was shown is stored by its digest, so that texts of
earlier versions stay readable.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from consent.model import PURPOSE_NAMES, Bilingual, Purpose

TEXT_VERSION = "2026.5"

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
    zh="{recipient}申请查看下列信用信息，目的：{purpose}。",
    en="{recipient} requests the credit information below. Purpose: {purpose}.",
)
_KINDS = Bilingual(
    zh="信息种类：{kinds}。各项包含的内容在该项下列明。",
    en="Information: {kinds}. What each contains is listed with it.",
)
_ANSWERS = Bilingual(
    zh="所列核验问题的答案（是、否或无法确定）",
    en="answers to the questions below (yes, no or not determined)",
)
_CHOICE = Bilingual(
    zh="每一项都由您单独选择，默认均不勾选；期限和次数可以缩短、减少，但不会超过对方的申请。",
    en="Nothing is ticked in advance: choose item by item. You may shorten the term and lower the number "
    "of uses, never exceed the request.",
)
_DELETED_AT_ONCE = Bilingual(
    zh="保存期限：每条信息都注明使用期限，使用期限届满即删除；您撤回的，对方收到通知当日删除。",
    en="Retention: each record is deleted when its stated period of use ends; if you withdraw, on the "
    "day the recipient is notified.",
)
_DELETED_LATER = Bilingual(
    zh="保存期限：每条信息都注明使用期限，使用期限届满后 {retention} 日内删除；"
    "您撤回的，对方收到通知当日删除。",
    en="Retention: each record is deleted within {retention} days after its stated period of use ends; "
    "if you withdraw, on the day the recipient is notified.",
)
_NO_AGREEMENT = Bilingual(
    zh="保存期限：对方目前没有有效的数据使用协议（数字合约），保存期限无法说明，因此现在不能同意。",
    en="Retention: the recipient has no agreement in force, so its retention cannot be named and you "
    "cannot consent now.",
)
_MEANS = Bilingual(
    zh="处理方式：对方通过信桥在线查询、核验，在上述目的范围内使用和存储；信桥记录每一次查询。",
    en="Means: the recipient queries and verifies online through Xinqiao, and uses and stores what it "
    "is told for that purpose; Xinqiao records each query.",
)
_AUTOMATED: Mapping[bool | None, Bilingual] = MappingProxyType(
    {
        True: Bilingual(
            zh="自动化决策：对方声明会利用这些信息进行自动化决策。对您权益有重大影响的，"
            "您有权要求对方说明，并有权拒绝仅通过自动化决策作出的决定。",
            en="Automated decisions: the recipient declares that it decides by automated means with "
            "this information. Where that affects you significantly you may ask it to explain, and "
            "refuse a decision that is made by automated means alone.",
        ),
        False: Bilingual(
            zh="自动化决策：对方声明不利用这些信息进行自动化决策。",
            en="Automated decisions: the recipient declares that it does not decide by automated means "
            "with this information.",
        ),
        None: Bilingual(
            zh="自动化决策：对方没有声明是否进行自动化决策，您可以向对方询问。如有且对您权益有重大影响的，"
            "您有权要求说明，并有权拒绝仅通过自动化决策作出的决定。",
            en="Automated decisions: the recipient has not declared whether it decides by automated "
            "means; you may ask it. If it does and that affects you significantly, you may ask it to "
            "explain, and refuse a decision that is made by automated means alone.",
        ),
    }
)
_LIMITS = Bilingual(
    zh="对方只能用于上述目的，不得向第三方提供；每一次查询您都可以免费看到，查询记录保存十年。",
    en="It may be used for this purpose only and not be passed on to anybody. You can see every single "
    "query, free of charge; the record of each is kept for ten years.",
)
# Article 44 ff. and 65. 12345 takes citizens' complaints of every kind and passes them on; 12377 is the
# cyberspace administration's, which coordinates personal information protection (Article 60).
_RIGHTS = Bilingual(
    zh="您的权利：可以在本门户查看、提出异议和撤回；可以向对方（{contact}）或信桥运营方要求查阅、复制、"
    "更正、补充、删除个人信息。认为权益受到侵害的，可以拨打 12345 政务服务便民热线投诉，"
    "或者向网信部门投诉、举报（12377 网络举报热线）。",
    en="Your rights: here you can look, object and withdraw. Of the recipient ({contact}) or the operator "
    "of Xinqiao you can ask for access, a copy, correction, completion and deletion of personal "
    "information. Complaints: 12345 (government services), or the cyberspace administration (12377).",
)
_REFUSAL = Bilingual(
    zh="您可以不同意。不同意不影响贵单位的信用记录和信用评价；"
    "{days}天内，该机构不能再以同一目的向您提出申请。",
    en="You may refuse. Your credit file and ratings stay the same, and for {days} days this "
    "organisation cannot ask you again for the same purpose.",
)
_WITHDRAWAL = Bilingual(
    zh="同意后，您可以随时在“我的授权”中暂停或撤回，也可以只撤回其中一项，和同意一样方便；"
    "从下一次查询起即不再提供。撤回不影响此前已依授权完成的处理；系统将通知对方停止使用。",
    en="You may pause or withdraw, single items too, at any time under “My consents”, as easily as you "
    "consent, from the next query on. A withdrawal does not affect processing that was completed under "
    "the consent before; the system will notify the recipient to stop using the data.",
)
_SEPARATE = Bilingual(
    zh="下面标有“单独同意”的内容是个人信息，由您逐项单独同意。勾选即同意将该项提供给{recipient}"
    "（联系方式：{contact}），处理目的：{purpose}，处理方式：查询、核验、使用、存储；"
    "不勾选的不提供，不影响其他内容。",
    en="Items marked “separate consent” are personal information. Ticking one consents to providing it "
    "to {recipient} (contact: {contact}). Purpose: {purpose}. Means: query, verification, use, "
    "storage. What you do not tick is not provided; nothing else depends on it.",
)
_NECESSITY = Bilingual(
    zh="为什么需要：证件号码按敏感个人信息严格保护，用于核对法定代表人（经营者）身份，防止他人冒用贵单位名义；"
    "号码由对方提供，系统只回答是否一致，不提供号码。",
    en="Why it is needed: an ID number is sensitive personal information, used to verify the legal "
    "representative or operator so that nobody else acts for the enterprise. The recipient supplies the "
    "number and is told only whether it matches.",
)
_EFFECT = Bilingual(
    zh="对您的影响：同意的，对方会知道号码是否一致；不同意的，此项不作答，对方可能改用其他方式核实身份，"
    "或者因无法核实而不予办理，贵单位的信用记录不受影响。",
    en="What follows: if you consent, the recipient learns whether it matches. If not, it gets no "
    "answer, and may verify identity in another way or decline to go on. Your credit file is not "
    "affected.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The receiving client: name, contact (PIPL Article 23), and terms of its agreement in force."""

    name: Bilingual
    contact: Bilingual
    retention_days: int | None
    """Days after the end of use; `None` without an agreement in force."""
    automated_decisions: bool | None = None
    """Declared automated decisions; `None`: not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateItem:
    """An item that needs separate consent, by its name; `on_id_number` for a question on an ID number."""

    name: Bilingual
    on_id_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentText:
    """The text of one request, by what each paragraph says. Plain text: the page escapes it."""

    who: Bilingual
    why: Bilingual
    kinds: Bilingual
    retention: Bilingual
    choice: Bilingual
    refusal: Bilingual
    withdrawal: Bilingual
    limits: Bilingual
    means: Bilingual
    automated: Bilingual
    rights: Bilingual
    separate: Bilingual | None
    """Introduction of the separate consents; `None` where none is asked for."""
    necessity: Bilingual | None
    """Why an ID number is needed; `None` where no question is on one."""
    effect: Bilingual | None
    questions: tuple[Bilingual, ...]
    """Each question, with the values that may be asked."""
    items: tuple[Bilingual, ...]

    @property
    def paragraphs(self) -> tuple[Bilingual, ...]:
        """Every paragraph, in order."""
        every = (
            *(self.who, self.why, self.kinds, self.retention, self.choice, self.refusal),
            *(self.withdrawal, self.limits, self.means, self.automated, self.rights),
            *(self.separate, self.necessity, self.effect, *self.questions, *self.items),
        )
        return tuple(each for each in every if each is not None)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text, kept in the consent record."""
        return text_digest(self.paragraphs)


def compose(
    purpose: Purpose,
    recipient: Recipient,
    *,
    datasets: Sequence[Bilingual],
    questions: Sequence[Bilingual],
    separate: Sequence[SeparateItem],
    cool_down_days: int,
) -> ConsentText:
    """The text of a request for these datasets and questions, by name, with their separate consents."""
    kinds = (*datasets, _ANSWERS) if questions else datasets
    on_id_number = any(each.on_id_number for each in separate)
    name = PURPOSE_NAMES[purpose]
    retention = recipient.retention_days
    numbers = {"days": str(cool_down_days), "retention": str(retention)}
    zh = numbers | {
        "recipient": recipient.name.zh,
        "contact": recipient.contact.zh,
        "purpose": name.zh,
        "kinds": "、".join(each.zh for each in kinds),
    }
    en = numbers | {
        "recipient": recipient.name.en,
        "contact": recipient.contact.en,
        "purpose": name.en,
        "kinds": ", ".join(each.en for each in kinds),
    }

    def filled(text: Bilingual) -> Bilingual:
        return Bilingual(zh=text.zh.format(**zh), en=text.en.format(**en))

    deleted = _DELETED_LATER if retention else _DELETED_AT_ONCE
    return ConsentText(
        who=filled(_WHO),
        why=PURPOSE_TEXTS[purpose],
        kinds=filled(_KINDS),
        retention=filled(_NO_AGREEMENT if retention is None else deleted),
        choice=_CHOICE,
        refusal=filled(_REFUSAL),
        withdrawal=_WITHDRAWAL,
        limits=_LIMITS,
        means=_MEANS,
        automated=_AUTOMATED[recipient.automated_decisions],
        rights=filled(_RIGHTS),
        separate=filled(_SEPARATE) if separate else None,
        necessity=_NECESSITY if on_id_number else None,
        effect=_EFFECT if on_id_number else None,
        questions=tuple(questions),
        items=tuple(each.name for each in separate),
    )


def text_digest(shown: tuple[Bilingual, ...]) -> bytes:
    """SHA-256 of the text shown, kept in the consent record."""
    whole = "\n".join(f"{text.zh}\n{text.en}" for text in shown)
    return hashlib.sha256(whole.encode()).digest()
