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
        "记录保存期满，已删除", "The record’s retention ended; it is deleted"
    ),
}

ACTS: Final[Mapping[str, Translated]] = {
    ObjectionAct.RAISED: Translated("您提出异议", "You raised it"),
    ObjectionAct.EXTENDED: Translated(
        "信息提供单位延长了办理期限", "The department took more time"
    ),
    ObjectionAct.DECIDED: Translated("信息提供单位作出决定", "The department decided"),
    ObjectionAct.REVIEW_ASKED: Translated("您申请复核", "You asked for a review"),
    ObjectionAct.REVIEWED: Translated("复核作出决定", "The review decided"),
    ObjectionAct.WITHDRAWN: Translated("您结束了办理", "You ended it"),
    ObjectionAct.LAPSED: Translated(
        "复核申请期已过，决定生效", "The time for a review passed; the decision stands"
    ),
    ObjectionAct.RECOUNTED: Translated(
        "按公布的节假日重新计算了期限", "Counted again by the published holidays"
    ),
    ObjectionAct.FORGOTTEN: Translated(
        "记录保存期满，内容已删除", "Retention ended; the texts are deleted"
    ),
}

NEXT: Final[Mapping[str, Translated]] = {
    Role.SOURCE: Translated("信息提供单位办理期限", "The department has until"),
    Role.REVIEWER: Translated("复核办理期限", "The review has until"),
    Role.ENTERPRISE: Translated("可申请复核至", "You may ask for a review until"),
}

NOTICES: Final[Mapping[str, Translated]] = {
    "raised": Translated(
        "已提出。这条记录从现在起在对外提供时标注“异议处理中”。",
        "Raised. From now on the record is marked as disputed wherever it is told.",
    ),
    "raised_masked": Translated(
        "已提出，并已标注。您填写的身份证号或电话号码已隐去。",
        "Raised and marked. Identity or phone numbers in your text were masked.",
    ),
    "already": WarningText(
        "这条记录已有一项正在办理，没有重复提出。",
        "One is under way already; nothing was raised a second time.",
    ),
    "review": Translated("已申请复核。", "The review is asked for."),
    "withdraw": Translated("已结束办理。", "It has ended."),
    "too_late": WarningText(
        "状态已经改变，没有执行操作。请查看当前状态。",
        "The state had changed and nothing was done. See where it stands now.",
    ),
    RefusalReason.TOO_SOON: WarningText(
        "这条记录的同一版本不久前已有最终决定，暂时不能再次提出。",
        "The same version was finally decided a short while ago; it cannot be raised again yet.",
    ),
}

PROBLEMS: Final[Mapping[str, Translated]] = {
    InvalidText.TOO_SHORT: Translated("请写明哪里有误。", "Please say what is wrong."),
    InvalidText.TOO_LONG: Translated(
        f"内容过长：说明最多 {MAX_TEXT:,} 字，诉求最多 500 字。",
        f"Too long: at most {MAX_TEXT:,} characters, and 500 for what you ask for.",
    ),
}
