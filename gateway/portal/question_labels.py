"""Verification questions in plain words, with the values or bands that may be asked.

A consent allows every value of a question, so its label lists them all; an answer in the access history
is labelled with the one that was asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.value_labels import VALUES
from gateway.pages.i18n import Translated
from verification import Question
from verification.record_questions import NATIONAL_LEVELS, PROVINCIAL_LEVELS

ANSWERS: Final[Mapping[str, Translated]] = {
    "yes": Translated("是", "Yes"),
    "no": Translated("否", "No"),
    "not_determined": Translated("无法确定", "Not determined"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionText:
    """A question's label: with every value on offer (`{values}`), and with one (`{value}`)."""

    every: Translated
    one: Translated | None = None


def _counted(every: tuple[str, str], one: tuple[str, str]) -> QuestionText:
    return QuestionText(every=Translated(*every), one=Translated(*one))


_TEXTS: Final[Mapping[str, QuestionText]] = {
    "enterprise_name.v1": QuestionText(
        every=Translated(
            "企业名称与对方提供的是否一致",
            "Is the name that the organisation gives your registered name?",
        )
    ),
    "enterprise_name.v2": QuestionText(
        every=Translated(
            "企业名称与对方提供的是否一致（繁体、简体视为相同）",
            "Is the name that the organisation gives your registered name (traditional or simplified "
            "characters)?",
        )
    ),
    "legal_representative_name.v1": QuestionText(
        every=Translated(
            "法定代表人（经营者）姓名与对方提供的是否一致",
            "Is the name that the organisation gives that of your legal representative or operator?",
        )
    ),
    "legal_representative_name.v2": QuestionText(
        every=Translated(
            "法定代表人（经营者）姓名与对方提供的是否一致（繁体、简体视为相同）",
            "Is the name that the organisation gives that of your legal representative or operator "
            "(traditional or simplified characters)?",
        )
    ),
    "registered_address.v1": QuestionText(
        every=Translated(
            "住所（经营场所）与对方提供的是否一致",
            "Is the address that the organisation gives your registered address?",
        )
    ),
    "legal_representative_id.v1": QuestionText(
        every=Translated(
            "法定代表人（经营者）证件号码与对方提供的是否一致",
            "Is the ID number that the organisation gives that of your legal representative or operator?",
        )
    ),
    "three_elements.v1": QuestionText(
        every=Translated(
            "企业名称、法定代表人（经营者）姓名与对方提供的是否都一致",
            "Are the names of enterprise and legal representative or operator both as the organisation "
            "gives them?",
        )
    ),
    "four_elements.v1": QuestionText(
        every=Translated(
            "企业名称、法定代表人（经营者）姓名及其证件号码与对方提供的是否都一致",
            "Are the names of enterprise and legal representative or operator, and that person’s ID number, "
            "all as the organisation gives them?",
        )
    ),
    "licence_number_valid.v1": QuestionText(
        every=Translated(
            "对方提供编号的行政许可是否有效",
            "Is the licence whose number the organisation gives valid?",
        )
    ),
    "scope_includes.v1": QuestionText(
        every=Translated(
            "经营范围是否包含对方指定的行业",
            "Does your scope of business include an industry that the organisation names?",
        )
    ),
    "licence_valid.v1": _counted(
        (
            "是否持有对方指定类别的有效行政许可（{values}）",
            "Do you hold a valid licence of a category that the organisation names ({values})?",
        ),
        ("是否持有有效的行政许可（类别：{value}）", "Do you hold a valid licence ({value})?"),
    ),
    "licence_item_valid.v1": _counted(
        (
            "是否持有对方指定事项的有效行政许可（{values}）",
            "Do you hold a valid licence for an item that the organisation names ({values})?",
        ),
        ("是否持有有效的“{value}”许可", "Do you hold a valid licence: {value}?"),
    ),
    "no_live_penalty.v1": _counted(
        (
            "没有在公示期内的行政处罚（可以只问某一程度：{values}）",
            "Is no penalty within its publicity period, of any severity or of one ({values})?",
        ),
        (
            "没有在公示期内的行政处罚（程度：{value}）",
            "Is no penalty of this severity within its publicity period ({value})?",
        ),
    ),
    "rating_at_least.v1": _counted(
        (
            "公共信用评价是否达到对方指定的等级（{values}）",
            "Is your public credit rating at least at a level that the organisation names ({values})?",
        ),
        (
            "公共信用评价是否达到“{value}”及以上",
            "Is your public credit rating {value} or better?",
        ),
    ),
    "comprehensive_rating_at_least.v1": _counted(
        (
            "公共信用综合评价是否达到对方指定的等级（{values}）",
            (
                "Is your comprehensive public credit rating at least at a level that the organisation names "
                "({values})?"
            ),
        ),
        (
            "公共信用综合评价是否达到“{value}”及以上",
            "Is your comprehensive public credit rating {value} or better?",
        ),
    ),
    "tax_credit_level_at_least.v1": _counted(
        (
            "纳税缴费信用级别是否达到对方指定的级别（{values}）",
            "Is your tax credit level at least one that the organisation names ({values})?",
        ),
        (
            "纳税缴费信用级别是否达到 {value} 级及以上",
            "Is your tax credit level {value} or better?",
        ),
    ),
    "established_for.v1": _counted(
        ("成立是否已满 {values} 年", "Were you established at least {values} years ago?"),
        ("成立是否已满 {value} 年", "Were you established at least {value} years ago?"),
    ),
    "representative_stable.v1": _counted(
        (
            "最近 {values} 个月法定代表人（经营者）是否没有变更",
            "Has your legal representative or operator been the same for the last {values} months?",
        ),
        (
            "最近 {value} 个月法定代表人（经营者）是否没有变更",
            "Has your legal representative or operator been the same for the last {value} months?",
        ),
    ),
    "paid_social_insurance_on_time.v1": _counted(
        (
            "最近 {values} 个月是否按时缴纳社保",
            "Was social insurance paid on time in each of the last {values} months?",
        ),
        (
            "最近 {value} 个月是否按时缴纳社保",
            "Was social insurance paid on time in each of the last {value} months?",
        ),
    ),
    "paid_tax_on_time.v1": _counted(
        (
            "最近 {values} 个月是否按时缴纳税费",
            "Was tax paid on time in each of the last {values} months?",
        ),
        (
            "最近 {value} 个月是否按时缴纳税费",
            "Was tax paid on time in each of the last {value} months?",
        ),
    ),
    "paid_housing_fund_on_time.v1": _counted(
        (
            "最近 {values} 个月是否按时缴存住房公积金",
            "Was the housing fund paid on time in each of the last {values} months?",
        ),
        (
            "最近 {value} 个月是否按时缴存住房公积金",
            "Was the housing fund paid on time in each of the last {value} months?",
        ),
    ),
    "employees_insured_at_least.v1": _counted(
        (
            "参加社保的职工是否不少于 {values} 人",
            "Are at least {values} employees insured?",
        ),
        ("参加社保的职工是否不少于 {value} 人", "Are at least {value} employees insured?"),
    ),
}
"""Labels of the questions whose title alone does not say what is asked."""


