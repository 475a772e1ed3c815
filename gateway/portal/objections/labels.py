"""Labels of the objection pages in Chinese and English."""

from collections.abc import Mapping
from typing import Final

from gateway.creditfile.objections.model import (
    ObjectionAct,
    ObjectionKind,
    ObjectionOutcome,
    RefusalReason,
    Role,
    Status,
)
from gateway.creditfile.objections.text_input import MAX_TEXT, InvalidText
from gateway.pages.i18n import Translated, WarningText

KINDS: Final[Mapping[str, Translated]] = {
    ObjectionKind.OBJECTION: Translated("异议", "Objection"),
    ObjectionKind.RATING_APPEAL: Translated("评价申诉", "Rating appeal"),
}

SAID: Final[Mapping[str, Translated]] = {
    ObjectionKind.OBJECTION: Translated("异议内容及理由", "Your objection and reasons"),
    ObjectionKind.RATING_APPEAL: Translated("申诉内容及理由", "Your appeal and reasons"),
}
"""Label of what the enterprise wrote."""

STATUSES: Final[Mapping[str, Translated]] = {
    Status.OPEN: Translated("等待信息提供单位处理", "With the department"),
    Status.DECIDED: Translated("已有处理决定", "Decided"),
    Status.IN_REVIEW: Translated("复核中", "In review"),
    Status.ORDERED: Translated("等待信息提供单位更正", "Correction ordered"),
    Status.CLOSED: Translated("已办结", "Closed"),
}

OUTCOMES: Final[Mapping[str, Translated]] = {
    ObjectionOutcome.UPHELD: Translated("异议成立", "Upheld"),
    ObjectionOutcome.PARTLY: Translated("部分成立", "Partly upheld"),
    ObjectionOutcome.REJECTED: Translated("异议不成立", "Not upheld"),
    ObjectionOutcome.WITHDRAWN: Translated("您已撤回", "Withdrawn by you"),
    ObjectionOutcome.RECORD_DELETED: Translated(
        "记录保存期满，已删除", "Record deleted at the end of its retention"
    ),
}

ACTS: Final[Mapping[str, Translated]] = {
    ObjectionAct.RAISED: Translated("您已提出", "You raised it"),
    ObjectionAct.EXTENDED: Translated(
        "信息提供单位延长了办理期限", "The department extended the deadline"
    ),
    ObjectionAct.DECIDED: Translated("信息提供单位作出决定", "The department decided"),
    ObjectionAct.REVIEW_ASKED: Translated("您申请复核", "You requested a review"),
    ObjectionAct.REVIEWED: Translated("复核作出决定", "The review decided"),
    ObjectionAct.WITHDRAWN: Translated("您结束了办理", "You closed the objection"),
    ObjectionAct.LAPSED: Translated(
        "申请复核的期限已过，处理决定生效",
        "The time to request a review passed; the decision took effect",
    ),
    ObjectionAct.RECOUNTED: Translated(
        "已按公布的节假日重新计算期限",
        "Deadline recalculated by the published holidays",
    ),
    ObjectionAct.FORGOTTEN: Translated(
        "记录保存期满，内容已删除", "Texts deleted at the end of retention"
    ),
}

NEXT: Final[Mapping[str, Translated]] = {
    Role.SOURCE: Translated("信息提供单位办理期限", "The department has until"),
    Role.REVIEWER: Translated("复核办理期限", "The review has until"),
    Role.ENTERPRISE: Translated("可申请复核至", "You may ask for a review until"),
}

NOTICES: Final[Mapping[str, Translated]] = {
    "raised": Translated(
        "已提交。从现在起，这条记录对外提供时会注明“异议处理中”。",
        "Submitted. From now on the record is marked “under objection” wherever it is provided.",
    ),
    "raised_masked": Translated(
        "已提交，记录已注明“异议处理中”。您填写的身份证号或电话号码已隐去。",
        "Submitted, and the record is marked. ID or phone numbers in your text were masked.",
    ),
    "already": WarningText(
        "这条记录的异议正在办理，没有重复提交。",
        "An objection to this record is under way; it was not submitted again.",
    ),
    "review": Translated("已申请复核。", "Review requested."),
    "withdraw": Translated("已结束办理。", "Closed."),
    "too_late": WarningText(
        "状态已经变化，您的操作没有执行。请查看当前状态。",
        "The status had changed and nothing was done. Please see the current status.",
    ),
    RefusalReason.TOO_SOON: WarningText(
        "这条记录的异议不久前已经办结，记录没有变化，暂时不能再次提出。",
        "An objection to this record was closed a short while ago and the record has not changed; you "
        "cannot object again yet.",
    ),
}

PROBLEMS: Final[Mapping[str, Translated]] = {
    InvalidText.TOO_SHORT: Translated(
        "请填写异议内容及理由。", "Please state your objection and reasons."
    ),
    InvalidText.TOO_LONG: Translated(
        f"内容过长：说明最多 {MAX_TEXT:,} 字，诉求最多 500 字。",
        f"Too long: at most {MAX_TEXT:,} characters, and 500 for what you ask for.",
    ),
}
