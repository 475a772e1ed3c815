"""Texts of the consent pages in Chinese and English."""

from collections.abc import Mapping
from typing import Final

from gateway.pages.i18n import Translated, WarningText
from gateway.pages.page_route import PageMessage
from gateway.portal.consents.decision import DecisionProblem
from gateway.portal.page_queries import ClientCard

NOTICES: Final[Mapping[str, Translated]] = {
    "granted": Translated(
        "已同意。您可以随时在这里暂停或撤回。",
        "Granted. You can pause or withdraw it here at any time.",
    ),
    "amended": Translated(
        "已变更。从下一次查询起按新的内容提供。",
        "Changed. From the next query on the new terms hold.",
    ),
    "refused": Translated(
        "已拒绝。没有提供任何信息。",
        "Refused. Nothing was told.",
    ),
    "withdraw": Translated(
        "已撤回。从下一次查询起不再提供。",
        "Withdrawn. From the next query on nothing is told.",
    ),
    "pause": Translated(
        "已暂停。恢复之前不再提供。",
        "Paused. Nothing is told until you resume it.",
    ),
    "resume": Translated("已恢复。", "Resumed."),
    "in_person": WarningText(
        "只有法定代表人（经营者）本人可以恢复这项授权，没有执行操作。",
        "Only the legal representative or operator in person can resume this; nothing was done.",
    ),
    "too_late": WarningText(
        "状态已经改变，没有执行操作。请查看当前状态。",
        "The state had changed and nothing was done. See where it stands now.",
    ),
}
PROBLEMS: Final[Mapping[str, Translated]] = {
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
        "您勾选了单独同意的内容，但没有勾选它所属的信息，没有写入任何内容。请一并勾选，或者都不勾选。",
        "You ticked a separate consent and not the information that it belongs to; nothing was "
        "written. Tick both, or neither.",
    ),
    DecisionProblem.NO_AGREEMENT: Translated(
        "对方目前没有有效的数据使用协议（数字合约），现在不能同意，没有写入任何内容。您可以选择“不同意”。",
        "The organisation has no agreement in force, so you cannot consent now; nothing was written. "
        "You can choose “Refuse”.",
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
    "unchanged": Translated(
        "没有任何变化，因此没有写入。", "Nothing was different, so nothing was written."
    ),
}
MY_CONSENTS: Final = ("/portal", Translated("查看我的授权", "See my consents"))

NOT_FOR_YOU: Final = PageMessage(
    403,
    Translated("这个申请不是发给您的", "This request is not for you"),
    Translated(
        "您当前登录的身份不能代表被申请的企业作决定。企业的法定代表人（经营者）可以在本门户任命您为经办人；如果您还有其他账号，请先退出，再从对方的页面重新打开。",
        "Signed in as you are, you cannot decide for the enterprise that is asked. Its legal "
        "representative or operator can appoint you as a delegate here. If you have another "
        "account, sign out and open the request again from the organisation’s page.",
    ),
)
"""The same whether the enterprise exists or not."""
DECIDED: Final = PageMessage(
    409,
    Translated("这个申请已经决定过了", "This has been decided already"),
    Translated(
        "每个申请只能决定一次，不会重复生效。您可以在“我的授权”里查看结果，也可以随时撤回。",
        "A request is decided once and cannot take effect twice. See the result under "
        "“My consents”; there you can also withdraw.",
    ),
    MY_CONSENTS,
)
EXPIRED: Final = PageMessage(
    410,
    Translated("这个申请已过期", "This request has expired"),
    Translated(
        "申请页面只保留 15 分钟，没有作出任何授权。需要的话，请回到对方的页面重新发起。",
        "A request stays open for 15 minutes. Nothing was granted. If you want to go on, start "
        "again from the organisation’s page.",
    ),
    MY_CONSENTS,
)
LAPSED: Final = PageMessage(
    410,
    Translated("这个申请已过期", "This request has expired"),
    Translated(
        "申请没有在期限内得到答复，没有作出任何授权。需要的话，请让对方重新发起。",
        "It was not answered in time. Nothing was granted. If you want to go on, let the "
        "organisation ask again.",
    ),
    MY_CONSENTS,
)
ENDED: Final = PageMessage(
    410,
    Translated("要变更的授权已经结束", "The consent that would be changed has ended"),
    Translated(
        "因此这个变更申请也已结束，没有作出任何授权。需要的话，请让对方重新申请。",
        "So this request has ended too. Nothing was granted. If you want to go on, let the "
        "organisation ask again.",
    ),
    MY_CONSENTS,
)
TAKEN_BACK: Final = PageMessage(
    410,
    Translated("对方已收回这个申请", "The organisation has taken this request back"),
    Translated(
        "没有作出任何授权，您不需要做什么。如果对方重新提出了申请，会列在首页；"
        "需要变更的授权照旧有效。",
        "Nothing was granted, and there is nothing for you to do. If it has asked anew, the start "
        "page lists that; a consent that was to be changed stays as it is.",
    ),
    MY_CONSENTS,
)
ELSEWHERE: Final = PageMessage(
    409,
    Translated("这个申请正在另一处办理", "This request is open elsewhere"),
    Translated(
        "它已在另一个登录中打开，为安全起见不能在这里决定。请在原来的浏览器里继续，或从对方的页面重新发起。",
        "It is open in another sign-in and, for safety, cannot be decided here. Go on in the "
        "browser where you began, or start again from the organisation’s page.",
    ),
    MY_CONSENTS,
)


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
