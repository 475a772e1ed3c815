"""How the portal speaks of delegates, in both languages."""

from collections.abc import Mapping
from typing import Final

from consent import Act
from gateway.identity.permissions import Power, State, Trouble
from gateway.pages.i18n import Said, Undone

POWERS: Final[Mapping[Power, Said]] = {
    Power.CONSENTS: Said(
        "决定授权：同意、拒绝、暂停、撤回", "Decide on consents: grant, refuse, pause, withdraw"
    ),
    Power.RECORD: Said("查看谁查过和信用档案", "See who looked, and the record"),
    Power.OBJECTIONS: Said("提出和跟进异议", "Raise objections and follow them"),
    Power.CODES: Said("管理企业码", "Look after the enterprise codes"),
}

STATES: Final[Mapping[State, Said]] = {
    State.INVITED: Said("等待接受", "Invited"),
    State.RUNNING: Said("有效", "Active"),
    State.NOT_TAKEN_UP: Said("邀请已过期", "Not taken up"),
    State.OVER: Said("已到期", "Over"),
    State.ENDED: Said("已终止", "Ended"),
}

DID: Final[Mapping[str, Said]] = {
    Act.GRANTED: Said("同意了授权", "Granted a consent"),
    Act.REFUSED: Said("拒绝了申请", "Refused a request"),
    Act.PAUSED: Said("暂停了授权", "Paused a consent"),
    Act.RESUMED: Said("恢复了授权", "Resumed a consent"),
    Act.WITHDRAWN: Said("撤回了授权", "Withdrew a consent"),
    Act.AMENDED: Said("变更了授权", "Changed a consent"),
}
OBJECTED: Final = Said("办理了异议", "Acted on an objection")

TROUBLES: Final[Mapping[Trouble, Said]] = {
    Trouble.NO_NAME: Said("请填写经办人姓名或称呼。", "Give the delegate a name."),
    Trouble.NO_POWERS: Said("请至少勾选一项可办理的事项。", "Tick at least one thing to pass on."),
    Trouble.TERM: Said(
        "期限无法使用：请选择今天起一年以内的日期。",
        "This term cannot be used: choose a day within a year from today.",
    ),
    Trouble.TOO_LATE: Said(
        "这份邀请已被使用、已过期或已撤销。请联系法定代表人重新邀请。",
        "This invitation was used, has expired or was taken back. Ask the legal representative for a "
        "new one.",
    ),
    Trouble.OWN: Said(
        "您是发出邀请的人，不能自己接受。请把链接转给经办人。",
        "You made this invitation and cannot take it up yourself. Pass the link on.",
    ),
}

NOTICES: Final[Mapping[str, Said]] = {
    "ended": Said(
        "已终止。该经办人的下一次操作起不再有效。",
        "Ended. From the delegate’s next click on nothing is allowed.",
    ),
    "too_late": Undone("它之前已经终止。", "It had ended before."),
    "already": Undone(
        "这份邀请已经发出过，没有重复发出。",
        "This invitation exists already; no second one was made.",
    ),
}
