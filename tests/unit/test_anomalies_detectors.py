"""Detectors of anomalies: their bounds, and what a sketch holds."""

import pytest

from gateway.anomalies.activity import MOST_AREAS, Activity, cell_of
from gateway.anomalies.detectors import AnomalyKind, large_areas
from tests.anomaly_traffic import DIVISIONS, call, code_at, flagged, merchants, seeded


def test_codes_that_lie_close_together_are_flagged_in_any_order() -> None:
    """A hundred consecutive ones, from the last to the first."""
    codes = [code_at(number) for number in range(1_000, 1_120)]
    assert flagged(map(call, reversed(codes))) == {AnomalyKind.SEQUENTIAL_CODES}


def test_fewer_than_a_hundred_consecutive_codes_are_not_flagged() -> None:
    """A short range may be chance, or a test."""
    assert flagged(call(code_at(number)) for number in range(90)) == set()


def test_asking_about_the_same_enterprises_again_is_no_sequence() -> None:
    """Ninety enterprises a hundred times."""
    codes = [code_at(number * 1_000) for number in range(90)]
    assert flagged(call(code, "yes") for code in codes * 100) == set()


def test_a_cell_holds_eight_consecutive_codes_of_one_area() -> None:
    """The check characters do not count."""
    assert len({cell_of(code_at(number)) for number in range(800, 816)}) in {2, 3}
    assert cell_of(code_at(800)) != cell_of(code_at(800, "330108"))


@pytest.mark.parametrize(("no", "kinds"), [(99, set()), (100, {AnomalyKind.NO_SHARE})])
def test_half_of_two_hundred_asserted_values_wrong_is_abnormal(
    no: int, kinds: set[AnomalyKind]
) -> None:
    """Whatever enterprises they are about."""
    codes = merchants(seeded(1), 200, DIVISIONS)
    answers = ["no"] * no + ["yes"] * (200 - no)
    assert flagged(map(call, codes, answers)) == kinds


def test_a_no_on_a_state_or_a_band_is_not_counted() -> None:
    """That many have a penalty is no wrong guess."""
    activity = Activity()
    for code in merchants(seeded(1), 300, DIVISIONS):
        asked = call(code)
        items = [{"code": "is_active.v1", "answer": "no"}]
        items += [{"code": "rating_at_least.v1", "answer": "no", "value": "优秀"}]
        activity.add(type(asked)(client_id="c", uscc=code, day=asked.day, items=items), b"key")
    assert (activity.yes, activity.no) == (0, 0)


def test_made_up_codes_of_thousands_of_areas_neither_fill_a_row_nor_hide_a_sweep() -> None:
    """Each with an area of its own, between the codes of one that is swept, over many rounds."""
    activity = Activity()
    for turn in range(8):
        for number in range(turn * 1_000, (turn + 1) * 1_000):
            activity.add(call(code_at(1, f"{number:06}")), b"key")
        for number in range(turn * 50, (turn + 1) * 50):
            activity.add(call(code_at(number * 1_000)), b"key")
        activity = Activity.from_row(activity.to_row())  # type: ignore[arg-type]  # a row as a dict
    assert len(activity.areas) == MOST_AREAS
    assert activity.areas.keys() >= large_areas(activity).keys() == {"91330106"}


def test_budgets_used_up_on_many_enterprises_are_flagged() -> None:
    """Sixty of six hundred; not forty."""
    codes = merchants(seeded(1), 600, DIVISIONS)
    for spent, kinds in ((60, {AnomalyKind.SPENT_BUDGETS}), (40, set())):
        calls = [call(code, spent=place < spent) for place, code in enumerate(codes)]
        assert flagged(calls) == kinds


def test_most_enterprises_of_a_division_are_a_sweep() -> None:
    """Five hundred of eight hundred, not of eight thousand; a division is counted with its class."""
    codes = merchants(seeded(1), 500, ["330106"])
    assert flagged(map(call, codes), registered=800) == {AnomalyKind.DIVISION_SWEEP}
    assert flagged(map(call, codes), registered=8_000) == set()
    spread = merchants(seeded(1), 500, DIVISIONS)
    assert flagged(map(call, spread), registered=10) == set()


def test_what_is_stored_names_no_enterprise() -> None:
    """Sketches under a key: without it they cannot be compared with a code either."""
    codes = [code_at(number) for number in range(200)]
    activity = Activity()
    for code in codes:
        activity.add(call(code, "yes", spent=True), b"key")
    row = activity.to_row()
    assert not [code for code in codes if code in str(row)]
    other = Activity()
    for code in codes:
        other.add(call(code, "yes", spent=True), b"another key")
    assert other.to_row()["codes"] != row["codes"]