def question_label(question: Question, catalogue: Catalogue) -> Translated:
    """Label of a question with every value that it takes."""
    text = _TEXTS.get(question.tag)
    if text is None:
        return Translated(question.title_zh, question.title_en)
    zh, en = _listed(question, catalogue)
    return Translated(text.every.zh.format(values=zh), text.every.en.format(values=en))


def asked_label(question: Question, catalogue: Catalogue, value: str | None) -> Translated:
    """Label of a question about this value; without one, with every value."""
    text = _TEXTS.get(question.tag)
    if value is None or text is None or text.one is None:
        return question_label(question, catalogue)
    name = value_name(question, value, catalogue)
    return Translated(text.one.zh.format(value=name.zh), text.one.en.format(value=name.en))


def value_name(question: Question, value: str, catalogue: Catalogue) -> Translated:
    """The name of a value or band."""
    table = catalogue.licensing_items
    if question.tag == "licence_item_valid.v1" and table is not None:
        item = table.by_code.get(value)
        return Translated(item.zh, item.en) if item else Translated(value, value)
    label = VALUES.get(value, Translated(value, value))
    return Translated(label.zh, label.en.lower())  # within a sentence


def _listed(question: Question, catalogue: Catalogue) -> Translated:
    """All values of a question; numbers as alternatives."""
    names = [value_name(question, each, catalogue) for each in question.values]
    if not names:
        return Translated("", "")
    if question.tag == "comprehensive_rating_at_least.v1":
        return _two_schemes(names)
    zh, en = [each.zh for each in names], [each.en for each in names]
    if not all(each.isdecimal() for each in zh):
        return Translated("、".join(zh), ", ".join(en))
    return Translated(
        " 或 ".join(filter(None, ("、".join(zh[:-1]), zh[-1]))),
        " or ".join(filter(None, (", ".join(en[:-1]), en[-1]))),
    )


def _two_schemes(names: Sequence[Translated]) -> Translated:
    """The levels of the province's rating and of the nation's."""
    province, nation = names[: len(PROVINCIAL_LEVELS)], names[-len(NATIONAL_LEVELS) :]
    return Translated(
        f"浙江省：{'、'.join(each.zh for each in province)}；全国：{'、'.join(each.zh for each in nation)}",
        f"Zhejiang: {', '.join(each.en for each in province)}; "
        f"national: {', '.join(each.en for each in nation)}",
    )
