"""Labels of the repair pages in Chinese and English."""

from collections.abc import Mapping
from typing import Final

from gateway.creditfile.objections.text_input import MAX_TEXT, InvalidText
from gateway.creditfile.repair_terms import NoRepair, RepairState
from gateway.creditfile.repairs.lifecycle import MAX_PAPERS
from gateway.creditfile.repairs.model import ApplicationRefusal, ApplicationStatus
from gateway.pages.i18n import Translated, WarningText
from gateway.pages.upload_form import MAX_UPLOAD_BYTES

MEGABYTES: Final = MAX_UPLOAD_BYTES // 1024 // 1024
TOO_LARGE: Final = "too_large"
TOO_MANY: Final = "too_many"
EMPTY_PAPER: Final = "empty_paper"
NO_COMMITMENT: Final = "no_commitment"

STATES: Final[Mapping[str, Translated]] = {
    RepairState.NOT_YET: Translated("尚未到可申请日期", "Not yet"),
    RepairState.REPAIRABLE: Translated("可以申请修复", "Can be repaired"),
    RepairState.APPLIED: Translated("已申请，等待决定", "Applied for"),
    RepairState.REPAIRED: Translated("已修复", "Repaired"),
    RepairState.SUSPENDED: Translated("已中止公示", "Suspended"),
    RepairState.REINSTATED: Translated("已恢复公示", "Told again"),
}

NO_REPAIR: Final[Mapping[str, Translated]] = {
    NoRepair.NOT_BY_ITSELF: Translated(
        "这条记录不单独修复：它所依据的决定或名单解除后，它随之结束。",
        "This record is not repaired by itself: it ends with the decision or list that it follows from.",
    ),
}

CONDITIONS: Final[Mapping[str, Translated]] = {
    "period": Translated("最短公示期已满", "The shortest time of publication is over"),
    "corrected": Translated("失信行为已经纠正", "What was wrong has been put right"),
    "fulfilled": Translated(
        "已履行完义务（如罚款已缴清、款项已付清）",
        "What you owed is done, such as fines and debts paid in full",
    ),
    "commitment": Translated(
        "作出信用承诺：材料真实，今后依法经营",
        "You give a credit commitment: your papers are true and you will keep to the law",
    ),
}

STATUSES: Final[Mapping[str, Translated]] = {
    ApplicationStatus.OPEN: Translated("等待办理单位决定", "With the department"),
    ApplicationStatus.ACCEPTED: Translated("准予修复，记录已修复", "Accepted: repaired"),
    ApplicationStatus.REJECTED: Translated("不予修复", "Not accepted"),
    ApplicationStatus.WITHDRAWN: Translated("您已撤回", "Withdrawn by you"),
    ApplicationStatus.OVERTAKEN: Translated(
        "记录已另行修复、撤销或移出名单",
        "The record was repaired, withdrawn or taken off its list otherwise",
    ),
}

NOTICES: Final[Mapping[str, Translated]] = {
    "applied": Translated(
        "已提交。办理单位将在下列期限前决定，结果会通知您。",
        "Sent. The department decides by the day below, and you will be told.",
    ),
    "applied_masked": Translated(
        "已提交。您填写的身份证号或电话号码已隐去。",
        "Sent. Identity or phone numbers in what you wrote were masked.",
    ),
    "withdrawn": Translated(
        "申请已撤回。明天起可以再次申请。", "Withdrawn. You may apply again from tomorrow."
    ),
    "already": WarningText(
        "这条记录已有一项申请正在办理，没有重复提交。",
        "One application is under way already; nothing was sent a second time.",
    ),
    "too_late": WarningText(
        "状态已经改变，没有执行操作。请查看当前状态。",
        "The state had changed and nothing was done. See where it stands now.",
    ),
    f"repair_{ApplicationRefusal.TOO_SOON}": WarningText(
        "上一次申请刚刚结束，暂时不能再次申请。",
        "The last application ended a short while ago; you cannot apply again yet.",
    ),
    f"repair_{ApplicationRefusal.NOT_REPAIRABLE}": WarningText(
        "这条记录现在不能申请修复。", "A repair of this record cannot be applied for now."
    ),
}

PROBLEMS: Final[Mapping[str, Translated]] = {
    InvalidText.TOO_SHORT: Translated(
        "请写明已经怎样改正、何时履行完义务。", "Please say what you have put right, and when."
    ),
    InvalidText.TOO_LONG: Translated(
        f"内容过长：最多 {MAX_TEXT:,} 字。", f"Too long: at most {MAX_TEXT:,} characters."
    ),
    NO_COMMITMENT: Translated(
        "请勾选信用承诺：这是申请修复的条件。",
        "Please tick the commitment: a repair is not granted without it.",
    ),
    TOO_MANY: Translated(
        f"最多选择 {MAX_PAPERS} 份材料。", f"At most {MAX_PAPERS} papers can be chosen."
    ),
    EMPTY_PAPER: Translated(
        "您选择的材料中有空文件（0 字节），请换一份。",
        "One of the papers is an empty file (0 bytes). Please choose another.",
    ),
    TOO_LARGE: Translated(
        f"材料合计不能超过 {MEGABYTES} MB。请选择小一些的文件，或少选几份。",
        f"The papers exceed {MEGABYTES} MB together. Choose smaller files, or fewer.",
    ),
}
