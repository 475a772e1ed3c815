"""Labels of the delegate pages in Chinese and English."""

from collections.abc import Mapping
from typing import Final

from consent import Act
from gateway.identity.permissions import DelegationState, Permission, PermissionProblem
from gateway.pages.i18n import Translated, WarningText

POWERS: Final[Mapping[Permission, Translated]] = {
    Permission.CONSENTS: Translated(
        "决定授权：同意、拒绝、暂停、撤回", "Decide on consents: grant, refuse, pause, withdraw"
    ),
    Permission.RECORD: Translated(
        "查看查询记录和信用档案", "View the access history and the credit file"
    ),
    Permission.OBJECTIONS: Translated("提出和跟进异议", "Raise objections and follow them"),
    Permission.REPAIRS: Translated(
        "申请信用修复，含以企业名义作出承诺",
        "Apply for repairs, with a commitment in the enterprise’s name",
    ),
    Permission.REPORTS: Translated(
        "出具和收回专项信用报告", "Make the enterprise’s own credit reports and take them back"
    ),
    Permission.CODES: Translated("管理企业码", "Look after the enterprise codes"),
}

STATES: Final[Mapping[DelegationState, Translated]] = {
    DelegationState.INVITED: Translated("等待接受", "Invited"),
    DelegationState.RUNNING: Translated("有效", "Active"),
    DelegationState.NOT_TAKEN_UP: Translated("邀请已过期", "Invitation expired"),
    DelegationState.OVER: Translated("已到期", "Expired"),
    DelegationState.ENDED: Translated("已终止", "Ended"),
}

DELEGATE_ACTS: Final[Mapping[str, Translated]] = {
    Act.GRANTED: Translated("同意了授权", "Granted a consent"),
    Act.REFUSED: Translated("拒绝了申请", "Refused a request"),
    Act.PAUSED: Translated("暂停了授权", "Paused a consent"),
    Act.RESUMED: Translated("恢复了授权", "Resumed a consent"),
    Act.WITHDRAWN: Translated("撤回了授权", "Withdrew a consent"),
    Act.AMENDED: Translated("变更了授权", "Changed a consent"),
    Act.COOL_DOWN_ENDED: Translated("允许对方再次申请", "Allowed an organisation to ask again"),
}
REPAIR_ACT: Final = Translated("办理了信用修复申请", "Acted on an application for repair")
OBJECTION_ACT: Final = Translated("办理了异议", "Acted on an objection")

PROBLEMS: Final[Mapping[PermissionProblem, Translated]] = {
    PermissionProblem.NO_NAME: Translated(
        "请填写经办人姓名或称呼。", "Please enter the delegate’s name."
    ),
    PermissionProblem.NO_POWERS: Translated(
        "请至少勾选一项可以办理的事项。", "Please tick at least one matter."
    ),
    PermissionProblem.TERM: Translated(
        "请选择今天起一年以内的日期。",
        "Please choose a day within one year from today.",
    ),
    PermissionProblem.TOO_LATE: Translated(
        "这份邀请已被使用、已过期或已撤销。请联系法定代表人（经营者）重新邀请。",
        "This invitation was used, has expired or was revoked. Ask the legal representative or "
        "operator for a new one.",
    ),
    PermissionProblem.OWN: Translated(
        "您是发出邀请的人，不能自己接受。请把链接发给经办人。",
        "You sent this invitation and cannot accept it yourself. Send the link to the delegate.",
    ),
}

PROBLEM_FIELDS: Final[Mapping[PermissionProblem, str]] = {
    PermissionProblem.NO_NAME: "name",
    PermissionProblem.NO_POWERS: f"power-{Permission.CONSENTS}",
    PermissionProblem.TERM: "last_day",
}
"""The field that a problem is with."""

NOTICES: Final[Mapping[str, Translated]] = {
    "ended": Translated(
        "已终止。该经办人从下一次操作起不能再代表企业办理。",
        "Ended. From the next action on, the delegate can no longer act for the enterprise.",
    ),
    "too_late": WarningText("该经办人此前已经终止。", "It had already ended."),
    "already": WarningText(
        "这份邀请已经生成，没有重复生成。",
        "This invitation exists already; no second one was created.",
    ),
}
