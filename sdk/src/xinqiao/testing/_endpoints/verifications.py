"""Answers of the fake gateway's verifications: consents of questions, budgets of asserted values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from xinqiao._core.wire.closed_lists import DISTINCT_VALUES, QUESTION_RULES
from xinqiao._core.wire.uscc import normalise
from xinqiao.testing._rules.lifetimes import PROBE_BUDGET
from xinqiao.testing._state.enterprises import FakeConsent, FakeEnterprise

_NAMES: Final = ("enterprise_name.", "legal_representative_name.")


@dataclass(slots=True, kw_only=True)
class FakeVerifications:
    """Values asserted so far, by enterprise and budget, each with the time of its first use."""

    asserted: dict[tuple[str, str], dict[str, datetime]] = field(default_factory=dict)

    def answers(
        self,
        asked: list[Mapping[str, Any]],
        enterprise: FakeEnterprise,
        consent: FakeConsent | None,
        when: datetime,
    ) -> list[dict[str, str]]:
        """Answers in order; `not_determined` without the consent that a question needs, or the budget."""
        return [
            _answer(each, enterprise)
            if _is_open(each, consent) and self._charge(each, enterprise.uscc, when)
            else {"question": each["question"], "answer": "not_determined"}
            for each in asked
        ]

    def _charge(self, asked: Mapping[str, Any], uscc: str, when: datetime) -> bool:
        charges = (
            [] if asked.get("value") is None else list(_charges(asked["question"], asked["value"]))
        )
        for budget, _ in charges:
            held = self.asserted.setdefault((uscc, budget), {})
            fresh = {form: first for form, first in held.items() if when - first < PROBE_BUDGET}
            self.asserted[(uscc, budget)] = fresh
        if not all(
            form in self.asserted[(uscc, budget)]
            or len(self.asserted[(uscc, budget)]) < DISTINCT_VALUES
            for budget, form in charges
        ):
            return False
        for budget, form in charges:
            self.asserted[(uscc, budget)].setdefault(form, when)
        return True


def rests_on_consent(asked: list[Mapping[str, Any]], consent: FakeConsent) -> bool:
    """True where a consent opens one of these questions, and so is used."""
    return any(_needs_consent(each) and _is_open(each, consent) for each in asked)


def _needs_consent(asked: Mapping[str, Any]) -> bool:
    rule = QUESTION_RULES[asked["question"]]
    return rule.needs_consent or (rule.value_needs_consent and asked.get("value") is not None)


def _is_open(asked: Mapping[str, Any], consent: FakeConsent | None) -> bool:
    if not _needs_consent(asked):
        return True
    tags = {asked["question"], QUESTION_RULES[asked["question"]].earlier}
    return consent is not None and not tags.isdisjoint(consent.questions)


def _answer(asked: Mapping[str, Any], enterprise: FakeEnterprise) -> dict[str, str]:
    tag = asked["question"]
    answer = enterprise.answer(tag, asked.get("value"))
    match = {"match": "strict"} if answer == "yes" and tag.startswith(_NAMES) else {}
    return {"question": tag, "answer": answer, **match}


def _charges(tag: str, value: str | Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The budgets in which a value counts, each with its form; each element also in its own."""
    rule = QUESTION_RULES[tag]
    if isinstance(value, str):
        yield rule.earlier or tag, normalise(value)
        return
    yield tag, "\n".join(normalise(value[name]) for name in sorted(rule.members))
    for name, question in rule.members.items():
        yield from _charges(question, value[name])
