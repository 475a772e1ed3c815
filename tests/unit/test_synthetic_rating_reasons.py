"""Indicators of the synthetic ratings: they add up, fit the file, and change nothing else."""

from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from gateway.creditfile.catalogue.rating_schemes import RatingScheme
from gateway.ingest import RowValidator
from gateway.ingest.results import AcceptedRow
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE

TODAY = date(2026, 11, 23)
WITHOUT_SCHEMES = CATALOGUE.model_copy(update={"rating_schemes": ()})


@cache
def enterprises() -> tuple[SyntheticEnterprise, ...]:
    return tuple(province(1, 600, today=TODAY, catalogue=CATALOGUE))


def explained() -> list[tuple[SyntheticEnterprise, RatingScheme, dict[str, Any]]]:
    """Ratings with indicators, with their scheme."""
    return [
        (entity, scheme, dict(row.fields))
        for entity in enterprises()
        for row in entity.deliveries
        if (scheme := CATALOGUE.scheme_of(row.dataset, row.fields)) and "indicators" in row.fields
    ]


def test_points_add_up_to_the_score_and_fall_into_the_level() -> None:
    """Of every scheme that has indicators, some ratings have them."""
    assert {scheme.code for _, scheme, _ in explained()} == {
        each.code for each in CATALOGUE.rating_schemes if each.indicators
    }
    for _, scheme, fields in explained():
        points = sum(each["points"] for each in fields["indicators"])
        assert points == fields.get("score", points)
        level = next(e.name for e in scheme.levels if e.least is not None and points >= e.least)
        assert level == fields["level"]


def test_points_are_lost_for_a_reason_and_only_then() -> None:
    """An indicator with all its points has no reason code."""
    for _, scheme, fields in explained():
        for each in fields["indicators"]:
            lost = each["points"] < scheme.by_code[each["indicator"]].points
            assert lost == bool(each["reason_codes"]), each


def test_a_reason_that_speaks_of_a_record_has_it_in_the_file() -> None:
    """Nobody loses points for a penalty that was never given."""
    for entity, scheme, fields in explained():
        rows = [(CATALOGUE.dataset(each.dataset), each.fields) for each in entity.deliveries]
        for each in fields["indicators"]:
            indicator = scheme.by_code[each["indicator"]]
            general = {reason.code for reason in indicator.general_reasons}
            effects = {indicator.effect_of(*row) for row in rows} - {None}
            of_records = {effect.reason for effect in effects if effect is not None}
            assert set(each["reason_codes"]) <= general | of_records, each


def test_intake_accepts_every_synthetic_rating() -> None:
    """As a source would deliver it."""
    rules = {
        each.dataset: RowValidator(CATALOGUE, each.dataset, today=TODAY)
        for each in CATALOGUE.rating_schemes
    }
    for entity in enterprises():
        for row in entity.deliveries:
            if row.dataset in rules:
                verdict = rules[row.dataset].validate({"uscc": entity.uscc, **row.fields})
                assert isinstance(verdict, AcceptedRow), verdict


def test_a_province_without_schemes_differs_in_nothing_else() -> None:
    """The indicators are drawn apart."""
    for with_them, without in zip(
        enterprises(), province(1, 600, today=TODAY, catalogue=WITHOUT_SCHEMES), strict=True
    ):
        bare = tuple(
            replace(row, fields={n: v for n, v in row.fields.items() if n != "indicators"})
            for row in with_them.deliveries
        )
        assert bare == without.deliveries
        assert with_them.registration == without.registration
