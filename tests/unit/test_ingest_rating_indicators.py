"""Indicators of delivered ratings: their form in each kind of file, and agreement with the scheme."""

import json
from typing import Any

import pytest

from gateway.creditfile.field_problems import ProblemCode
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.results import AcceptedRow, RejectedRow
from gateway.ingest.rows import columns_of_rows
from gateway.ingest.validation.validate_columns import ColumnValidator
from gateway.ingest.validation.validate_row import RowValidator
from tests.creditfile_builders import CATALOGUE, TODAY, USCC

RATING = RowValidator(CATALOGUE, "public_rating", today=TODAY)
SCHEME = CATALOGUE.rating_schemes[0]
FULL = [{"indicator": each.code, "points": each.points} for each in SCHEME.indicators]


def row(indicators: Any, **changed: Any) -> dict[str, Any]:
    of = {"uscc": USCC, "date": "2026-10-01", "level": "优秀", "model_version": "2026"}
    return of | {"indicators": indicators} | changed


def by_both_ways(given: dict[str, Any]) -> AcceptedRow | RejectedRow:
    """A row validated by itself; the validation by column takes it exactly if it is accepted."""
    verdict = RATING.validate(given)
    columns = columns_of_rows([given])
    assert columns is not None
    batch = ColumnValidator(RATING.rules).validate(columns)
    assert (batch is not None) == isinstance(verdict, AcceptedRow)
    return verdict


def test_indicators_that_fit_their_scheme_are_accepted() -> None:
    """Reason codes may be left out, and stand once."""
    less = {"indicator": "penalties", "points": 100, "reason_codes": ["L12", "L12"]}
    verdict = by_both_ways(row([less, {"indicator": "tax", "points": 120}]))
    assert isinstance(verdict, AcceptedRow)
    assert verdict.fields["indicators"] == [
        {"indicator": "penalties", "points": 100, "reason_codes": ["L12"]},
        {"indicator": "tax", "points": 120, "reason_codes": []},
    ]


def test_a_rating_without_indicators_needs_no_scheme() -> None:
    """As ratings were delivered before there were schemes."""
    assert isinstance(by_both_ways(row([], model_version="2019")), AcceptedRow)


@pytest.mark.parametrize("score", [None, 1000])
def test_points_of_all_indicators_add_up_to_the_score(score: int | None) -> None:
    """Where the rating has one."""
    assert isinstance(by_both_ways(row(FULL, score=score)), AcceptedRow)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (row(FULL, score=999), ProblemCode.POINTS_DIFFER),
        (row(FULL, model_version="2019"), ProblemCode.NO_RATING_SCHEME),
        (row([*FULL, FULL[0]]), ProblemCode.INDICATOR_TWICE),
        (row([{"indicator": "luck", "points": 1}]), ProblemCode.NOT_IN_RATING_SCHEME),
        (row([{"indicator": "tax", "points": 121}]), ProblemCode.NOT_IN_RATING_SCHEME),
        (
            row([{"indicator": "tax", "points": 1, "reason_codes": ["L12"]}]),
            ProblemCode.NOT_IN_RATING_SCHEME,
        ),
        (row("penalties: 100"), ProblemCode.NOT_INDICATORS),
        (row([{"indicator": "tax"}]), ProblemCode.NOT_INDICATORS),
        (row([{"indicator": "tax", "points": -1}]), ProblemCode.NOT_INDICATORS),
        (row([{"indicator": "tax", "points": True}]), ProblemCode.NOT_INDICATORS),
        (row([{"indicator": "tax", "points": 1.5}]), ProblemCode.NOT_INDICATORS),
        (row([{"indicator": "tax", "points": 1, "remark": "…"}]), ProblemCode.NOT_INDICATORS),
        (row([{"indicator": "tax", "points": 1, "reason_codes": "F11"}]), ProblemCode.NOT_INDICATORS),
        (row(FULL * 20), ProblemCode.NOT_INDICATORS),
    ],
)  # fmt: skip
def test_indicators_that_do_not_fit_are_named_and_not_repeated(
    given: dict[str, Any], code: ProblemCode
) -> None:
    """One problem, of the field; nothing of the value is in it."""
    verdict = by_both_ways(given)
    assert isinstance(verdict, RejectedRow)
    assert [(each.field, each.code) for each in verdict.problems] == [("indicators", code)]


def test_a_cell_has_the_indicators_in_json() -> None:
    """In CSV files and workbooks; what is no JSON is left for the validation to report."""
    read = HeaderReader(CATALOGUE, "public_rating").cell_parsers(["indicators"])["indicators"]
    assert read(json.dumps(FULL)) == FULL
    assert read("[{") == "[{"
    assert read("优秀") == "优秀"
