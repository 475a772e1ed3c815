"""Probe budget: invariants for any values, order and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from verification import LIMIT, WINDOW, admit_probes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VALUES = st.lists(st.sampled_from("abcdefgh"), max_size=6)
CALLS = st.lists(st.tuples(st.integers(0, WINDOW), VALUES), max_size=20)
GROUPED = st.lists(
    st.one_of(
        st.tuples(st.tuples(st.sampled_from("nr"), st.sampled_from("abcde"))),
        st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")).map(
            lambda pair: (("group", "".join(pair)), ("n", pair[0]), ("r", pair[1]))
        ),
    ),
    max_size=12,
)


def admit(
    known: Mapping[str, int], asked: Sequence[str], **options: Any
) -> tuple[tuple[bool, ...], Mapping[str, int]]:
    """Charge values to the budget of one question."""
    charges = [(("q", value),) for value in asked]
    admission = admit_probes({"q": known}, charges, **options)
    return admission.admitted, admission.known["q"]


@given(CALLS)
def test_no_window_ever_answers_more_than_the_limit(calls: list[tuple[int, list[str]]]) -> None:
    """Refused values are not stored."""
    now = 1_700_000_000
    known: dict[str, int] = {}
    for pause, asked in calls:
        now += pause
        admitted, counted = admit(known, asked, now=now)
        known = dict(counted)
        answered = {v for v, yes in zip(asked, admitted, strict=True) if yes}
        assert answered <= known.keys()
        assert not ({*asked} - answered) & known.keys()
        assert len(known) <= LIMIT


@given(VALUES, VALUES)
def test_a_repeat_is_free_and_extends_nothing(first: list[str], second: list[str]) -> None:
    """It keeps its original expiry."""
    _, before = admit({}, first, now=1000)
    admitted, after = admit(before, second + list(before), now=2000)
    assert all(admitted[len(second) :])
    assert all(after[value] == since for value, since in before.items())


@given(VALUES, st.integers(0, 3 * WINDOW))
def test_a_budget_is_whole_again_after_its_window(asked: list[str], later: int) -> None:
    """Each value expires exactly after the window."""
    _, known = admit({}, asked, now=1000)
    _, kept = admit(known, [], now=1000 + later)
    assert kept == (known if later < WINDOW else {})


@given(VALUES, st.integers(0, 8))
def test_the_first_distinct_values_are_the_ones_admitted(asked: list[str], limit: int) -> None:
    """In order of arrival."""
    first = list(dict.fromkeys(asked))[:limit]
    admitted, _ = admit({}, asked, now=1000, limit=limit)
    assert admitted == tuple(value in first for value in asked)


def test_a_lowered_limit_still_answers_what_it_answered() -> None:
    """Admitted values stay free if the limit is lowered."""
    known = {"a": 1, "b": 1, "c": 1}
    admitted, _ = admit(known, ["c", "d", "a"], now=2, limit=1)
    assert admitted == (True, False, True)


@given(GROUPED)
def test_a_group_is_admitted_by_all_its_budgets_or_counted_in_none(
    asked: list[tuple[tuple[str, str], ...]],
) -> None:
    """Groups give no further guesses, and a refused group costs nothing."""
    admission = admit_probes({}, asked, now=1000)
    allowed = [each for each, yes in zip(asked, admission.admitted, strict=True) if yes]
    counted = {(budget, value) for budget, values in admission.known.items() for value in values}
    assert counted == {charge for charges in allowed for charge in charges}
    assert all(len(values) <= LIMIT for values in admission.known.values())
    again = admit_probes(admission.known, allowed, now=2000)
    assert all(again.admitted)
    assert again.known == admission.known
