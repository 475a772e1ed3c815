"""Published bundles: well formed, never changed, within the agreement, and what is beyond them."""

import hashlib
from dataclasses import asdict
from typing import Final

import orjson
import pytest

from consent import Purpose
from gateway.clients.bundles import BUNDLES, PUBLISHED, USUAL, Bundle, beyond_usual
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.disclosure_class import Audience
from tests.agreement_builders import an_agreement
from verification import Asked, find_question, problem_with

NAMES: Final = [each.name for each in PUBLISHED]
DIGESTS: Final = {
    "pre_loan.v1": "8a585d758f3d1b80",
    "post_loan.v1": "6b1ee11b323501f9",
    "onboarding.v1": "1fa5e02666ca1d79",
    "review.v1": "31077857b151bf62",
    "tender.v1": "8feec14c9e08ebc4",
}
"""The first characters of the SHA-256 of each bundle's content: a published bundle never changes."""


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_names_what_there_is_once(name: str) -> None:
    """Datasets that are served for its purpose, questions that can be asked as they stand."""
    bundle, catalogue = BUNDLES[name], load_catalogue()
    assert len(set(bundle.datasets)) == len(bundle.datasets) > 0
    assert len(set(bundle.tags)) == len(bundle.tags) > 0
    for code in bundle.datasets:
        assert catalogue.dataset(code).serves(bundle.purpose), code
        assert catalogue.fields_for(code, Audience.AUTHORISED), code
    for each in bundle.questions:
        assert find_question(each.tag) is not None
        assert problem_with(Asked(tag=each.tag, value=each.value)) is None, each.tag


@pytest.mark.parametrize("name", NAMES)
def test_a_published_bundle_never_changes(name: str) -> None:
    """Another content is another version: add a bundle, and leave this one."""
    content = orjson.dumps(asdict(BUNDLES[name]) | {"title": None}, option=orjson.OPT_SORT_KEYS)
    assert hashlib.sha256(content).hexdigest()[:16] == DIGESTS[name]


def test_the_names_of_the_wire_are_published() -> None:
    """Those that clients rely on."""
    assert set(NAMES) >= set(DIGESTS)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("bundle", PUBLISHED, ids=NAMES)
def test_a_bundle_never_widens_an_agreement(bundle: Bundle) -> None:
    """What the agreement lacks is left out, in the bundle's order."""
    agreement = an_agreement(
        datasets=frozenset({bundle.datasets[-1], bundle.datasets[0], "supervision"}),
        questions=frozenset({bundle.tags[-1], "enterprise_name.v2"}),
    )
    assert bundle.datasets_under(agreement) == (bundle.datasets[0], bundle.datasets[-1])
    assert bundle.tags_under(agreement) == (bundle.tags[-1],)
    nothing = an_agreement(datasets=frozenset(), questions=frozenset())
    assert not bundle.tags_under(nothing)
    assert not bundle.datasets_under(nothing)


@pytest.mark.parametrize("purpose", [each for each in Purpose if each in USUAL])
def test_what_is_in_the_usual_bundle_is_not_beyond_it(purpose: Purpose) -> None:
    """The bundle itself never is."""
    assert beyond_usual(purpose, USUAL[purpose].datasets, USUAL[purpose].tags) == ()


def test_what_is_beyond_the_usual_bundle_is_named() -> None:
    """A question that needs no consent is not."""
    found = beyond_usual(
        Purpose.MERCHANT_ONBOARDING,
        ("registration", "tax_and_social"),
        ("enterprise_name.v2", "rating_at_least.v1", "is_active.v1"),
    )
    assert found == ("tax_and_social", "rating_at_least.v1")


def test_without_a_bundle_for_the_purpose_nothing_is_beyond() -> None:
    """There is nothing to compare with."""
    assert Purpose.INSURANCE_UNDERWRITING not in USUAL
    assert beyond_usual(Purpose.INSURANCE_UNDERWRITING, ("tax_and_social",), ()) == ()
