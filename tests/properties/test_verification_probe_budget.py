"""Probe budget: invariants for any values, order and time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from verification import LIMIT, WINDOW, admit_probe

VALUES = st.lists(st.sampled_from("abcdefgh"), max_size=6)
CALLS = st.lists(st.tuples(st.integers(0, WINDOW), VALUES), max_size=20)


@given(CALLS)
def test_no_window_ever_answers_more_than_the_limit(calls: list[tuple[int, list[str]]]) -> None:
    """Refused values are not stored."""
    now = 1_700_000_000
    known: dict[str, int] = {}
    for pause, asked in calls:
        now += pause
        admission = admit_probe(known, asked, now=now)
        known = dict(admission.known)
        answered = {v for v, yes in zip(asked, admission.admitted, strict=True) if yes}
        assert answered <= known.keys()
        assert not ({*asked} - answered) & known.keys()
        assert len(known) <= LIMIT


@given(VALUES, VALUES)
def test_a_repeat_is_free_and_extends_nothing(first: list[str], second: list[str]) -> None:
    """It keeps its original expiry."""
    before = admit_probe({}, first, now=1000)
    after = admit_probe(before.known, second + list(before.known), now=2000)
    assert all(after.admitted[len(second) :])
    assert all(after.known[value] == since for value, since in before.known.items())


@given(VALUES, st.integers(0, 3 * WINDOW))
def test_a_budget_is_whole_again_after_its_window(asked: list[str], later: int) -> None:
    """Each value expires exactly after the window."""
    known = admit_probe({}, asked, now=1000).known
    kept = admit_probe(known, [], now=1000 + later).known
    assert kept == (known if later < WINDOW else {})


@given(VALUES, st.integers(0, 8))
def test_the_first_distinct_values_are_the_ones_admitted(asked: list[str], limit: int) -> None:
    """In order of arrival."""
    first = list(dict.fromkeys(asked))[:limit]
    admission = admit_probe({}, asked, now=1000, limit=limit)
    assert admission.admitted == tuple(value in first for value in asked)


def test_a_lowered_limit_still_answers_what_it_answered() -> None:
    """Admitted values stay free if the limit is lowered."""
    known = {"a": 1, "b": 1, "c": 1}
    assert admit_probe(known, ["c", "d", "a"], now=2, limit=1).admitted == (True, False, True)
