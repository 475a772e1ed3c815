"""Texts of own credit reports in Chinese and English: states, problems, notices."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.credit_reports.model import (
    LONGEST_SPAN_YEARS,
    MOST_A_DAY,
    MOST_LIVING,
    ReportRefusal,
    ReportState,
)
from gateway.pages.i18n import Translated, WarningText


class StateText(NamedTuple):
    """Wording of a report's state: icon, name and a sentence."""

    icon: str
    name: Translated
    sentence: Translated


STATES: Final[Mapping[ReportState, StateText]] = {
    ReportState.VALID: StateText(
        "ok",
        Translated("有效", "Valid"),
        Translated(
            "出具以来，报告所载信息没有变化。", "Nothing in it has changed since it was made."
        ),
    ),
    ReportState.NEWER_RECORDS: StateText(
        "notice",
        Translated(
            "截至出具时有效，其后有新的信息", "Valid as of its date; there is newer information"
        ),
        Translated(
            "报告所载信息没有变更，但出具后同类别又有新的信息（新的记录，或者对记录的异议有变化）。需要最新情况的，请向企业索取新的报告。",
            "Nothing in it has changed, but of the same kinds there is newer information: a newer record, or "
            "an objection that began or ended. For the latest, ask the enterprise for a new report.",
        ),
    ),
    ReportState.TAKEN_BACK: StateText(
        "ended",
        Translated("不再有效：企业已收回", "Not valid any more: taken back"),
        Translated(
            "企业已收回这份报告，内容不再显示，请不要再使用。需要的，请向企业索取新的报告。",
            "The enterprise has taken this report back. Its contents are not shown; do not use it any more. "
            "Ask the enterprise for a new one.",
        ),
    ),
    ReportState.EXPIRED: StateText(
        "ended",
        Translated("不再有效：已过有效期", "Not valid any more: expired"),
        Translated(
            "这份报告已过有效期，内容不再显示，请不要再使用。需要的，请向企业索取新的报告。",
            "Its term is over. Its contents are not shown; do not use it any more. Ask the enterprise for a "
            "new one.",
        ),
    ),
    ReportState.CHANGED: StateText(
        "ended",
        Translated("不再有效：所载信息已变更", "Not valid any more: its records have changed"),
        Translated(
            "报告所载信息已经更正、修复、到期或变更，内容不再显示，请不要再使用。需要的，请向企业索取新的报告。",
            "What it says was corrected, repaired, has run out or changed. Its contents are not shown; do "
            "not use it any more. Ask the enterprise for a new one.",
        ),
    ),
}
NAMES: Final[Mapping[ReportState, Translated]] = {
    ReportState.VALID: Translated("有效", "Valid"),
    ReportState.NEWER_RECORDS: Translated("有效，有更新", "Valid, not the latest"),
    ReportState.TAKEN_BACK: Translated("已收回", "Taken back"),
    ReportState.EXPIRED: Translated("已过期", "Expired"),
    ReportState.CHANGED: Translated("信息已变更，失效", "Changed, not valid"),
}
"""States in the portal, in short."""
NEWER_FOR_OWNER: Final = Translated(
    "报告仍然有效，但出具后同类别又有新的信息（新的记录，或者对记录的异议有变化），对方会看到这一提示。"
    "对方需要最新情况的，可以重新出具一份。",
    "It still holds, but of the same kinds there is newer information: a newer record, or an objection that "
    "began or ended. Its readers are told so. Make a new one if they need the latest.",
)
"""Wording of newer information, as the enterprise itself reads it."""
ANYONE: Final = Translated("持有链接或二维码的任何人", "anyone with the link or the QR code")
REFUSALS: Final[Mapping[ReportRefusal, Translated]] = {
    ReportRefusal.DISSOLVED: Translated(
        "企业已注销或登记已被撤销，不能出具信用报告。",
        "The enterprise is deregistered or annulled; no report can be made.",
    ),
    ReportRefusal.TOO_MANY: Translated(
        f"已有 {MOST_LIVING} 份有效的报告，请先收回不再需要的。",
        f"There are {MOST_LIVING} living reports; please take back one that is not needed.",
    ),
    ReportRefusal.TOO_MANY_TODAY: Translated(
        f"24 小时内已出具 {MOST_A_DAY} 份，请明天再试。",
        f"{MOST_A_DAY} reports were made within 24 hours; please try again tomorrow.",
    ),
}
NO_DATASET: Final = Translated(
    "请至少勾选一类信息。", "Please tick at least one kind of information."
)
SPAN: Final = Translated(
    f"起止日期应在今天之前，跨度不超过 {LONGEST_SPAN_YEARS} 年。",
    f"The span ends today at the latest and is of {LONGEST_SPAN_YEARS} years at most.",
)
TERM: Final = Translated("请选择有效期。", "Please choose how long it is valid.")
RECIPIENT: Final = Translated(
    "出具对象请写单位名称，不超过 60 字，不含证件号码、电话号码、网址和特殊符号。",
    "Write the organisation’s name, in 60 characters at most, without ID or phone numbers, addresses or "
    "symbols.",
)
NEWER_DRAFT: Final = WarningText(
    "您查看预览后，档案又有变化。下面是现在的内容，请核对后再出具。",
    "Your file has changed since the preview. This is how it is now; please look again.",
)
NOTICES: Final[Mapping[str, Translated]] = {
    "made": Translated("报告已出具，可以发给对方。", "The report is made and can be sent."),
    "taken_back": Translated(
        "已收回。对方再打开时会看到“不再有效”，内容不再显示。",
        "Taken back. Whoever opens it sees “not valid any more”, and no contents.",
    ),
    "too_late": WarningText("这份报告此前已经收回。", "This report had already been taken back."),
}
PROOF: Final[Mapping[bool, StateText]] = {
    True: StateText(
        "ok",
        Translated("一致：这就是签发的文件", "It is the file that was issued"),
        Translated(
            "您上传的文件与签发时逐字节相同。是否仍然有效，请看下面的状态。",
            "Byte for byte it is what was issued. Whether it still holds is said below.",
        ),
    ),
    False: StateText(
        "alert",
        Translated("不一致：文件被改动，或者不是这份报告", "It is not what was issued"),
        Translated(
            "您上传的文件与签发的文件不同，请不要相信其中的内容，以本页显示的为准。",
            "It differs from what was issued here. Do not trust it; go by this page.",
        ),
    ),
}
"""Result of an upload's check, by whether its digest is known."""
UNREADABLE: Final = StateText(
    "notice",
    Translated("没有收到文件", "No file was received"),
    Translated(
        "请选择一个不超过 8 MB 的 PDF 或 JSON 文件再试。",
        "Choose one PDF or JSON file of 8 MB at most and try again.",
    ),
)
