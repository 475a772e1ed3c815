"""Bundles under any agreement: never more than it covers; the mark rests on what is published alone."""

from hypothesis import given
from hypothesis import strategies as st

from consent import Purpose
from gateway.clients.bundles import PUBLISHED, USUAL, Bundle, beyond_usual
from gateway.creditfile.catalogue import load_catalogue
from tests.agreement_builders import an_agreement
from verification import QUESTIONS, find_question

CODES = sorted(load_catalogue().codes)
TAGS = [each.tag for each in QUESTIONS]
BUNDLES = st.sampled_from(PUBLISHED)


def some(names: list[str]) -> st.SearchStrategy[frozenset[str]]:
    """Any of these names."""
    return st.frozensets(st.sampled_from(names))


@given(BUNDLES, some(CODES), some(TAGS))
def test_a_bundle_stands_for_what_both_it_and_the_agreement_name(
    bundle: Bundle, datasets: frozenset[str], questions: frozenset[str]
) -> None:
    """All of that, in the bundle's order; of a watch what needs no consent."""
    agreement = an_agreement(datasets=datasets, questions=questions)
    assert [*bundle.datasets_under(agreement)] == [x for x in bundle.datasets if x in datasets]
    assert [*bundle.tags_under(agreement)] == [x for x in bundle.tags if x in questions]
    watched = bundle.watched_under(agreement)
    assert [*watched] == [
        tag
        for tag in bundle.tags_under(agreement)
        if (found := find_question(tag)) and not found.needs_consent
    ]


@given(st.sampled_from(Purpose), some(CODES), some(TAGS))
def test_the_mark_names_what_was_asked_and_is_not_usual(
    purpose: Purpose, datasets: frozenset[str], questions: frozenset[str]
) -> None:
    """Each item once, and no item that the usual bundle has."""
    found = beyond_usual(purpose, sorted(datasets), sorted(questions))
    assert len(set(found)) == len(found)
    assert set(found) <= datasets | questions
    usual = USUAL.get(purpose)
    assert set(found).isdisjoint(usual.datasets + usual.tags if usual else found)


@given(st.sampled_from(Purpose), some(CODES), some(TAGS), some(CODES), some(TAGS))
def test_the_mark_of_an_item_depends_on_no_other_item(
    purpose: Purpose,
    datasets: frozenset[str],
    questions: frozenset[str],
    more_datasets: frozenset[str],
    more_questions: frozenset[str],
) -> None:
    """So that nothing is hidden by asking for more, nor by asking in parts."""

    def mark(codes: frozenset[str], tags: frozenset[str]) -> set[str]:
        return set(beyond_usual(purpose, codes, tags))

    both = mark(datasets | more_datasets, questions | more_questions)
    assert both == mark(datasets, questions) | mark(more_datasets, more_questions)
