"""Rules of the questions on licences, payments, lists and levels."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from hmac import compare_digest
from typing import Final

from verification.facts import Facts, LiveRecord, as_date
from verification.normalise import is_illegible, normalise_document_number
from verification.record_questions import NATIONAL_LEVELS, PROVINCIAL_LEVELS, TAX_LEVELS
from verification.rule_verdict import (
    UNDETERMINED,
    Answer,
    RuleVerdict,
    of_dataset,
    verdict,
    yes_if,
)

_RECENT_MONTHS: Final = 3
_CERTIFICATE_NUMBER: Final = (
    re.compile(r".*[（(]([^（()）]*\d[^（()）]*)[）)]", re.DOTALL),
    re.compile(r"(?:.*(?:[\s:：]|证书?))?([^\s:：]*\d[^\s:：]*)", re.DOTALL),
)
"""The number at the end of a certificate's name: 食品经营许可证（JY1…）, 食品经营许可证 JY1…."""


def _licence_valid(facts: Facts, category: str | None, today: date) -> RuleVerdict:
    held = [r for r in of_dataset(facts, "licence") if r.fields.get("category") == category]
    return _any_within_term(held, today)


def _licence_number_valid(facts: Facts, number: str | None, today: date) -> RuleVerdict:
    """Not `no` while a licence whose numbers are not all legible may be the one asked about."""
    asserted = normalise_document_number(number or "")
    numbered = [(each, _numbers(each)) for each in of_dataset(facts, "licence")]
    same = [each for each, numbers in numbered if _is_one_of(asserted, numbers)]
    if not asserted:
        return UNDETERMINED
    illegible = is_illegible(asserted) or any(
        not form or is_illegible(form) for _, numbers in numbered for form in numbers
    )
    return UNDETERMINED if illegible and not same else _any_within_term(same, today)


def licence_number_answers(
    facts: Facts, today: date
) -> tuple[Answer, tuple[tuple[str, Answer], ...]]:
    """The answer to a number that no licence has, and those to other numbers that differ from it."""
    forms = sorted({form for each in of_dataset(facts, "licence") for form in _numbers(each)})
    illegible = any(not form or is_illegible(form) for form in forms)
    other: Answer = "not_determined" if illegible else "no"
    answers = [(each, _licence_number_valid(facts, each, today).answer) for each in forms if each]
    return other, tuple((number, answer) for number, answer in answers if answer != other)


def _numbers(licence: LiveRecord) -> tuple[str, str]:
    """The normal forms of a licence's decision number and certificate number; blank without one."""
    decision, certificate = (
        value if isinstance(value := licence.fields.get(name), str) else ""
        for name in ("number", "certificate")
    )
    found = [form.fullmatch(certificate.strip()) for form in _CERTIFICATE_NUMBER]
    last = next((each[1] for each in found if each), "")
    return normalise_document_number(decision), normalise_document_number(last)


def _is_one_of(asserted: str, numbers: tuple[str, ...]) -> bool:
    """Constant-time comparison with each; a blank number is nobody's."""
    forms = [each.encode("utf-8", "surrogatepass") for each in (asserted, *numbers)]
    return any([bool(form) and compare_digest(form, forms[0]) for form in forms[1:]])  # noqa: C419


def _any_within_term(held: list[LiveRecord], today: date) -> RuleVerdict:
    states = [(is_within_term(each, today), each) for each in held]
    valid = [each for state, each in states if state]
    if valid:
        return verdict("yes", valid)
    unclear = any(state is None for state, _ in states)
    return verdict("not_determined" if unclear else "no", held)


def is_within_term(record: LiveRecord, today: date) -> bool | None:
    """True where a record is within its term; `None` where a date cannot be read."""
    start, end = record.fields.get("valid_from"), record.fields.get("valid_to")
    first = date.min if start in (None, "") else as_date(start)
    last = date.max if end in (None, "") else as_date(end)
    return None if first is None or last is None else first <= today <= last


def _paid_on_time(kind: str) -> Callable[[Facts, str | None, date], RuleVerdict]:
    def rule(facts: Facts, months: str | None, today: date) -> RuleVerdict:
        wanted = _complete_months(today, int(months or 0))
        paid = [each for each in _payments(facts, kind) if each.fields.get("period") in wanted]
        late = [each for each in paid if each.fields.get("on_time") is False]
        if late:
            return verdict("no", late)
        on_time = {each.fields.get("period") for each in paid if each.fields.get("on_time") is True}
        return verdict("yes" if wanted and on_time == wanted else "not_determined", paid)

    return rule


