"""Published rating schemes: whole, of existing datasets, and fixed once published."""

from copy import deepcopy
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE, Catalogue
from gateway.creditfile.catalogue.rating_schemes_page import page_of
from gateway.creditfile.disclosure_class import Audience, DisclosureClass
from gateway.creditfile.rating_indicators import INDICATORS
from tests.creditfile_builders import CATALOGUE
from tests.docs.pages import ROOT

PARSED = yaml.safe_load(PUBLISHED_CATALOGUE.read_text(encoding="utf-8"))
SCHEMES = CATALOGUE.rating_schemes


def test_the_public_credit_scheme_has_five_dimensions_and_a_thousand_points() -> None:
    """The comprehensive one has the six dimensions of measure 4."""
    public, comprehensive = SCHEMES[:2]
    assert [each.zh for each in public.dimensions] == [
        "基本情况", "金融财税", "管治能力", "遵纪守法", "社会责任",
    ]  # fmt: skip
    assert [each.zh for each in comprehensive.dimensions] == [
        "经营主体资质", "经营活动", "行政监管记录", "司法裁判信息", "合同履约情况", "社会评价反馈",
    ]  # fmt: skip
    assert public.points == comprehensive.points == 1000


def test_a_scheme_with_made_up_figures_says_so() -> None:
    """Every scheme with indicators is configuration of the synthetic province."""
    assert all(each.synthetic for each in SCHEMES if each.indicators)


def test_every_indicator_has_reasons_in_both_languages_with_what_to_do() -> None:
    """A plain sentence each; the Chinese advice ends as a sentence does."""
    for scheme in SCHEMES:
        for indicator in scheme.indicators:
            assert indicator.reasons, indicator.code
            for reason in indicator.reasons:
                assert reason.to_do.zh.endswith("。"), reason.code
                assert reason.to_do.en.endswith("."), reason.code


@pytest.mark.parametrize(
    ("dataset", "fields", "code"),
    [
        ("public_rating", {"model_version": "2026"}, "zj_public_credit"),
        ("public_rating", {"model_version": "2019"}, None),
        ("comprehensive_rating", {"scheme": "全国公共信用综合评价"}, "national_comprehensive"),
        ("industry_rating", {"scheme": "企业环境信用评价"}, "environment_grade"),
        ("industry_rating", {"scheme": "星级饭店"}, None),
        ("penalty", {"scheme": "企业环境信用评价"}, None),
    ],
)
def test_a_rating_goes_by_the_scheme_whose_conditions_it_meets(
    dataset: str, fields: dict[str, str], code: str | None
) -> None:
    """By its fields; of another version or name there is none."""
    scheme = CATALOGUE.scheme_of(dataset, fields)
    assert (scheme.code if scheme else None) == code


def test_indicators_reach_the_enterprise_and_nobody_else() -> None:
    """Narrower than the rating: neither public, nor under consent, nor compared in a question."""
    for code in {each.dataset for each in SCHEMES}:
        field = CATALOGUE.dataset(code).field_by_name[INDICATORS]
        assert field.disclosure is DisclosureClass.ENTERPRISE
        audiences = {each for each in Audience if field in CATALOGUE.fields_for(code, each)}
        assert audiences == {Audience.ENTERPRISE}


def test_the_page_of_schemes_is_up_to_date() -> None:
    """As `make docs` writes it."""
    page = ROOT / "docs" / "understand" / "rating-schemes.md"
    assert page.read_text(encoding="utf-8") == page_of(CATALOGUE)


def _indicator(scheme: int, place: int, **changed: Any) -> Any:
    return lambda d: d["rating_schemes"][scheme]["indicators"][place].update(changed)


def _scheme(**changed: Any) -> Any:
    return lambda d: d["rating_schemes"][0].update(changed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_indicator(0, 7, base=151), "its base is above its points"),
        (_indicator(0, 7, base=None), "points of effects go with a base"),
        (_indicator(0, 0, datasets=["registration"]), "a dataset that it does not rest on"),
        (_indicator(0, 0, reasons=[]), "a reason that is not listed"),
        (_indicator(0, 0, dimension="luck"), "not of its dimensions"),
        (_indicator(0, 2, datasets=["horoscope"]), "there is no dataset horoscope"),
        (_scheme(levels=[{"name": "差", "least": 0}, {"name": "优秀", "least": 850}]), "best first"),
        (_scheme(levels=[{"name": "优秀", "least": 1001}]), "above its points"),
        (_scheme(levels=[{"name": "AAA"}]), "a level is no value of public_rating"),
        (_scheme(where={"moon": "full"}), "goes by no field of public_rating"),
        (lambda d: d["rating_schemes"].append(d["rating_schemes"][0]), "stands twice"),
        (
            _indicator(
                0, 6,
                effects=[{"dataset": "commitment", "reason": "G21",
                          "when": [{"field": "fulfilment", "values": ["forgotten"]}]}],
            ),
            "no value of commitment.fulfilment",
        ),
    ],
)  # fmt: skip
def test_a_scheme_that_is_not_well_formed_is_refused(change: Any, said: str) -> None:
    """At start-up, with a sentence."""
    document = deepcopy(PARSED)
    change(document)
    with pytest.raises(ValidationError, match=said):
        Catalogue.model_validate(document)
