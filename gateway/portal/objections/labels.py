"""How the portal names what happens to an objection, in both languages."""

from collections.abc import Mapping
from typing import Final

from gateway.creditfile.objections.model import Act, Kind, Outcome, Reason, Role, Status
from gateway.creditfile.objections.text_input import LONGEST, Unfit
from gateway.pages.i18n import Said, Undone

KINDS: Final[Mapping[str, Said]] = {
    Kind.OBJECTION: Said("异议", "Objection"),
    Kind.RATING_APPEAL: Said("评价申诉", "Rating appeal"),
}

STATUSES: Final[Mapping[str, Said]] = {
    Status.OPEN: Said("等待数源单位处理", "With the department"),
    Status.DECIDED: Said("已有处理决定", "Decided"),
    Status.IN_REVIEW: Said("复核中", "In review"),
    Status.ORDERED: Said("等待数源单位更正", "Correction ordered"),
    Status.CLOSED: Said("已办结", "Closed"),
}

OUTCOMES: Final[Mapping[str, Said]] = {
    Outcome.UPHELD: Said("异议成立", "Upheld"),
    Outcome.PARTLY: Said("部分成立", "Partly upheld"),
    Outcome.REJECTED: Said("异议不成立", "Not upheld"),
    Outcome.WITHDRAWN: Said("您已撤回", "Withdrawn by you"),
    Outcome.RECORD_DELETED: Said(
        "记录保存期满，已删除", "The record’s retention ended; it is deleted"
    ),
}

ACTS: Final[Mapping[str, Said]] = {
    Act.RAISED: Said("您提出异议", "You raised it"),
    Act.EXTENDED: Said("数源单位延长了办理期限", "The department took more time"),
    Act.DECIDED: Said("数源单位作出决定", "The department decided"),
    Act.REVIEW_ASKED: Said("您申请复核", "You asked for a review"),
    Act.REVIEWED: Said("复核作出决定", "The review decided"),
    Act.WITHDRAWN: Said("您结束了办理", "You ended it"),
    Act.LAPSED: Said(
        "复核申请期已过，决定生效", "The time for a review passed; the decision stands"
    ),
    Act.RECOUNTED: Said("按公布的节假日重新计算了期限", "Counted again by the published holidays"),
    Act.FORGOTTEN: Said("记录保存期满，内容已删除", "Retention ended; the texts are deleted"),
}

NEXT: Final[Mapping[str, Said]] = {
    Role.SOURCE: Said("数源单位办理期限", "The department has until"),
    Role.REVIEWER: Said("复核办理期限", "The review has until"),
    Role.ENTERPRISE: Said("可申请复核至", "You may ask for a review until"),
}

NOTICES: Final[Mapping[str, Said]] = {
    "raised": Said(
        "已提出。这条记录从现在起在对外提供时标注“异议处理中”。",
        "Raised. From now on the record is marked as disputed wherever it is told.",
    ),
    "raised_masked": Said(
        "已提出，并已标注。您填写的身份证号或电话号码已隐去。",
        "Raised and marked. Identity or phone numbers in your text were masked.",
    ),
    "already": Undone(
        "这条记录已有一项正在办理，没有重复提出。",
        "One is under way already; nothing was raised a second time.",
    ),
    "review": Said("已申请复核。", "The review is asked for."),
    "withdraw": Said("已结束办理。", "It has ended."),
    "too_late": Undone(
        "状态已经改变，没有执行操作。请查看当前状态。",
        "The state had changed and nothing was done. See where it stands now.",
    ),
    Reason.TOO_SOON: Undone(
        "这条记录的同一版本不久前已有最终决定，暂时不能再次提出。",
        "The same version was finally decided a short while ago; it cannot be raised again yet.",
    ),
}

TROUBLES: Final[Mapping[str, Said]] = {
    Unfit.TOO_SHORT: Said("请写明哪里有误。", "Please say what is wrong."),
    Unfit.TOO_LONG: Said(
        f"内容过长：说明最多 {LONGEST:,} 字，诉求最多 500 字。",
        f"Too long: at most {LONGEST:,} characters, and 500 for what you ask for.",
    ),
}