def _employees_insured_at_least(facts: Facts, least: str | None, today: date) -> RuleVerdict:
    recent = _complete_months(today, _RECENT_MONTHS)
    known = [
        each
        for each in _payments(facts, "social_insurance")
        if each.fields.get("period") in recent and _is_count(each.fields.get("insured"))
    ]
    if not known or least is None:
        return UNDETERMINED
    latest = max(f"{each.fields['period']}" for each in known)
    counted = [each for each in known if each.fields["period"] == latest]
    return verdict(yes_if(_insured(counted) >= int(least)), counted)


def _insured(months: Iterable[LiveRecord]) -> int:
    """The largest of the counts that sources give for one month."""
    counts = (each.fields["insured"] for each in months)
    return max(each for each in counts if isinstance(each, int))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _payments(facts: Facts, kind: str) -> tuple[LiveRecord, ...]:
    paid = of_dataset(facts, "tax_and_social")
    return tuple(each for each in paid if each.fields.get("kind") == kind)


def _complete_months(today: date, count: int) -> set[object]:
    """The last `count` complete months, as `YYYY-MM`."""
    this = today.year * 12 + today.month - 1
    return {f"{m // 12:04}-{m % 12 + 1:02}" for m in range(this - count, this)}


def not_listed(*datasets: str) -> Callable[[Facts, str | None, date], RuleVerdict]:
    """The rule of "not on this list", or on none of these: a `no` rests on the entries."""

    def rule(facts: Facts, _: str | None, __: date) -> RuleVerdict:
        listed = [each for dataset in datasets for each in of_dataset(facts, dataset)]
        return verdict("no" if listed else "yes", listed)

    return rule


def _licence_item_valid(facts: Facts, item: str | None, today: date) -> RuleVerdict:
    """Not `no` while a licence without an item may be the one asked about."""
    licences = of_dataset(facts, "licence")
    held = [each for each in licences if each.fields.get("item_code") == item]
    found = _any_within_term(held, today)
    unknown = [each for each in licences if not each.fields.get("item_code")]
    may_be = any(is_within_term(each, today) is not False for each in unknown)
    return UNDETERMINED if found.answer == "no" and may_be else found


def _level_at_least(
    dataset: str, dated_by: str, *scales: Sequence[str]
) -> Callable[[Facts, str | None, date], RuleVerdict]:
    """The rule of a level of one scale or of several that share no record."""

    def rule(facts: Facts, level: str | None, _: date) -> RuleVerdict:
        scale = next((each for each in scales if level in each), ())
        rated = [each for each in of_dataset(facts, dataset) if each.fields.get("level") in scale]
        if not rated or level is None:
            return UNDETERMINED
        latest = max(rated, key=lambda each: (f"{each.fields.get(dated_by)}", each.version))
        reached = scale.index(f"{latest.fields['level']}") <= scale.index(level)
        return verdict(yes_if(reached), (latest,))

    return rule


RECORD_RULES: Final[Mapping[str, Callable[[Facts, str | None, date], RuleVerdict]]] = {
    "licence_valid.v1": _licence_valid,
    "licence_number_valid.v1": _licence_number_valid,
    "paid_social_insurance_on_time.v1": _paid_on_time("social_insurance"),
    "paid_tax_on_time.v1": _paid_on_time("tax"),
    "paid_housing_fund_on_time.v1": _paid_on_time("housing_fund"),
    "employees_insured_at_least.v1": _employees_insured_at_least,
    "licence_item_valid.v1": _licence_item_valid,
    "not_on_any_serious_list.v1": not_listed(
        "serious_violation", "judgment_defaulter", "untrustworthy_list"
    ),
    "no_enforcement_case.v1": not_listed("enforcement_case"),
    "no_equity_freeze.v1": not_listed("equity_freeze"),
    "not_in_liquidation.v1": not_listed("liquidation"),
    "tax_credit_level_at_least.v1": _level_at_least("tax_credit_level", "year", TAX_LEVELS),
    "comprehensive_rating_at_least.v1": _level_at_least(
        "comprehensive_rating", "date", PROVINCIAL_LEVELS, NATIONAL_LEVELS
    ),
}
