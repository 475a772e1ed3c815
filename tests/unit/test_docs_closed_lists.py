"""Page of the wire's closed lists: complete, in two languages, and up to date."""

import re

import pytest

from gateway.disclosure.tables import TombstoneRow
from gateway.queries.schemas import WithheldOut
from tests.docs.pages import DOCS
from tests.generated.closed_lists_page import LISTS, ClosedList, markdown

PAGE = DOCS / "understand" / "closed-lists.md"


@pytest.mark.parametrize("closed_list", LISTS, ids=lambda each: each.en)
def test_each_value_has_its_words_and_no_words_are_left_over(closed_list: ClosedList) -> None:
    """In both directions, so that a new value is described and a removed one is not."""
    assert set(closed_list.words) == set(closed_list.values)
    assert len(set(closed_list.values)) == len(closed_list.values)


def test_the_page_of_closed_lists_is_up_to_date() -> None:
    """`make docs` regenerates it."""
    assert PAGE.read_text(encoding="utf-8") == markdown(), "run `make docs`"


def test_the_database_takes_just_the_kinds_of_changes_that_are_published() -> None:
    """Its constraint names each of them."""
    [kinds] = [each for each in LISTS if each.en == "Kinds of changes"]
    constraint, *_ = TombstoneRow.__table_args__
    assert set(re.findall("'([a-z_]+)'", str(constraint.sqltext))) == set(kinds.values)


def test_a_reason_to_withhold_that_is_not_published_is_refused() -> None:
    """The answer's model has the closed list, and so has the OpenAPI document."""
    [reasons] = [each for each in LISTS if each.en == "Why something is withheld"]
    assert WithheldOut.model_json_schema()["properties"]["reason"]["enum"] == list(reasons.values)
