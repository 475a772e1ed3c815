"""Render the decision page and its substitutes: expired, decided, cooling down, not for this person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from consent import COOL_DOWN, Bilingual, Consent, Purpose, Scope, consent_text
from consent.consent_text import Recipient
from gateway.creditfile.catalogue import Catalogue
from gateway.identity.session_dependency import Visitor
from gateway.pages.i18n import Translated
from gateway.pages.page_route import HOME
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import self_and
from gateway.portal import labels
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.consents.decision_form import (
    INDIVIDUAL_BUSINESS,
    digest_of,
    fields_behind,
    in_person_only,
)
from gateway.portal.page_queries import ClientCard, EnterpriseCard

frame: Final = PageRenderer("gateway.portal")

NOTICES: Final[Mapping[str, Translated]] = {
    DecisionProblem.NOTHING_CHOSEN: Translated(
        "您还没有勾选任何一项。请至少勾选一项再同意，或者选择“不同意”。",
        "You have not ticked anything. Tick at least one item to consent, or choose “Refuse”.",
    ),
    DecisionProblem.OTHER_TEXT: Translated(
        "页面文字在您阅读期间有更新，没有写入任何内容。请阅读现在的内容后再决定。",
        "The words of this page have changed while you read, and nothing was written. Please read "
        "them as they are now, and decide then.",
    ),
    DecisionProblem.TERM: Translated(
        "期限无法使用：请选择今天以后、且不超过对方申请期限的日期。",
        "This term cannot be used: choose a day after today and within what was asked for.",
    ),
    DecisionProblem.USES: Translated(
        "次数无法使用：请填写不小于 1、且不超过对方申请的次数。",
        "This number cannot be used: give at least 1 and no more than was asked for.",
    ),
    DecisionProblem.USES_SPENT: Translated(
        "这个次数已经用完，没有写入任何内容。请填写大于已用次数的次数；不想再提供的话，请撤回授权。",
        "So many uses are spent already; nothing was written. Give more than were spent, or withdraw "
        "the consent if nothing more is to be told.",
    ),
    DecisionProblem.SEPARATE: Translated(
        "请阅读并勾选“单独同意”，或者选择“不同意”。",
        "Please read and tick the separate consent, or choose “Refuse”.",
    ),
    DecisionProblem.IN_PERSON: Translated(
        "这里有须由法定代表人（经营者）本人决定的内容，经办人不能代为同意，没有写入任何内容。",
        "Only the legal representative or operator in person can agree to this; nothing was written.",
    ),
    DecisionProblem.ALREADY_DECIDED: Translated(
        "刚才有另一项操作同时进行，没有写入任何内容。请再确认一次。",
        "Something else happened at the same moment and nothing was written. Please decide again.",
    ),
    DecisionProblem.ALREADY_ENDED: Translated(
        "要变更的授权已经结束，无法变更，没有写入任何内容。您可以选择“不同意”。",
        "The consent that would be changed has ended; nothing was written. You can choose “Refuse”.",
    ),
}


Closed = Literal["decided", "expired", "lapsed", "ended", "taken_back", "elsewhere"]
"""Why a request cannot be decided (here)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage:
    """The contents of the decision page."""

    action: str
    """Where the form goes."""
    form: str
    """What its hidden token is for."""
    redirect_origin: str
    """Where the decision leads; empty where it stays here."""
    client: ClientCard
    enterprise: EnterpriseCard
    scope: Scope
    purpose: Purpose
    text: tuple[Bilingual, ...]
    cooling_until: datetime | None
    in_person: bool
    """Whether this person may also decide what no delegate may."""
    changes: Consent | None = None
    """The running consent that would be changed in its place."""


def recipient(client: ClientCard) -> Recipient:
    """Who would be told, in both languages, and how to reach it; through the operator, if need be."""
    same = client.name.zh == client.name.en
    both = client.name.zh if same else f"{client.name.zh}（{client.name.en}）"
    through_us = f"信桥运营方 Xinqiao operator, {client.client_id}"
    return Recipient(name=both, contact=client.contact or through_us)


def text_before(
    client: ClientCard, enterprise: EnterpriseCard, purpose: Purpose
) -> tuple[Bilingual, ...]:
    """The exact words that stand before this decision."""
    return consent_text.paragraphs(
        purpose,
        recipient(client),
        individual_business=enterprise.kind == INDIVIDUAL_BUSINESS,
        cool_down_days=COOL_DOWN.days,
    )


def decision(
    request: Request,
    visitor: Visitor,
    question: DecisionPage,
    *,
    catalogue: Catalogue,
) -> Response:
    """Draw the decision page, or, in the cool-down after a refusal, what stands in its place."""
    kept_back = [] if question.in_person else in_person_only(question.scope.questions)
    who, why, choose, *terms = [Translated(each.zh, each.en) for each in question.text]
    return frame.page(
        request,
        "portal/cooling.html" if question.cooling_until else "portal/decide.html",
        onward=None,
        form_action=self_and(question.redirect_origin),
        visitor=visitor,
        question=question,
        client_kind=labels.CLIENT_KINDS.get(
            question.client.kind, Translated("机构", "Organisation")
        ),
        purpose=labels.purpose_name(question.purpose),
        who=who,
        why=why,
        choose=choose,
        terms=terms[:3],
        separate=terms[3] if len(terms) > 3 else None,  # noqa: PLR2004  # as wording orders them
        datasets=[
            (code, labels.item_name(code, catalogue), labels.fields_behind(code, catalogue))
            for code in question.scope.datasets
        ],
        questions=[
            (tag, labels.item_name(tag, catalogue))
            for tag in question.scope.questions
            if tag not in kept_back
        ],
        kept_back=[labels.item_name(tag, catalogue) for tag in kept_back],
        may_grant=question.in_person or question.enterprise.kind != INDIVIDUAL_BUSINESS,
        now_allowed=[
            labels.item_name(code, catalogue)
            for code in (*question.changes.datasets, *question.changes.questions)
        ]
        if question.changes
        else [],
        last_day=question.scope.valid_until - timedelta(microseconds=1),
        notice=NOTICES.get(request.query_params.get("notice", "")),
        action=question.action,
        csrf=visitor.token(question.form),
        text_digest=consent_text.text_digest(question.text).hex(),
        behind=digest_of(fields_behind(question.scope.datasets, catalogue)),
    )


