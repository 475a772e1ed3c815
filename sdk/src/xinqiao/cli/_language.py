"""Language of what the command prints, and its labels in both."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from xinqiao._core.wire.dates import CHINA

if TYPE_CHECKING:
    from datetime import datetime


class Language(StrEnum):
    """Languages of the output."""

    ZH = "zh"
    EN = "en"


TEXTS: Final[Mapping[str, Mapping[Language, str]]] = {
    "yes": {Language.ZH: "✔ 是", Language.EN: "✔ yes"},
    "no": {Language.ZH: "✘ 否", Language.EN: "✘ no"},
    "not_determined": {Language.ZH: "? 不作判断", Language.EN: "? not determined"},
    "strict": {Language.ZH: "逐字相符", Language.EN: "strict"},
    "loose": {Language.ZH: "按公布的规则视为相符", Language.EN: "loose"},
    "true": {Language.ZH: "是", Language.EN: "yes"},
    "false": {Language.ZH: "否", Language.EN: "no"},
    "answered": {
        Language.ZH: "截至 {moment}，查询编号 {disclosure_id}",
        Language.EN: "as of {moment}, disclosure {disclosure_id}",
    },
    "told": {
        Language.ZH: "已于 {moment} 告知企业，查询编号 {disclosure_id}",
        Language.EN: "told to the enterprise at {moment}, of the query {disclosure_id}",
    },
    "under_consent": {
        Language.ZH: "授权编号 {consent_id}，有效期至 {until}，剩余次数：{uses}",
        Language.EN: "consent {consent_id}, valid until {until}, uses left: {uses}",
    },
    "unlimited": {Language.ZH: "不限", Language.EN: "unlimited"},
    "objection": {
        Language.ZH: "企业对该记录有异议。",
        Language.EN: "The enterprise objects to this record.",
    },
    "no_term": {Language.ZH: "未定使用期限", Language.EN: "no end of its use was told"},
    "term": {
        Language.ZH: "使用至 {use_until}，{delete_by} 前删除",
        Language.EN: "use until {use_until}, delete by {delete_by}",
    },
    "nothing": {
        Language.ZH: "截至 {moment} 未查询到记录",
        Language.EN: "As of {moment}, no record was found",
    },
    "withheld": {Language.ZH: "未提供", Language.EN: "withheld"},
    "limit_left": {
        Language.ZH: "剩余 {remaining}，共 {quota}（{window}）；{refill}后再有一次",
        Language.EN: "{remaining} left of {quota} in {window}; one more in {refill}",
    },
    "limit_full": {
        Language.ZH: "剩余 {remaining}，共 {quota}（{window}）",
        Language.EN: "{remaining} left of {quota} in {window}",
    },
    "limit_of_each": {
        Language.ZH: "每家企业 {quota} 次（{window}）",
        Language.EN: "{quota} in {window} for each enterprise",
    },
    "last_refusal": {
        Language.ZH: "最近一次拒绝：{limit}，{refused}；{fits} 起可再次通过",
        Language.EN: "last refused by {limit} at {refused}; it fits from {fits}",
    },
    "signature": {
        Language.ZH: "签名已验证：公钥 {keyid}，{moment}",
        Language.EN: "signature verified: key {keyid}, {moment}",
    },
    "saved": {Language.ZH: "证据已存入 {path}", Language.EN: "evidence kept in {path}"},
    "check_character": {
        Language.ZH: "统一社会信用代码的校验码不符，请核对录入；请求照样发出。",
        Language.EN: "The check character of the code does not fit: look at what was typed. "
        "It is sent all the same.",
    },
    "catalogue": {Language.ZH: "核验项目录 {version}", Language.EN: "catalogue {version}"},
    "needs_consent": {Language.ZH: "须经企业授权", Language.EN: "needs consent"},
    "value_needs_consent": {
        Language.ZH: "填写时须经企业授权",
        Language.EN: "which needs consent",
    },
    "authentic": {
        Language.ZH: "✔ 真实：网关于 {moment} 签名",
        Language.EN: "✔ authentic as of {moment}",
    },
    "request_signed_by": {
        Language.ZH: "请求由接入方公钥 {keyid} 签名",
        Language.EN: "request signed by the client's key {keyid}",
    },
    "signed_by": {Language.ZH: "签名公钥 {keyid}", Language.EN: "signed by key {keyid}"},
    # Parts of verified evidence.
    "enterprise": {Language.ZH: "企业", Language.EN: "enterprise"},
    "purpose": {Language.ZH: "用途", Language.EN: "purpose"},
    "recipient": {Language.ZH: "接收方", Language.EN: "recipient"},
    "disclosure": {Language.ZH: "查询编号", Language.EN: "disclosure"},
    "as_of": {Language.ZH: "截至", Language.EN: "as of"},
    "consent": {Language.ZH: "授权编号", Language.EN: "consent"},
    "status": {Language.ZH: "授权状态", Language.EN: "its status then"},
    "valid_until": {Language.ZH: "有效期至", Language.EN: "valid until"},
    "uses_left": {Language.ZH: "剩余次数", Language.EN: "uses left"},
    "not_named": {Language.ZH: "答复中未载明", Language.EN: "not named in the answer"},
    "since": {Language.ZH: "此后的撤回或更正", Language.EN: "withdrawn since"},
    "see_feed": {
        Language.ZH: "本文件不能说明：见变更通知 /v1/changes",
        Language.EN: "this file cannot tell: the change feed /v1/changes does",
    },
    "relied_on": {
        Language.ZH: "现在是否仍可依据，只有网关能答复。",
        Language.EN: "Whether it may still be relied on, only the gateway can say.",
    },
    "consent_record": {
        Language.ZH: "✔ 授权凭证真实：网关于 {moment} 签名",
        Language.EN: "✔ consent record authentic as of {moment}",
    },
    # Credit reports.
    "report_authentic": {
        Language.ZH: "✔ 报告真实：网关于 {moment} 出具，内容逐字节未改",
        Language.EN: "✔ report authentic, made at {moment}: not a byte was changed",
    },
    "report_anybody": {
        Language.ZH: "持有报告网址的任何人",
        Language.EN: "whoever has its address",
    },
    "report_span": {Language.ZH: "所含期间", Language.EN: "span"},
    "report_page": {Language.ZH: "核验页面", Language.EN: "its page"},
    "report_key": {Language.ZH: "签名公钥", Language.EN: "signed by key"},
    "report_records": {Language.ZH: "{count} 条", Language.EN: "{count} record(s)"},
    "report_unasked": {
        Language.ZH: "现在是否仍然有效，本文件不能说明：加 --online 向网关查询，或扫码看页面。",
        Language.EN: "Whether it still holds this file cannot tell: --online asks, or see its page.",
    },
    "report_valid": {
        Language.ZH: "✔ 仍然有效（{moment} 查询）",
        Language.EN: "✔ it holds, as asked at {moment}",
    },
    "report_newer_records": {
        Language.ZH: "✔ 截至报告日期仍然有效；此后所选范围内有了新的记录（{moment} 查询）",
        Language.EN: "✔ it holds as of its date; there are newer records since (asked at {moment})",
    },
    "report_taken_back": {
        Language.ZH: "✘ 不再有效：企业已收回（{moment} 查询）",
        Language.EN: "✘ it does not hold any more: the enterprise took it back (asked at {moment})",
    },
    "report_expired": {
        Language.ZH: "✘ 不再有效：已过有效期（{moment}）",
        Language.EN: "✘ it does not hold any more: its term is over ({moment})",
    },
    "report_changed": {
        Language.ZH: "✘ 不再有效：所含记录已有变化（{moment} 查询）",
        Language.EN: "✘ it does not hold any more: what it says has changed (asked at {moment})",
    },
    "in_the_log": {Language.ZH: "已载入日志", Language.EN: "in the log"},
    "not_proven": {Language.ZH: "日志不能证明", Language.EN: "not proven by the log"},
    "kept": {
        Language.ZH: "新任法定代表人确认继续",
        Language.EN: "kept by a new legal representative",
    },
    "private_key": {
        Language.ZH: "{path}  私钥，请妥善保密；设置 XINQIAO_PRIVATE_JWKS={path}",
        Language.EN: "{path}  keep it secret; XINQIAO_PRIVATE_JWKS={path}",
    },
    "public_key": {
        Language.ZH: "{path}  公钥，交给网关的运行管理方登记",
        Language.EN: "{path}  give it to the gateway's operator, who registers it",
    },
    # Why a dataset or a field is withheld.
    "not_in_agreement": {Language.ZH: "不在数字合约内", Language.EN: "not in your agreement"},
    "not_in_consent": {Language.ZH: "不在授权内", Language.EN: "not in the consent"},
    "not_for_purpose": {Language.ZH: "不用于该用途", Language.EN: "not for this purpose"},
    "class_never": {Language.ZH: "不向任何接入方提供", Language.EN: "not told to any client"},
    "source_unavailable": {
        Language.ZH: "数源暂不可用",
        Language.EN: "its source does not deliver at present",
    },
    "not_licensed": {
        Language.ZH: "须有个人征信业务许可",
        Language.EN: "needs a personal-credit licence",
    },
    # Statuses of a consent, beside its acts.
    "active": {Language.ZH: "有效", Language.EN: "active"},
    "expired": {Language.ZH: "已到期", Language.EN: "expired"},
    "exhausted": {Language.ZH: "次数已用完", Language.EN: "exhausted"},
    # Acts on a consent.
    "requested": {Language.ZH: "申请"},
    "granted": {Language.ZH: "同意"},
    "refused": {Language.ZH: "拒绝"},
    "paused": {Language.ZH: "暂停"},
    "resumed": {Language.ZH: "恢复"},
    "withdrawn": {Language.ZH: "撤回"},
    "given_up": {Language.ZH: "接入方放弃"},
    "superseded": {Language.ZH: "被替代"},
    "amended": {Language.ZH: "变更"},
    "cool_down_ended": {Language.ZH: "允许再次申请"},
}  # fmt: skip


def reader_language(environ: Mapping[str, str] | None = None) -> Language:
    """The language of the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`): Chinese, or else English."""
    found = os.environ if environ is None else environ
    locale = next(
        (found[each] for each in ("LC_ALL", "LC_MESSAGES", "LANG") if found.get(each)), ""
    )
    return Language.ZH if locale.lower().startswith("zh") else Language.EN


def text(name: str, language: Language, **values: object) -> str:
    """A text of this language; a name that has none stands for itself."""
    return TEXTS.get(name, {}).get(language, name).format(**values)


def dataset_label(dataset: str, language: Language) -> str:
    """Name of a dataset; its code, where this version does not know it."""
    return str(_dataset(dataset, language).get("name", dataset))


def field_label(dataset: str, name: str, language: Language) -> str:
    """Name of a field; as on the wire, where this version does not know it."""
    return str(_dataset(dataset, language).get("fields", {}).get(name, name))


def code_label(kind: str, code: str, language: Language) -> str:
    """Name of a code of `kind`: values, questions, purposes, outcomes, warnings, problems; or the code."""
    return str(_labels()[kind].get(code, {}).get(language, code))


def uscc_columns() -> Sequence[str]:
    """Names of the column of the USCC in delivered files."""
    return tuple(_labels()["uscc_columns"])


def with_code(label: str, code: str) -> str:
    """A name with its code beside it, where they differ."""
    return code if label == code else f"{label} ({code})"


def moment_text(moment: datetime) -> str:
    """A time to the second, in China's time with its offset."""
    return moment.astimezone(CHINA).isoformat(sep=" ", timespec="seconds")


def until_text(end: datetime) -> str:
    """The end of a term; midnight is written as 24:00 of the day before, as on the report's page."""
    local = end.astimezone(CHINA)
    if local.time() != time.min:
        return moment_text(end)
    return f"{local.date() - timedelta(days=1)} 24:00:00+08:00"


def duration_text(seconds: int, language: Language) -> str:
    """A duration in seconds up to two minutes, in minutes up to two hours, else in hours; rounded up."""
    for unit, zh, en in ((3600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= 2 * unit:
            return f"{-(-seconds // unit)} {zh if language is Language.ZH else en}"
    return f"{seconds} {'秒' if language is Language.ZH else 's'}"


def nothing_found(dataset: str, moment: datetime, language: Language) -> str:
    """Sentence on an empty dataset: never that there is nothing, only that nothing was found."""
    known = _dataset(dataset, language).get("nothing")
    shown = moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    return str(known or TEXTS["nothing"][language]).format(moment=shown)


def _dataset(dataset: str, language: Language) -> Any:
    return _labels()["datasets"].get(dataset, {}).get(language, {})


@cache
def _labels() -> Any:
    path = files("xinqiao.cli").joinpath("labels.json")
    return json.loads(path.read_text(encoding="utf-8"))
