"""Language of what the command prints, and its labels in both."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from xinqiao._core.dates import CHINA

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
    "answered": {
        Language.ZH: "截至 {moment}，查询编号 {disclosure_id}",
        Language.EN: "as of {moment}, disclosure {disclosure_id}",
    },
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
    "signature": {
        Language.ZH: "签名已验证：公钥 {keyid}，{moment}",
        Language.EN: "signature verified: key {keyid}, {moment}",
    },
    "not_in_agreement": {Language.ZH: "不在数字合约内"},
    "not_in_consent": {Language.ZH: "不在授权内"},
    "not_for_purpose": {Language.ZH: "不用于该用途"},
    "class_never": {Language.ZH: "不向任何接入方提供"},
    "source_unavailable": {Language.ZH: "数源暂不可用"},
    "not_licensed": {Language.ZH: "须有个人征信业务许可"},
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
    return str(_labels().get(dataset, {}).get(language, {}).get("name", dataset))


def field_label(dataset: str, name: str, language: Language) -> str:
    """Name of a field; as on the wire, where this version does not know it."""
    fields = _labels().get(dataset, {}).get(language, {}).get("fields", {})
    return str(fields.get(name, name))


def nothing_found(dataset: str, moment: datetime, language: Language) -> str:
    """What an empty dataset says: never that there is nothing, only that nothing was found."""
    known = _labels().get(dataset, {}).get(language, {}).get("nothing")
    shown = moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    return str(known or TEXTS["nothing"][language]).format(moment=shown)


@cache
def _labels() -> Any:
    path = files("xinqiao.cli").joinpath("labels.json")
    return json.loads(path.read_text(encoding="utf-8"))