def cooling(
    request: Request, visitor: Visitor, client: ClientCard, cooling_until: datetime, onward: str
) -> Response:
    """Say that the client may not ask again yet; the button leads back to it."""
    return frame.page(
        request,
        "portal/cooling.html",
        visitor=visitor,
        question={"client": client, "cooling_until": cooling_until},
        onward=onward,
    )


def too_many_requests(request: Request, visitor: Visitor, client: ClientCard) -> Response:
    """Say that the client has requested too many consents, and nothing was written."""
    return frame.error_page(
        request,
        status=429,
        title=Translated("对方申请过于频繁", "Too many requests"),
        sentence=Translated(
            f"“{client.name.zh}”提出的申请已超过约定的数量，没有作出任何授权。请稍后从对方的页面重新打开。",
            f"{client.name.en} has made more requests than its agreement allows. Nothing was "
            "granted. Open it again later from the organisation’s page.",
        ),
        onward=HOME,
        visitor=visitor,
    )


def which_enterprise(
    request: Request,
    visitor: Visitor,
    client: ClientCard,
    cards: list[EnterpriseCard],
) -> Response:
    """Ask for which of several enterprises the person wants to decide."""
    return frame.page(
        request,
        "portal/which.html",
        visitor=visitor,
        client=client,
        enterprises=cards,
        kinds=labels.ENTERPRISE_KINDS,
    )


def not_for_you(request: Request, visitor: Visitor) -> Response:
    """Say that this cannot be decided here: the same whether the enterprise exists or not."""
    return frame.error_page(
        request,
        status=403,
        title=Translated("这个申请不是发给您的", "This request is not for you"),
        sentence=Translated(
            "您当前登录的身份不能代表被申请的企业作决定。企业的法定代表人（经营者）可以在本门户任命您为经办人；如果您还有其他账号，请先退出，再从对方的页面重新打开。",
            "Signed in as you are, you cannot decide for the enterprise that is asked. Its legal "
            "representative or operator can appoint you as a delegate here. If you have another "
            "account, sign out and open the request again from the organisation’s page.",
        ),
        onward=HOME,
        visitor=visitor,
    )


def over(
    request: Request,
    visitor: Visitor,
    why: Closed,
) -> Response:
    """Say why there is nothing to decide any more."""
    title, sentence = _OVER[why]
    return frame.error_page(
        request,
        status=410 if why in {"expired", "lapsed", "ended", "taken_back"} else 409,
        title=title,
        sentence=sentence,
        onward=("/portal", Translated("查看我的授权", "See my consents")),
        visitor=visitor,
    )


_OVER: Final = {
    "decided": (
        Translated("这个申请已经决定过了", "This has been decided already"),
        Translated(
            "每个申请只能决定一次，不会重复生效。您可以在“我的授权”里查看结果，也可以随时撤回。",
            "A request is decided once and cannot take effect twice. See the result under "
            "“My consents”; there you can also withdraw.",
        ),
    ),
    "expired": (
        Translated("这个申请已过期", "This request has expired"),
        Translated(
            "申请页面只保留 15 分钟，没有作出任何授权。需要的话，请回到对方的页面重新发起。",
            "A request stays open for 15 minutes. Nothing was granted. If you want to go on, start "
            "again from the organisation’s page.",
        ),
    ),
    "lapsed": (
        Translated("这个申请已过期", "This request has expired"),
        Translated(
            "申请没有在期限内得到答复，没有作出任何授权。需要的话，请让对方重新发起。",
            "It was not answered in time. Nothing was granted. If you want to go on, let the "
            "organisation ask again.",
        ),
    ),
    "ended": (
        Translated("要变更的授权已经结束", "The consent that would be changed has ended"),
        Translated(
            "因此这个变更申请也已结束，没有作出任何授权。需要的话，请让对方重新申请。",
            "So this request has ended too. Nothing was granted. If you want to go on, let the "
            "organisation ask again.",
        ),
    ),
    "taken_back": (
        Translated("对方已收回这个申请", "The organisation has taken this request back"),
        Translated(
            "没有作出任何授权，您不需要做什么。如果对方重新提出了申请，会列在首页；"
            "需要变更的授权照旧有效。",
            "Nothing was granted, and there is nothing for you to do. If it has asked anew, the start "
            "page lists that; a consent that was to be changed stays as it is.",
        ),
    ),
    "elsewhere": (
        Translated("这个申请正在另一处办理", "This request is open elsewhere"),
        Translated(
            "它已在另一个登录中打开，为安全起见不能在这里决定。请在原来的浏览器里继续，或从对方的页面重新发起。",
            "It is open in another sign-in and, for safety, cannot be decided here. Go on in the "
            "browser where you began, or start again from the organisation’s page.",
        ),
    ),
}
