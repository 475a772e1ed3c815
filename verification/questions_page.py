"""Markdown page of the catalogue of questions, printed by `python -m verification.questions_page`."""

import sys
from collections.abc import Iterator
from typing import Final

from verification.catalogue import CATALOGUE_VERSION, QUESTIONS
from verification.question import Question

_HEAD: Final = """\
# The questions 核验项

Version {version}. Made by `make docs` from [the catalogue of questions](../../verification/catalogue.py):
change that, not this page. Served at `GET /v1/questions`.

Each is answered `yes`, `no` or `not_determined`; what is missing or not legible, a source that did not
answer, a question without the consent that it needs and a spent [budget](privacy.md) are all
`not_determined`. No question is a verdict on an enterprise. Records count only while they may be
disclosed ([clocks](clocks.md)). A client asks what its agreement names.
Published questions stay, and what they mean does not change.
Each has [test vectors](../../verification/README.md#vectors).

版本 {version}。答复为 `yes`（是）、`no`（否）或 `not_determined`（不作判断）：数据缺失或无法辨认、
数源未应答、缺少所需授权、[额度](../zh/understand/privacy.md)用完，均不作判断。任何核验项都不是对企业的评判。记录只在可以提供的
[期限](clocks.md)内计入。接入方只能询问其合约列明的核验项。已公布的核验项不删除，含义不改变；每项都有[测试向量](../../verification/README.md#vectors)（英文）。
"""
_GIVERS: Final = {
    "person": ("of that person", "该自然人的单独同意"),
    "enterprise": ("of the enterprise", "企业的单独同意"),
}


def markdown() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.format(version=CATALOGUE_VERSION).rstrip("\n")
    for each in QUESTIONS:
        yield from ("", f"## `{each.tag}`", "")
        yield from (f"**{each.title_zh}** {each.title_en}", "")
        rests_on = _codes(each.datasets)
        yield from (each.meaning_zh, "")
        yield f"{_value_zh(each)}{_consent_zh(each)}公开属性：`{each.disclosure_class}`。依据：{rests_on}。"
        yield from ("", each.meaning_en, "")
        yield f"{_value(each)} {_consent(each)} Class: `{each.disclosure_class}`. Rests on {rests_on}."


def _value(each: Question) -> str:
    match each.value:
        case "none":
            return "Takes no value."
        case "one_of":
            return f"Value{' (may be left out)' if each.optional else ''}: one of {_codes(each.values)}."
        case "elements":
            return f"Value: an object of {_elements(each)}."
        case _:
            return f"Value: a text{f', compared by `{each.normalisation}`' if each.normalisation else ''}."


def _value_zh(each: Question) -> str:
    match each.value:
        case "none":
            return "不取值。"
        case "one_of":
            return (
                f"取值{'（可不填）' if each.optional else ''}：{_codes(each.values, '、')} 之一。"
            )
        case "elements":
            return f"取值：含 {_elements(each)} 的对象。"
        case _:
            return (
                f"取值：文本{f'，按 `{each.normalisation}` 比对' if each.normalisation else ''}。"
            )


def _consent(each: Question) -> str:
    if each.separate_consent is not None:
        return f"Needs consent, and the separate consent {_GIVERS[each.separate_consent][0]}."
    if each.needs_consent:
        return "Needs consent."
    return "Needs consent with a value." if each.value_needs_consent else "Needs no consent."


def _consent_zh(each: Question) -> str:
    if each.separate_consent is not None:
        return f"须经授权，并须{_GIVERS[each.separate_consent][1]}。"
    if each.needs_consent:
        return "须经授权。"
    return "取值时须经授权。" if each.value_needs_consent else "无需授权。"


def _elements(each: Question) -> str:
    return _codes(tuple(one.name for one in each.elements))


def _codes(names: tuple[str, ...], comma: str = ", ") -> str:
    return comma.join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(markdown())
