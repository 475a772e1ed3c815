"""Contestable parts of a rating in an appeal, and their wording."""

from gateway.creditfile.objections import lifecycle
from gateway.creditfile.objections.contested import contestable, words_of
from gateway.creditfile.objections.model import Contested, ObjectionRefused, RefusalReason
from tests.creditfile_builders import CATALOGUE, NOON
from tests.objection_builders import make_objection, must_succeed, try_raise

RATED = {
    "model_version": "2026",
    "indicators": [
        {"indicator": "tax", "points": 120, "reason_codes": []},
        {"indicator": "penalties", "points": 100, "reason_codes": ["L12"]},
    ],
}
PENALTIES = Contested(scheme="zj_public_credit", indicator="penalties", reason_code="L12")


def test_indicators_and_reason_codes_of_that_rating_can_be_contested() -> None:
    """In the scheme's order; nothing that the rating does not name."""
    found = contestable(CATALOGUE, "public_rating", RATED)
    assert [str(each) for each in found] == ["tax", "penalties", "penalties/L12"]


def test_of_a_rating_without_indicators_any_of_its_scheme_can_be_contested() -> None:
    """And of one without a published scheme the rating as a whole."""
    found = contestable(CATALOGUE, "public_rating", {"model_version": "2026"})
    assert {each.indicator for each in found} == set(CATALOGUE.rating_schemes[0].by_code)
    assert contestable(CATALOGUE, "public_rating", {"model_version": "2019"}) == ()
    assert contestable(CATALOGUE, "penalty", {}) == ()


def test_an_appeal_keeps_what_it_contests_until_its_record_is_deleted() -> None:
    """An objection to another record names nothing of the kind."""
    raised = must_succeed(try_raise(dataset="public_rating", contests=PENALTIES))
    assert raised.contests == PENALTIES
    assert lifecycle.forget(raised, now=NOON).objection.contests is None
    assert make_objection().contests is None
    refused = try_raise(contests=PENALTIES)
    assert refused == ObjectionRefused(reason=RefusalReason.NOT_AVAILABLE)


def test_what_is_contested_is_worded_by_its_scheme() -> None:
    """Of a scheme that is gone there are no words."""
    words = words_of(PENALTIES, CATALOGUE)
    assert words is not None
    assert words.reason is not None
    assert (words.indicator.zh, words.reason.zh) == ("行政处罚", "有公示期内的行政处罚")
    assert words_of(Contested(scheme="stars", indicator="moon"), CATALOGUE) is None
