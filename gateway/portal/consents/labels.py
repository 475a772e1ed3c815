"""Texts of the consent pages in Chinese and English."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from consent import Act, Consent, Event, Status
from gateway.pages.i18n import Translated, WarningText
from gateway.pages.page_route import PageMessage
from gateway.pages.rendering import format_day, format_end
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.labels import STATUSES
from gateway.portal.page_queries import ClientCard

NOTICES: Final[Mapping[str, Translated]] = {
    "granted": Translated(
        "已同意。您可以随时在本页暂停或撤回。",
        "Granted. You can pause or withdraw it on this page at any time.",
    ),
    "amended": Translated(
        "已变更。从下一次查询起按新的内容提供。",
        "Changed. The new terms apply from the next query on.",
    ),
    "refused": Translated(
        "已拒绝。没有提供任何信息。",
        "Refused. Nothing was provided.",
    ),
    "may_ask": Translated(
        "已允许。对方从现在起可以再次申请，是否同意仍由您决定。",
        "Allowed. The organisation may ask again from now on; the decision remains yours.",
    ),
    "withdraw": Translated(
        "已撤回。从下一次查询起不再提供。",
        "Withdrawn. From the next query on nothing is provided.",
    ),
    "pause": Translated(
        "已暂停。恢复之前不再提供。",
        "Paused. Nothing is provided until you resume it.",
    ),
    "resume": Translated("已恢复。", "Resumed."),
    "in_person": WarningText(
        "只有法定代表人（经营者）本人可以恢复这项授权，您的操作没有执行。",
        "Only the legal representative or operator in person can resume this; nothing was done.",
    ),
    "too_late": WarningText(
        "状态已经变化，您的操作没有执行。请查看当前状态。",
        "The status had changed and nothing was done. Please see the current status.",
    ),
}
NOTHING_LEFT: Final = "nothing_left"
PROBLEMS: Final[Mapping[str, Translated]] = {
    DecisionProblem.NOTHING_CHOSEN: Translated(
        "您还没有勾选任何一项。请至少勾选一项，或者选择“不同意”。",
        "You have not ticked anything. Please tick at least one item, or choose “Refuse”.",
    ),
    DecisionProblem.OTHER_TEXT: Translated(
        "您阅读期间本页内容有更新，您的选择没有提交。请阅读更新后的内容再作决定。",
        "This page has changed since you opened it, and your choice was not submitted. Please read it "
        "as it is now, and then decide.",
    ),
    DecisionProblem.TERM: Translated(
        "请选择今天或今天以后、且不超过所列期限的日期。",
        "Please choose today or a later day, within the term shown.",
    ),
    DecisionProblem.USES_SPENT: Translated(
        "次数须大于已用次数，您的选择没有提交。如果不再提供，请撤回授权。",
        "The number must exceed the uses so far; your choice was not submitted. If nothing more is to be "
        "provided, withdraw the consent.",
    ),
    DecisionProblem.SEPARATE: Translated(
        "您勾选了单独同意的内容，但没有勾选它所属的信息，您的选择没有提交。请一并勾选，或者都不勾选。",
        "You ticked a separate consent without the information that it belongs to; your choice was not "
        "submitted. Please tick both, or neither.",
    ),
    DecisionProblem.NO_AGREEMENT: Translated(
        "对方目前没有有效的数据使用协议（数字合约），现在不能同意，您的选择没有提交。您可以选择“不同意”。",
        "The organisation has no agreement in force, so you cannot consent now; your choice was not "
        "submitted. You can choose “Refuse”.",
    ),
    DecisionProblem.IN_PERSON: Translated(
        "其中有须由法定代表人（经营者）本人决定的内容，经办人不能代为同意，您的选择没有提交。",
        "Only the legal representative or operator in person can consent to part of this; your choice "
        "was not submitted.",
    ),
    DecisionProblem.ALREADY_DECIDED: Translated(
        "刚才有另一项操作同时进行，您的选择没有提交。请再确认一次。",
        "Another action took place at the same moment and your choice was not submitted. Please confirm "
        "it again.",
    ),
    DecisionProblem.ALREADY_ENDED: Translated(
        "要变更的授权已经结束，无法变更，您的选择没有提交。您可以选择“不同意”。",
        "The consent to be changed has ended; your choice was not submitted. You can choose “Refuse”.",
    ),
    NOTHING_LEFT: Translated(
        "请至少保留一项，您的选择没有提交。如果不再提供，请撤回授权。",
        "Please keep at least one item; your choice was not submitted. If nothing more is to be provided, "
        "withdraw the consent.",
    ),
    "unchanged": Translated("您没有作任何变更。", "You have not changed anything."),
}
PROBLEM_FIELDS: Final[Mapping[str, str]] = {
    DecisionProblem.NOTHING_CHOSEN: "choices",
    NOTHING_LEFT: "choices",
    DecisionProblem.SEPARATE: "choices",
    DecisionProblem.IN_PERSON: "choices",
    DecisionProblem.TERM: "last_day",
    DecisionProblem.USES: "max_uses",
    DecisionProblem.USES_SPENT: "max_uses",
}
"""The field that a problem is with."""
MY_CONSENTS: Final = ("/portal", Translated("查看我的授权", "View my consents"))

NOT_FOR_YOU: Final = PageMessage(
    403,
    Translated("这个申请不是发给您的", "This request is not for you"),
    Translated(
        "您当前登录的身份不能代表该企业作出决定。企业的法定代表人（经营者）可以在本门户邀请您担任经办人；如果您还有其他账号，请先退出，再从对方的页面重新打开。",
        "The identity you signed in with cannot decide for this enterprise. Its legal "
        "representative or operator can invite you as a delegate here. If you have another "
        "account, sign out and open the request again from the organisation’s page.",
    ),
)
"""The same whether the enterprise exists or not."""
DECIDED: Final = PageMessage(
    409,
    Translated("这个申请已作出决定", "This request has been decided"),
    Translated(
        "每个申请只能决定一次，不会重复生效。您可以在“我的授权”中查看结果，也可以随时撤回。",
        "A request is decided once and cannot take effect twice. You can view the result, and withdraw, "
        "under “My consents”.",
    ),
    MY_CONSENTS,
)
EXPIRED: Final = PageMessage(
    410,
    Translated("这个申请已过期", "This request has expired"),
    Translated(
        "申请页面只保留 30 分钟，没有作出任何授权。如有需要，请回到对方的页面重新申请。",
        "A request stays open for 30 minutes. Nothing was granted. If you want to go on, start "
        "again from the organisation’s page.",
    ),
    MY_CONSENTS,
)
LAPSED: Final = PageMessage(
    410,
    Translated("这个申请已过期", "This request has expired"),
    Translated(
        "申请没有在期限内得到答复，没有作出任何授权。如有需要，请对方重新申请。",
        "It was not answered in time. Nothing was granted. If you want to go on, let the "
        "organisation ask again.",
    ),
    MY_CONSENTS,
)
ENDED: Final = PageMessage(
    410,
    Translated("要变更的授权已经结束", "The consent that would be changed has ended"),
    Translated(
        "这个变更申请随之结束，没有作出任何授权。如有需要，请对方重新申请。",
        "So this request has ended too. Nothing was granted. If you want to go on, let the "
        "organisation ask again.",
    ),
    MY_CONSENTS,
)
TAKEN_BACK: Final = PageMessage(
    410,
    Translated("对方已撤回这个申请", "The organisation has withdrawn this request"),
    Translated(
        "没有作出任何授权，您无需办理。对方重新申请的，会列在首页；原有授权不受影响。",
        "Nothing was granted, and there is nothing for you to do. If it has made a new request, the "
        "start page lists it; a consent that was to be changed stays as it is.",
    ),
    MY_CONSENTS,
)
ELSEWHERE: Final = PageMessage(
    409,
    Translated("这个申请正在另一处办理", "This request is open elsewhere"),
    Translated(
        "它已在另一个登录中打开，为安全起见不能在这里决定。请在原来的浏览器里继续，或者从对方的页面重新申请。",
        "It is open in another sign-in and, for safety, cannot be decided here. Go on in the "
        "browser where you began, or start again from the organisation’s page.",
    ),
    MY_CONSENTS,
)


ENDINGS: Final[Mapping[str, Translated]] = {
    Act.REFUSED: Translated("拒绝", "refused"),
    Act.WITHDRAWN: Translated("撤回", "withdrawn"),
    Act.GIVEN_UP: Translated("对方撤销", "given up by the organisation"),
    Act.SUPERSEDED: Translated("被新的授权替代", "replaced by a newer consent"),
    Status.EXPIRED: Translated("到期", "expired"),
    Status.EXHAUSTED: Translated("次数用完", "all uses used up"),
}
REQUEST_REPLACED: Final = Translated("被新的申请替代", "replaced by a newer request")
NOT_ANSWERED: Final = Translated("未答复，申请失效", "not answered in time")


def ending_text(
    ended: Consent, status: Status, last_act: Event | None, last_use: datetime | None
) -> Translated:
    """The days on which a consent began and ended, and how: 2026-05-01 起，2026-11-29 您撤回."""
    match status:
        case Status.EXPIRED:
            how = ENDINGS[status] if ended.was_granted else NOT_ANSWERED
            end: datetime | None = ended.valid_until if ended.was_granted else ended.answer_by
        case Status.EXHAUSTED:
            how, end = ENDINGS[status], last_use
        case Status.REFUSED:  # the last act may be the end of its cool-down
            how, end = ENDINGS[Act.REFUSED], ended.decided_at
        case Status.SUPERSEDED if ended.decided_at is None and ended.amends is None:
            how, end = REQUEST_REPLACED, last_act.at if last_act else None
        case _:
            known = ENDINGS.get(last_act.what) if last_act else None
            how, end = known or STATUSES[status], last_act.at if last_act else None
    zh, en = (f"{format_end(end)} {how.zh}", f"{how.en} {format_end(end)}") if end else how
    if not ended.was_granted or ended.decided_at is None:
        return Translated(zh, en)
    since = format_day(ended.decided_at)
    return Translated(f"{since} 起，{zh}", f"since {since}, {en}")


def too_many_requests(client: ClientCard) -> PageMessage:
    """The message that the client has requested too many consents; nothing was written."""
    return PageMessage(
        429,
        Translated("对方申请过于频繁", "Too many requests"),
        Translated(
            f"“{client.name.zh}”提出的申请已超过约定的数量，没有作出任何授权。请稍后从对方的页面重新打开。",
            f"{client.name.en} has made more requests than its agreement allows. Nothing was "
            "granted. Open it again later from the organisation’s page.",
        ),
    )


def problem_text(problem: str, *, least: int, most: int | None) -> Translated:
    """Sentence on a mistake in a form; `least` and `most` are the numbers of uses that it takes."""
    if problem != DecisionProblem.USES:
        return PROBLEMS[problem]
    if most is None:
        return Translated(
            f"请填写不小于 {least} 的次数，不限次数请留空。",
            f"Please enter a number from {least} on; leave it empty for no limit.",
        )
    if least == most:
        return Translated(f"请填写 {least}。", f"Please enter {least}.")
    return Translated(
        f"请填写 {least} 到 {most} 之间的次数。", f"Please enter a number from {least} to {most}."
    )
